"""Splits of awkward data: small classes, tiny shares, signed zeros, splits that come with the data."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data import Split, dataset_from_arrays, load_dataset
from isthmus.data.splitting import split_rows
from isthmus.errors import OptionError, ShapeError, TooFewRowsError

shares = st.floats(0.02, 0.45)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(3, 9), min_size=10, max_size=30), shares, shares, st.integers(0, 1000))
def test_small_classes_are_all_trained_on_and_no_part_is_empty(sizes, validation, test, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    x = np.random.default_rng(seed).standard_normal((len(labels), 2))
    split, _ = split_rows(x, labels, validation=validation, test=test, seed=seed)
    parts = [split.train.tolist(), split.validation.tolist(), split.test.tolist()]
    assert all(parts)
    assert Counter(parts[0] + parts[1] + parts[2]) == Counter(range(len(labels)))
    assert {int(labels[row]) for row in parts[0]} == set(range(len(sizes)))


def test_classes_of_three_rows_leave_the_stated_share_held_out():
    x = np.random.default_rng(0).standard_normal((60, 2))
    data = dataset_from_arrays(x, np.arange(60) // 3, task="classification")
    assert [len(p) for p in (data.split.train, data.split.validation, data.split.test)] == [42, 9, 9]


def test_the_smallest_shares_of_the_fewest_rows_hold_one_row_out():
    x = np.random.default_rng(0).standard_normal((20, 2))
    split, _ = split_rows(x, None, validation=0.02, test=0.02, seed=0)
    assert (len(split.train), len(split.validation), len(split.test)) == (18, 1, 1)


def test_zero_and_minus_zero_are_equal_inputs():
    x = np.random.default_rng(0).standard_normal((30, 2))
    both = np.concatenate([np.c_[x, np.zeros(30)], np.c_[x, -np.zeros(30)]])
    split, duplicates = split_rows(both, None, validation=0.2, test=0.2, seed=0)
    assert duplicates == 30
    assert {row % 30 for row in split.train.tolist()}.isdisjoint(row % 30 for row in split.test.tolist())


def test_classes_of_repeated_rows_cannot_be_held_out():
    x = np.repeat(np.random.default_rng(0).standard_normal((25, 2)), 3, 0)
    with pytest.raises(TooFewRowsError, match="one of each class set aside for training, has 0 rows"):
        dataset_from_arrays(x, np.arange(75) // 3, task="classification")


X = np.random.default_rng(1).standard_normal((40, 2))
BAD_SPLITS = {
    "beyond the rows": (([0, 1, 40], [2], [3]), "split.train holds row 0 to 40 of 40 rows"),
    "below zero": (([0, 1], [-1], [3]), "split.validation holds row -1"),
    "shared": (([0, 1], [2], [1]), "share a row"),
    "empty": (([0, 1], [2], []), "split.test must be a non-empty vector"),
    "not indices": (([0, 1], [2.5], [3]), "split.validation must be a non-empty vector of row indices"),
}


@pytest.mark.parametrize("name", BAD_SPLITS)
def test_splits_that_do_not_fit_are_refused(name):
    parts, message = BAD_SPLITS[name]
    with pytest.raises(ShapeError, match=message):
        dataset_from_arrays(X, X, split=Split(*map(np.array, parts)))


def test_a_split_that_fits_is_kept():
    split = Split(np.arange(30), np.arange(30, 35), np.arange(35, 40))
    assert dataset_from_arrays(X, X, split=split).split is split


@pytest.mark.parametrize("seed", [-1, 0.5, "1", True, None])
def test_seeds_that_are_not_whole_numbers_are_refused(seed):
    with pytest.raises(OptionError, match=r"--seed is .* a whole number"):
        load_dataset("curve", seed=seed)
    with pytest.raises(OptionError, match="--seed is"):
        dataset_from_arrays(X, seed=seed)
