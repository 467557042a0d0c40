# Only Python 3.11+ and make are needed; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test test-all check docs package bench clean

help:
	@echo "make demo   set up and run the main job on the teacher and on real digits"
	@echo "make test   set up and run the tests; make test-all runs every member of their families of cases"
	@echo "make check  formatting, lint, types, import layers"
	@echo "make docs   build the site into docs/_build/html, its examples executed"
	@echo "make package  build wheel and sdist, install them into new environments and try them"
	@echo "make bench  run every benchmark (hours)"

# The demo needs less than the tests: a user who only looks should not wait for the test tools.
$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e '.[digits]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e '.[all,dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/isthmus fit teacher --out runs/demo-teacher --overwrite
	$(BIN)/isthmus fit digits --task autoencoder --out runs/demo-digits --overwrite

# Two processes of one thread each where there are two cores: on one core a second one would only start later.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(if $(filter-out 1,$(CORES)),-n 2 --dist loadfile)

test: $(VENV)/.test
	$(PYTEST)

test-all: $(VENV)/.test
	$(PYTEST) -m ""

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.docs: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e '.[docs]'
	@touch $@ $(VENV)/.demo

# Warnings are errors; nothing is fetched, and no browser is needed. -E: what a page runs, it runs again.
docs: $(VENV)/.docs
	PATH="$(CURDIR)/$(BIN):$$PATH" OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -E -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html

package: $(VENV)/.docs
	$(PIP) install -c constraints.txt -e '.[package]'
	$(BIN)/python benchmarks/installation.py

# These want a folder to resume from and take hours.
IN_A_FOLDER := benchmarks/rank_decision.py benchmarks/rank_real.py benchmarks/rank_weights.py benchmarks/selection_quick.py benchmarks/selection_growth.py benchmarks/index_rank_blind.py
ELSEWHERE := benchmarks/installation.py  # make package

bench: $(VENV)/.test
	$(PIP) install -c constraints.txt -e '.[bench]'
	for script in $(filter-out $(IN_A_FOLDER) $(ELSEWHERE),$(wildcard benchmarks/[a-z]*.py)); do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) docs/_build docs/auto_* docs/reference/generated docs/start/work dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
