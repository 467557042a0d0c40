"""`isthmus sweep`: a table, a page, one JSON object; wrong input is one sentence and makes no store."""

import csv
import json

import pytest

from isthmus.errors import OptionError
from isthmus.reports import sweep_page
from isthmus.reports.sweep_page import chosen_axes, heat_map
from isthmus.sweeps import CellRow
from sweep_grids import TOML


@pytest.fixture
def spec(here):
    (here / "spec.toml").write_text(TOML.format(seeds="[0, 1]", steps=20))
    return "spec.toml"


def test_a_sweep_ends_in_a_table_a_page_and_one_object(here, command, spec):
    status, out, error = command("sweep", spec, "--out", "store", "--json")
    assert (status, error) == (0, "")
    answer = json.loads(out)
    assert (answer["kind"], answer["done"], answer["failed"]) == ("sweep", 8, 0)
    assert answer["axes"] == {"seed": [0, 1], "n": [20, 30], "width": [4, 8]}
    with (here / "store" / "cells.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    for cell, line in zip(answer["cells"], table, strict=True):
        assert float(line["objective"]) == cell["objective"]
        assert float(line["error"]) == cell["error"] == cell["errors"][cell["rank"]]
        assert [int(line[name]) for name in ("seed", "n", "width")] == list(cell["settings"].values())[1:4]
        assert (line["status"], int(line["rank"])) == ("done", cell["rank"])
    page = (here / "store" / "sweep.html").read_text()
    assert page.startswith("<!doctype html>")
    assert 'id="rank"' in page
    assert 'id="error"' in page
    assert 'id="objective"' in page

    status, out, error = command("sweep", spec, "--out", "store", "--x", "width", "--y", "seed")
    assert (status, error) == (0, "")
    assert "8 of 8 cells done." in out
    assert "All have data curve, depth 3, ridge 0.01, cv 2, steps 20, rounds 0." in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.toml"], "There is no none.toml"),
        (["spec.toml", "--n-jobs", "0"], "--n-jobs is 0 but must be a whole number of workers"),
        (["spec.toml", "--scheduler", "tcp://127.0.0.1:1", "--n-jobs", "2"], "--n-jobs is 2 but must be left out"),
        (["spec.toml", "--scheduler", "nowhere"], "--scheduler is 'nowhere' but must be the address"),
        (["spec.toml", "--x", "widht"], "--x is 'widht' but must be one of seed, n, width"),
        (["wrong.toml"], "There is no 'seed' in the specification. Did you mean seeds?"),
        (["empty.toml"], "seeds is [] but must be a value or several: without any the grid is empty"),
    ],
)
def test_wrong_input_is_one_sentence_and_no_store(here, command, spec, arguments, message):
    (here / "wrong.toml").write_text("data = 'curve'\nseed = 1")
    (here / "empty.toml").write_text("data = 'curve'\nseeds = []")
    status, out, error = command("sweep", *arguments, "--out", "store")
    assert (status, out) == (2, "")
    assert message in error
    assert error.startswith("isthmus: ")
    assert error.count("\n") == 1
    assert not (here / "store").exists()


ROWS = [
    CellRow(0, {"k": 1, "n": 20, "seed": 0}, "done", rank=1, errors=(3.0, 1.0), objective=2.0),
    CellRow(1, {"k": 1, "n": 20, "seed": 1}, "done", rank=2, errors=(3.0, 2.0, 0.5), objective=4.0),
    CellRow(2, {"k": 1, "n": 30, "seed": 0}, "failed", failure="No."),
    CellRow(3, {"k": 1, "n": 30, "seed": 1}),
]
AXES = {"seed": (0, 1), "n": (20, 30)}


def test_a_heat_map_holds_means_and_tells_what_they_are_of():
    figure = heat_map(ROWS, AXES, "rank", "n", None)
    known, unknown = figure.data
    assert (known.x, known.marker.color, known.text) == ((0,), (1.5,), ("1.5",))
    assert (known.customdata, unknown.customdata) == (("rank 1: 1, rank 2: 1; of 2 cells",), ("of 2 cells; 1 failed",))
    assert (list(figure.layout.xaxis.ticktext), unknown.x) == (["20", "30"], (1,))
    figure = heat_map(ROWS, AXES, "error", "n", "seed")
    known, unknown = figure.data
    assert (known.x, [round(base) for base in known.base], known.marker.color) == ((0, 0), [0, 1], (1.0, 0.5))
    assert unknown.x == (1, 1)
    assert list(figure.layout.yaxis.ticktext) == ["0", "1"]


def test_axes_are_those_that_are_named_or_else_the_first_two_and_seeds_last():
    assert chosen_axes(AXES) == ("n", "seed")
    assert chosen_axes(AXES, x="seed") == ("seed", "n")
    assert chosen_axes({"n": (1, 2)}) == ("n", None)
    assert chosen_axes({}) == (None, None)
    with pytest.raises(OptionError, match="--y is 'n' but must be another axis than --x"):
        chosen_axes(AXES, x="n", y="n")
    with pytest.raises(OptionError, match="no axes: nothing has several values"):
        chosen_axes({}, x="n")


def test_a_grid_of_one_cell_has_a_page(tmp_path):
    path = sweep_page.write_sweep_page(ROWS[:1], {}, tmp_path / "one.html", name="one")
    assert "1 of 1 cells done." in path.read_text()
    assert "All have k 1, n 20, seed 0." in path.read_text()
