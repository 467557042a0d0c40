"""The ledger of docs/theory.md names tests and functions that exist."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEDGER = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
ROOMS = (
    "compression|costs|data|dimension|estimators|experiments|factorization|formats|networks|regions|selection|spectra|"
    "training"
)


def named_tests():
    """(file, start of the test's name or None) for each that the ledger names; `::name` alone is of the file before."""
    file = None
    for found in re.finditer(r"`(?:([\w/]+/test_\w+\.py))?(?:::(\w+)…?)?`", LEDGER):
        if found[1] or found[2]:
            file = found[1] or file
            yield file, found[2]


@pytest.mark.parametrize(("file", "name"), sorted(set(named_tests()), key=str))
def test_every_test_of_the_ledger_is_there(file, name):
    path = ROOT / "tests" / file
    assert path.is_file(), file
    if name:
        assert re.search(rf"^def {name}", path.read_text(encoding="utf-8"), re.MULTILINE), f"{file}::{name}"


@pytest.mark.parametrize("name", sorted(set(re.findall(rf"`((?:{ROOMS})\.\w+)", LEDGER))))
def test_every_function_of_the_ledger_is_there(name):
    room, attribute = name.split(".")
    module = import_module(f"isthmus.{room}")
    try:
        found = getattr(module, attribute)
    except AttributeError:
        found = import_module(f"isthmus.{name}")
    assert found is not None
