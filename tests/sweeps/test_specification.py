"""Grids: every combination once, and what is wrong with a specification in one sentence before anything runs."""

import inspect
import json
from dataclasses import replace

import pytest

from isthmus.data import TableFormat, load_dataset
from isthmus.errors import (
    FileFormatError,
    FileMissingError,
    IsthmusError,
    OptionError,
    UnknownActivationError,
    UnknownNameError,
)
from isthmus.selection import SelectionConfig
from isthmus.sweeps import read_specification
from isthmus.sweeps import specification as specifications

GRID = """
data = ["curve", "teacher:d=6"]
seeds = [0, 7]
test = 0.0
[options]
width = [4, 8]
depth = [[3, 6], 4]
cv = 3
schedule.steps = 20
"""


@pytest.fixture
def read(tmp_path):
    def reader(text):
        path = tmp_path / "spec.toml"
        path.write_text(text)
        return read_specification(path)

    return reader


def test_the_cells_are_every_combination_once(read):
    found = read(GRID)
    assert dict(found.axes) == {
        "data": ("curve", "teacher:d=6"),
        "seed": (0, 7),
        "width": (4, 8),
        "depth": ([3, 6], 4),
    }
    assert [cell.number for cell in found.cells] == list(range(16))
    assert len({json.dumps(cell.settings) for cell in found.cells}) == 16
    last = found.cells[-1]
    assert last.settings == {"data": "teacher:d=6", "seed": 7, "width": 8, "depth": 4, "cv": 3, "steps": 20}
    assert (last.source, last.seed, last.cv, last.loading) == ("teacher:d=6", 7, 3, {"test": 0.0})
    default = SelectionConfig()
    assert last.config == replace(default, width=8, depth=4, schedule=replace(default.schedule, steps=20))
    assert found.cells[0].config.depths == (3, 6)


def test_parameters_are_those_of_the_built_in_data(read):
    found = read('data = "teacher:d=6"\n[parameters]\nk = [1, 2]\nnoise = 0.5\nwidth = 9\n[options]\nwidth = 5')
    assert [cell.source for cell in found.cells] == [f"teacher:d=6,k={k},noise=0.5,width=9" for k in (1, 2)]
    # Two names that end alike are told apart by their tables.
    assert found.cells[0].settings["parameters.width"] == 9
    assert found.cells[0].settings["options.width"] == 5


def test_a_file_is_named_by_its_whole_path_and_known_by_its_content(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    first = read('data = "t.csv"\ntarget = "b"')
    assert first.cells[0].source == str(tmp_path / "t.csv")
    assert first.cells[0].settings["data"] == "t.csv"
    assert read('data = "t.csv"\ntarget = "b"').identity == first.identity
    assert read('data = "t.csv"\ntarget = "a"').identity != first.identity
    (tmp_path / "t.csv").write_text("a,b\n1,3\n")
    assert read('data = "t.csv"\ntarget = "b"').identity != first.identity


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("data = 'curve'\nseed = [1]", UnknownNameError, r"no 'seed' in the specification. Did you mean seeds\?"),
        (
            "data = 'curve'\n[parameters]\nnosie = 1",
            UnknownNameError,
            r"no 'nosie' in \[parameters\] of curve. .*noise",
        ),
        ("data = 'curve'\n[parameters]\nseed = 1", UnknownNameError, "Use one of n, noise"),
        ("data = 'curve'\n[options]\nwidht = 1", UnknownNameError, r"no 'widht' in \[options\]. Did you mean width\?"),
        ("data = 'curve'\n[options]\nschedule.stepz = 1", UnknownNameError, r"Did you mean schedule.steps\?"),
        ("seeds = [1]", OptionError, "data is None but must be a name or a path"),
        ("data = []", OptionError, r"data is \[\] but must be .*the grid is empty"),
        ("data = 'curve'\nseeds = []", OptionError, r"seeds is \[\] .*the grid is empty"),
        ("data = 'curve'\n[options]\nwidth = []", OptionError, "options.width .*the grid is empty"),
        ("data = 'curve'\nseeds = [1, 1]", OptionError, "different values"),
        ("data = 'curve'\nseeds = [0.5]", OptionError, "seeds is 0.5 but must be whole numbers"),
        ("data = 'curve'\nseeds = [-1]", IsthmusError, "-1"),
        ("data = 'curve'\noptions = 3", OptionError, r"options is 3 but must be a table, \[options\]"),
        ("data = 'curve'\n[options]\nwidth = 'a'", OptionError, "options.width is 'a' but must be a valid integer"),
        ("data = 'curve'\n[options]\nwidth = true", OptionError, "options.width is True but must be a valid integer"),
        ("data = 'curve'\n[options]\nwidth = 0", OptionError, "width is 0 but must be at least 1"),
        ("data = 'curve'\n[options]\ntolerance = 2", OptionError, "tolerance is 2"),
        ("data = 'curve'\n[options]\nschedule.steps = 1.5", OptionError, "options.schedule.steps is 1.5"),
        ("data = 'curve'\n[options]\nactivation = 'tanh'", UnknownActivationError, "tanh"),
        ("data = 'curve'\nsep = 'ab'", OptionError, "--sep is 'ab' but must be one character"),
        ("data = 'curve'\nskip_rows = 'a'", OptionError, "skip_rows is 'a' but must be a valid integer"),
        ("data = 'curve'\nheader = 2020-01-01", OptionError, "header is '2020-01-01' but must be a valid boolean"),
        ("data = 'curve'\n[options]\ncv = 1", OptionError, "options.cv is 1"),
        ("data = 'curve'\n[options]\nwidth = 2020-01-01", OptionError, r"\[options\] .* numbers, texts and lists"),
        ("data = 'nowhere.csv'", FileMissingError, "There is no nowhere.csv"),
        ("data = 'curve:n=30'\n[parameters]\nn = 40", OptionError, "parameters.n is 40 but must be given once"),
        ("data = 3", OptionError, "data is 3"),
        ("data = 'cur", FileFormatError, "not valid TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence_before_anything_runs(read, text, kind, message):
    with pytest.raises(kind, match=message):
        read(text)


def test_parameters_of_a_file_are_refused(read, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(OptionError, match=r"\[parameters\] is 'n' but must be left out"):
        read(f"data = '{tmp_path / 't.csv'}'\n[parameters]\nn = 3")


def test_every_argument_that_loads_data_can_be_given(read):
    arguments = set(inspect.signature(load_dataset).parameters) - {"source", "seed", "told", "report"}
    assert set(specifications._LOADING) == arguments
    found = read('data = "curve"\ngroup = "person"\nsep = "tab"\nheader = false').cells[0].loading
    assert found == {"group": "person", "told": TableFormat(sep="tab", header=False)}
