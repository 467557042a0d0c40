"""Options name a fit: what decides its outcome is in the key, and what does not is not."""

from dataclasses import fields, replace

import numpy as np
import pytest

from finished_runs import CONFIG, OPTIONS, two_numbers
from isthmus.data import Dataset, dataset_from_arrays
from isthmus.data.dataset import Defaults
from isthmus.errors import OptionError
from isthmus.runs import RunOptions
from isthmus.selection import SelectionConfig
from isthmus.training import Schedule

X, Y = two_numbers()
DATA = dataset_from_arrays(X, Y, name="a.npz")
CHANGES = {
    "depth": 4,
    "ridge": 0.5,
    "width": 9,
    "activation": "absolute",
    "standardize": "none",
    "tolerance": 0.2,
    "n_init": 2,
    "schedule": replace(CONFIG.schedule, rounds=7),
    "max_folds": 2,
    "device": "meta",
}


def key(options=OPTIONS, data=DATA):
    return options.key(data)


@pytest.mark.parametrize("name", [field.name for field in fields(SelectionConfig)])
def test_every_field_of_the_configuration_is_in_the_key(name):
    assert key(replace(OPTIONS, config=replace(CONFIG, **{name: CHANGES[name]}))) != key()


@pytest.mark.parametrize("name", [field.name for field in fields(Schedule)])
def test_so_is_every_field_of_the_schedule(name):
    schedule = CONFIG.schedule
    object.__setattr__(changed := replace(schedule), name, "another")
    assert key(replace(OPTIONS, config=replace(CONFIG, schedule=changed))) != key()


@pytest.mark.parametrize("change", [{"cv": 4}, {"cv": None}, {"seed": 1}, {"path": True}])
def test_so_are_folds_seed_and_path(change):
    assert key(replace(OPTIONS, **change)) != key()


def test_so_are_the_rows_their_split_and_their_weights():
    others = [
        dataset_from_arrays(X, Y + 1e-12),
        dataset_from_arrays(X, Y, seed=1),
        dataset_from_arrays(X, Y, test=0.0),
        dataset_from_arrays(X, Y, weights=np.arange(1.0, 61.0)),
    ]
    assert len({key(data=data) for data in (DATA, *others)}) == 5


def test_so_is_the_task():
    outputs = dataset_from_arrays(X, X, test=0.0)
    inputs = dataset_from_arrays(X, test=0.0)
    for asked in ({}, {"task": "regression"}):
        options = replace(OPTIONS, data=asked)
        assert key(options, outputs) != key(options, inputs)


def test_where_the_data_came_from_and_how_they_were_named_is_not():
    named = replace(OPTIONS, command=("isthmus", "fit", "b.npz"), data={"target": ["y"], "missing": "refuse"})
    assert key(named, replace(DATA, name="b.npz", notes=("read anew",))) == key()
    assert named.record(DATA)["target"] == ["y"]


def test_the_version_is_in_the_key(monkeypatch):
    before = key()
    monkeypatch.setattr("isthmus.runs.options.version", lambda name: "9.9.9")
    assert key() != before


def test_the_edition_of_records_is_in_the_key(monkeypatch):
    """Folds that another edition has left are not gone on with."""
    before = key()
    monkeypatch.setattr("isthmus.runs.options.RECORD_VERSION", 0)
    assert key() != before


def test_what_the_data_carry_takes_the_place_of_defaults_alone():
    carrying = replace(DATA, shares_unit=True, defaults=Defaults({"width": 30, "ridge": 0.02}))
    assert isinstance(carrying, Dataset)
    plain = RunOptions().for_data(carrying).config
    assert (plain.width, plain.ridge, plain.standardize) == (30, 0.02, "global")
    asked = RunOptions(SelectionConfig(width=9, standardize="none")).for_data(carrying).config
    assert (asked.width, asked.ridge, asked.standardize) == (9, 0.02, "none")
    assert RunOptions().for_data(DATA).config == SelectionConfig()
    assert RunOptions().key(carrying) != RunOptions().for_data(carrying).key(carrying)


def test_a_record_of_options_is_plain_and_repeats_them():
    record = replace(OPTIONS, config=replace(CONFIG, depth=(3, 6))).record(DATA)
    assert (record["data"], record["task"], record["cv"], record["seed"]) == ("a.npz", "regression", 3, 0)
    assert record["depth"] == [3, 6]
    again = {name: record[name] for name in (field.name for field in fields(SelectionConfig))}
    found = SelectionConfig(**{**again, "depth": tuple(again["depth"]), "schedule": Schedule(**again["schedule"])})
    assert found == replace(CONFIG, depth=(3, 6))


def test_impossible_options_are_refused():
    with pytest.raises(OptionError, match="cv is 1 but must be at least 2"):
        RunOptions(cv=1)
    with pytest.raises(OptionError, match=r"ridge is 0\.0 but must be above 0 for a path"):
        RunOptions(SelectionConfig(ridge=0.0), path=True)
