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


@settings(max_examples=80)
@given(st.lists(st.integers(3, 9), min_size=10, max_size=30), shares, st.integers(0, 1000))
def test_small_classes_are_all_trained_on_and_no_part_is_empty(sizes, test, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    x = np.random.default_rng(seed).standard_normal((len(labels), 2))
    split, _ = split_rows(x, labels, test=test, seed=seed)
    parts = [split.train.tolist(), split.test.tolist()]
    assert all(parts)
    assert Counter(parts[0] + parts[1]) == Counter(range(len(labels)))
    assert {int(labels[row]) for row in parts[0]} == set(range(len(sizes)))


def test_classes_of_three_rows_leave_the_stated_share_held_out():
    x = np.random.default_rng(0).standard_normal((60, 2))
    data = dataset_from_arrays(x, np.arange(60) // 3, task="classification")
    assert (len(data.split.train), len(data.split.test)) == (51, 9)


def test_the_smallest_shares_of_the_fewest_rows_hold_one_row_out():
    x = np.random.default_rng(0).standard_normal((20, 2))
    split, _ = split_rows(x, None, test=0.02, seed=0)
    assert (len(split.train), len(split.test)) == (19, 1)


@pytest.mark.parametrize("load", [load_dataset, lambda source, **options: dataset_from_arrays(X, X, **options)])
def test_without_test_rows_every_row_trains(load):
    data = load("curve", test=0)
    assert data.split.train.tolist() == list(range(len(data.x)))
    assert data.split.test.tolist() == []
    assert data.split.test.dtype == np.int64
    assert data.sha256 != load("curve").sha256


def test_equal_inputs_are_said_whether_rows_are_set_aside_or_not():
    twice = np.concatenate([X, X])
    assert any("equal inputs are kept in one part" in note for note in dataset_from_arrays(twice).notes)
    assert "40 rows repeat the inputs of another row." in dataset_from_arrays(twice, test=0).notes


def test_rows_of_weight_zero_are_trained_on_and_count_for_nothing():
    x = np.random.default_rng(0).standard_normal((90, 2))
    weights = np.repeat([0.0, 2.0], [60, 30])
    split, duplicates = split_rows(np.concatenate([x[60:], x[:60][30:], x[60:]]), None, test=0.3, seed=0,
                                   weights=weights)  # fmt: skip
    assert duplicates == 0
    assert len(split.test) == 9
    assert split.test.min() >= 60
    with pytest.raises(TooFewRowsError, match="equal inputs counted once, has 19 rows"):
        split_rows(x, None, test=0, seed=0, weights=np.repeat([1.0, 0.0], [19, 71]))


def test_zero_and_minus_zero_are_equal_inputs():
    x = np.random.default_rng(0).standard_normal((30, 2))
    both = np.concatenate([np.c_[x, np.zeros(30)], np.c_[x, -np.zeros(30)]])
    split, duplicates = split_rows(both, None, test=0.2, seed=0)
    assert duplicates == 30
    assert {row % 30 for row in split.train.tolist()}.isdisjoint(row % 30 for row in split.test.tolist())


def test_classes_of_repeated_rows_cannot_be_held_out():
    x = np.repeat(np.random.default_rng(0).standard_normal((25, 2)), 3, 0)
    message = "one of each class left for training, has 0 rows; at least 1 is needed.*set none aside with --test 0"
    with pytest.raises(TooFewRowsError, match=message):
        dataset_from_arrays(x, np.arange(75) // 3, task="classification")
    assert dataset_from_arrays(x, np.arange(75) // 3, task="classification", test=0).n_outputs == 25


X = np.random.default_rng(1).standard_normal((40, 2))
BAD_SPLITS = {
    "beyond the rows": (([0, 1, 40], [2]), "split.train holds row 0 to 40 of 40 rows"),
    "below zero": (([0, 1], [-1]), "split.test holds row -1"),
    "shared": (([0, 1], [2, 1]), "share a row"),
    "empty": (([], [2]), "split.train is empty"),
    "not indices": (([0, 1], [2.5]), "split.test must be a vector of row indices"),
    "not a vector": (([[0, 1]], [2]), "split.train must be a vector of row indices"),
    "a mask": (([True, False], [2]), "split.train must be a vector of row indices"),
}


@pytest.mark.parametrize("name", BAD_SPLITS)
def test_splits_that_do_not_fit_are_refused(name):
    parts, message = BAD_SPLITS[name]
    with pytest.raises(ShapeError, match=message):
        dataset_from_arrays(X, X, split=Split(*map(np.array, parts)))


def test_a_split_that_fits_is_kept():
    split = Split(np.arange(30), np.arange(35, 40))
    assert dataset_from_arrays(X, X, split=split).split is split
    kept = dataset_from_arrays(X, X, split=Split(np.arange(30, dtype=np.int32), np.array([]))).split
    assert kept.train.tolist() == list(range(30))
    assert (kept.test.size, kept.train.dtype, kept.test.dtype) == (0, np.int64, np.int64)


@pytest.mark.parametrize("seed", [-1, 0.5, "1", True, None])
def test_seeds_that_are_not_whole_numbers_are_refused(seed):
    with pytest.raises(OptionError, match=r"--seed is .* a whole number"):
        load_dataset("curve", seed=seed)
    with pytest.raises(OptionError, match="--seed is"):
        dataset_from_arrays(X, seed=seed)
