"""Equal rows as one that counts more, and rows that are held out of few."""

from collections import Counter

import numpy as np
import pytest

from isthmus.data import folded_rows, merged_rows
from isthmus.errors import OptionError, TooFewRowsError


def integers(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(-1, 2, (n, 2)).astype(float), rng.integers(0, 3, n), rng.integers(0, 4, n).astype(float)


@pytest.mark.parametrize("kind", ["labels", "outputs", "inputs"])
def test_merged_rows_are_those_that_a_dictionary_counts(kind):
    x, labels, weights = integers()
    y = {"labels": labels, "outputs": np.stack([labels, -labels], 1) / 2.0, "inputs": x}[kind]
    counted = Counter()
    for row, target, weight in zip(x, y, weights, strict=True):
        counted[(*(row + 0.0), *np.atleast_1d(target + 0.0))] += weight
    a, b, v = merged_rows(x, y, weights)
    assert (b is a) == (kind == "inputs")
    found = {(*r, *np.atleast_1d(t)): w for r, t, w in zip(a, b, v, strict=True)}
    assert found == {key: weight for key, weight in counted.items() if weight > 0}
    assert b.dtype == y.dtype


def test_neither_repetition_nor_order_changes_a_bit():
    x, labels, weights = integers()
    order = np.random.default_rng(1).permutation(60)
    counts = weights.astype(int)
    first = merged_rows(x, labels, weights)
    for other in (
        merged_rows(x[order], labels[order], weights[order]),
        merged_rows(x.repeat(counts, 0), labels.repeat(counts), np.ones(counts.sum())),
    ):
        assert all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_zero_has_one_sign():
    x, _, weights = merged_rows(np.array([[0.0], [-0.0]]), np.zeros((2, 1)), np.ones(2))
    assert len(x) == 1
    assert weights.tolist() == [2.0]


def test_every_row_is_held_out_once_and_every_class_in_its_share():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    x = np.random.default_rng(0).standard_normal((160, 3))
    folds = folded_rows(x, labels, folds=5, seed=0)
    assert sorted(np.concatenate([held_out for _, held_out in folds])) == list(range(160))
    for train, held_out in folds:
        assert sorted([*train, *held_out]) == list(range(160))
        assert np.bincount(labels[held_out]).tolist() == [20, 10, 2]
    again, other = (folded_rows(x, labels, folds=5, seed=seed)[0][1] for seed in (0, 1))
    assert np.array_equal(again, folds[0][1])
    assert not np.array_equal(other, folds[0][1])


@pytest.mark.parametrize("n", range(4, 12))
@pytest.mark.parametrize("folds", [2, 5, 99])
def test_few_rows_leave_two_on_either_side(n, folds):
    found = folded_rows(np.arange(n, dtype=float)[:, None], None, folds=folds, seed=n)
    assert len(found) == min(folds, n // 2)
    assert all(min(len(train), len(held_out)) >= 2 for train, held_out in found)


def test_equal_inputs_stay_together_and_every_class_is_trained_on():
    rng = np.random.default_rng(0)
    for seed in range(50):
        x = rng.integers(0, 25, (60, 1)).astype(float)
        labels = rng.integers(0, 6, 60)
        for train, held_out in folded_rows(x, labels, folds=3, seed=seed):
            assert not set(x[train, 0]) & set(x[held_out, 0])
            assert set(labels[train]) == set(labels)


def test_too_few_rows_are_refused():
    with pytest.raises(TooFewRowsError, match="equal inputs counted once, has 3 rows; at least 4"):
        folded_rows(np.array([[0.0], [0.0], [1.0], [1.0], [2.0]]), None, folds=5, seed=0)
    with pytest.raises(TooFewRowsError, match="one of each class set aside for training"):
        folded_rows(np.arange(6.0)[:, None], np.arange(6), folds=5, seed=0)
    with pytest.raises(OptionError, match="folds is 1"):
        folded_rows(np.arange(6.0)[:, None], None, folds=1, seed=0)
