"""Parts that are given instead of drawn, and rows and parts that are none."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit

from isthmus.data import folded_rows
from isthmus.data.sample import Sample
from isthmus.errors import DtypeError, NonFiniteError, OptionError, ShapeError, TooFewRowsError
from isthmus.selection import select_rank
from isthmus.selection.folds import folds_of, given_parts
from isthmus.selection.procedure import seed_from
from selection.quick import QUICK, assert_same, corners, curve, selected

CLASSES = {"task": "classification"}


def test_folds_that_are_given_are_those_that_are_drawn():
    x, y = curve()
    found = selected(x, y)
    sample = Sample.merged(x, y, np.ones(60), "regression")
    place = {row.tobytes(): at for at, row in enumerate(x)}
    back = np.array([place[row.tobytes()] for row in sample.x])  # the row that each merged row is
    folds = folded_rows(sample.x, None, folds=3, seed=seed_from(0))
    given = [(back[trained], back[held_out]) for trained, held_out in folds]
    assert_same(selected(x, y, cv=given), found, x)
    assert_same(selected(x, y, cv=iter(given)), found, x)


def test_rows_that_belong_together_are_held_out_together():
    """60 rows of 12 persons: a split of rows sees each person on both sides, one of persons does not."""
    x, y = curve()
    persons = np.arange(60) % 12
    splits = list(GroupKFold(3).split(x, groups=persons))
    sample = Sample.merged(x, y, np.ones(60), "regression")
    folds = folds_of(sample, given_parts(splits, sample, x, np.ones(60)), 0)
    person = {row.tobytes(): persons[at] for at, row in enumerate(x)}
    of_row = np.array([person[row.tobytes()] for row in sample.x])
    for (trained, held_out), (_, expected) in zip(folds, splits, strict=True):
        assert not set(of_row[trained]) & set(of_row[held_out])
        assert sorted(map(bytes, sample.x[held_out])) == sorted(map(bytes, x[expected]))
    assert selected(x, y, cv=splits).evidence.folds == 3


def test_equal_rows_go_where_the_first_of_them_goes_that_counts():
    x = np.array([[0.0], [1.0], [2.0], [0.0], [1.0], [3.0]])
    y, weights = np.arange(6.0)[:, None], np.array([0.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    splits = [([0, 1, 2], [3, 4, 5]), ([3, 4, 5], [0, 1, 2])]
    sample = Sample.merged(x, y, weights, "regression")
    parts = given_parts(splits, sample, x, weights)
    assert dict(zip(sample.x[:, 0], parts, strict=True)) == {0.0: 0, 1.0: 1, 2.0: 1, 3.0: 0}
    assert (parts[sample.x[:, 0] == 1.0] == 1).all()  # both of them: y differs
    splits[1] = ([1, 3, 4, 5, 0], [2])
    found = dict(zip(sample.x[:, 0], given_parts(splits, sample, x, weights), strict=True))
    assert found == {0.0: 0, 1.0: -1, 2.0: 1, 3.0: 0}  # rows 0 and 1 are never held out


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        (21, OptionError, "cv is 21 but must be between 2 and 20: two different inputs for each part"),
        (1, OptionError, "cv is 1 but must be between 2 and 20"),
        (0, OptionError, "cv is 0 but must be between 2 and 20"),
        ("five", OptionError, "cv is 'five' but must be a whole number, or pairs of rows"),
        (2.0, OptionError, r"cv is 2\.0 but must be a whole number, or pairs"),
        ([1, 2], OptionError, r"cv is \[1, 2\] but must be a whole number, or pairs"),
        ([([0, 1], [2, 3])], OptionError, "cv is 'split 0' but must be all rows, some to train on"),
        (TimeSeriesSplit(3).split(range(60)), OptionError, "cv is 'split 0' but must be all rows"),
        (ShuffleSplit(3, random_state=0).split(range(60)), OptionError, "cv is 'split 1' but must be free of rows"),
        ([(range(0), range(60))], TooFewRowsError, r"leaves to train on.* 0 rows.*at least 2"),
        ([(range(60), range(0))], TooFewRowsError, "What can be held out"),
    ],
)
def test_parts_that_are_none_are_refused(cv, error, message):
    x, y = curve()
    x[40:] = x[:20]  # 60 rows, 40 different inputs
    with pytest.raises(error, match=message):
        selected(x, y, cv=cv)


def test_a_splitter_that_is_passed_on_by_its_splits_leaves_no_class_untrained():
    x, y = corners(30)
    y[0] = 3  # a class of one row, which is never held out
    found = selected(x, y, task="classification", cv=KFold(3).split(x))
    assert found.evidence.rows == 29
    assert found.predict(torch.tensor(x)).shape == (30, 4)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": None}, ShapeError, "y is missing. Pass the outputs, or task='autoencoder'"),
        ({"y": np.zeros(59)}, ShapeError, "x has 60 rows and y has 59"),
        ({"y": np.full(60, np.nan)}, NonFiniteError, "y holds NaN"),
        ({"x": np.full((60, 2), "a")}, DtypeError, "x has dtype"),
        ({"sample_weight": np.ones(59)}, ShapeError, "one weight a row is needed"),
        ({"task": "regresion"}, OptionError, "task is 'regresion' but must be 'regression' or"),
        (CLASSES, ShapeError, "y has 2 columns; a classification needs one class index"),
        ({**CLASSES, "y": ["cat", "dog"] * 30}, OptionError, "y is 'cat' but must be class indices from 0"),
        ({**CLASSES, "y": np.arange(60) / 2}, OptionError, r"y is '0, 0\.5, 1, 1\.5, 2, …' but must be class indices"),
        ({**CLASSES, "y": 2 * (np.arange(60) % 2)}, OptionError, "y is '0, 2' but must be class indices from 0"),
        (
            {**CLASSES, "y": np.arange(60) % 2 - 1},
            OptionError,
            "RankClassifier takes labels of any kind",
        ),
        ({**CLASSES, "y": [0, 1, 1] * 20, "sample_weight": [0, 1, 1] * 20}, OptionError, "y is '1' but must be"),
        ({"x": np.repeat(np.eye(3), 20, 0)}, TooFewRowsError, "equal inputs counted once, has 3 rows; at least 4"),
    ],
)
def test_rows_that_are_none_are_refused(change, error, message):
    x, y = curve()
    given = {"x": x, "y": y, "config": QUICK, "cv": 3, **change}
    with pytest.raises(error, match=message):
        select_rank(given.pop("x"), given.pop("y"), **given)
