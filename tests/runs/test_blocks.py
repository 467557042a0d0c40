"""A fit whose rows belong together or follow one another: the folds are those that a person would draw."""

import numpy as np
import pandas as pd
import pytest

from commands import call
from finished_runs import CONFIG, FLAGS, OPTIONS, two_numbers
from isthmus.data import dataset_from_arrays
from isthmus.data.block_splitting import block_parts
from isthmus.data.row_blocks import row_blocks
from isthmus.runs import load_run, run_fit
from isthmus.selection import seed_from, select_rank
from isthmus.selection.folds import folds_of

X, Y = two_numbers(60)
PERSON = np.arange(60) * 7 % 12


def test_groups_are_the_parts_that_select_rank_takes(tmp_path):
    dataset = dataset_from_arrays(X, Y, groups=PERSON, test=0.0)
    record = run_fit(dataset, OPTIONS, tmp_path / "r")
    parts = block_parts(row_blocks(PERSON, None, 60), folds=3, default=5, seed=seed_from(0))
    splits = [(np.flatnonzero(parts != each), np.flatnonzero(parts == each)) for each in range(3)]
    found = select_rank(X, Y, config=CONFIG, cv=splits, random_state=0)
    assert (record.rank, record.evidence.errors) == (found.rank, list(found.evidence.errors))
    drawn = select_rank(X, Y, config=CONFIG, cv=3, random_state=0)
    assert record.evidence.errors != list(drawn.evidence.errors)


def test_every_fold_learns_from_the_past(tmp_path, monkeypatch):
    seen = []

    def watched(sample, cv, seed):
        folds = folds_of(sample, cv, seed)
        seen.append((sample, folds))
        return folds

    monkeypatch.setattr("isthmus.selection.procedure.folds_of", watched)
    when = np.random.default_rng(0).permutation(60).astype(float)
    dataset = dataset_from_arrays(X, Y, times=when, test=0.1)
    record = run_fit(dataset, OPTIONS, tmp_path / "r")
    (sample, folds), moment = seen[0], {row.tobytes(): t for row, t in zip(X, when, strict=True)}
    of_row = np.array([moment[row.tobytes()] for row in sample.x])
    assert of_row.max() < when[dataset.split.test].min()
    assert record.evidence.folds == 3
    assert len(folds) == 3
    for trained, held_out in folds:
        assert of_row[trained].max() < of_row[held_out].min()


@pytest.mark.parametrize("option", ["--group", "--time"])
def test_the_command_takes_a_column(tmp_path, monkeypatch, capsys, option):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "who": PERSON, "y": Y[:, 0], "z": Y[:, 1]})
    frame.to_csv("t.csv", index=False)
    command = ["fit", "t.csv", "--target", "y,z", option, "who", *FLAGS, "--ridge", "0.02", "--out", "r"]
    status, out, err = call(capsys, *command)
    assert (status, err) == (0, "")
    assert f"{option.strip('-')} who" in " ".join(out.split())
    data = load_run("r").record.data
    assert data.input_names == ["a", "b", "c"]
    assert {"name": "who", "kind": option.strip("-"), "detail": ""} in [each.model_dump() for each in data.columns]
    status, _, err = call(capsys, *command[:-4], "--ridge", "0.02", "--out", "s", "--weights", "who")
    assert (status, err.count("\n")) == (2, 1)
