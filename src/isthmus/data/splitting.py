"""Which rows train and which test: drawn at random, with equal inputs kept together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Floats, Integers, Split, Weights
from isthmus.data.merging import row_bytes
from isthmus.errors import OptionError, ShapeError, TooFewRowsError

LEAST_ROWS = 20
_LEAST_INPUTS, _LEAST_TRAINED = 4, 2  # two to train on and two to hold out


def split_rows(
    x: Floats, labels: Integers | None, *, test: float, seed: int, weights: Weights | None = None
) -> tuple[Split, int]:
    """A random split in which rows with equal inputs fall into the same part, and every class into the training part.

    A duplicate in two parts would let the network be tested on what it was trained on. Classes too small to give a
    row for testing are drawn together. A row that repeats the inputs of another class goes where the first of the
    equal rows goes, and rows of weight zero, which nothing depends on, go to the training part.

    Args:
        x: Inputs `(n, d_in)`.
        labels: Class indices `(n,)`, to give each class its share of the test part; None for other tasks.
        test: Share of the rows, in [0.02, 0.45]; 0 sets none aside.
        seed: Of the draw.
        weights: How much each row counts, `(n,)`; None where all count the same.

    Returns:
        The split, and the number of rows that duplicate an earlier one.

    Raises:
        OptionError: If the share is out of range.
        TooFewRowsError: If there are fewer than 20 rows with different inputs, or none can be set aside.
    """
    check_share(test)
    counted = np.arange(len(x)) if weights is None else np.flatnonzero(weights > 0)
    _, first, group = np.unique(row_bytes(x[counted]), return_index=True, return_inverse=True)
    if len(first) < LEAST_ROWS:
        raise TooFewRowsError("The data, equal inputs counted once,", len(first), LEAST_ROWS)
    is_test = np.zeros(len(x), bool)
    if test:
        stratum = np.zeros(len(first), np.int64) if labels is None else labels[counted[first]]
        is_test[counted] = _set_aside(stratum, test, np.random.default_rng(seed))[group.ravel()]
    split = Split(np.flatnonzero(~is_test).astype(np.int64), np.flatnonzero(is_test).astype(np.int64))
    return split, len(counted) - len(first)


def folded_rows(x: Floats, labels: Integers | None, *, folds: int, seed: int) -> list[tuple[Integers, Integers]]:
    """(training rows, held-out rows) of each fold: every row is held out once, if one of its class is left to train on.

    Rows with equal inputs are in the same fold, each class is spread evenly over the folds, and each fold trains on
    every class: a row without which its class would be missing is never held out.

    Args:
        x: Inputs `(n, d_in)`.
        labels: Class indices `(n,)`; None for other tasks.
        folds: How many, at least 2; fewer where there are not two different inputs for each.
        seed: Of the draw.

    Raises:
        OptionError: If `folds` is below 2.
        TooFewRowsError: If there are fewer than four different inputs, or not two to hold out beside one a class.
    """
    if folds < 2:
        raise OptionError("folds", folds, "at least 2")
    _, first, group = np.unique(row_bytes(x), return_index=True, return_inverse=True)
    group, n = group.ravel(), len(first)
    if n < _LEAST_INPUTS:
        raise TooFewRowsError("The data, equal inputs counted once,", n, _LEAST_INPUTS)
    stratum = np.zeros(n, np.int64) if labels is None else labels[first]
    # Members of a class one after the other, the folds in turn: an even share of every class for each.
    order = np.random.default_rng(seed).permutation(n)
    order = order[np.argsort(stratum[order], kind="stable")]
    of_input = np.empty(n, np.int64)
    of_input[order] = np.arange(n) % min(folds, n // 2)
    return _folds(of_input[group], group, labels)


@dataclass(frozen=True, eq=False)
class Parts:
    """The part of each row, `(n,)`, the same for equal inputs; −1 for rows that are never held out.

    Where `is_forward`, a part is held out from networks that learn from the parts before it alone.
    """

    of_row: Integers
    is_forward: bool = False


def parted_rows(
    x: Floats, labels: NDArray[np.int64] | None, parts: Integers | Parts
) -> list[tuple[Integers, Integers]]:
    """As `folded_rows`, with parts that are given; of forward ones the last comes first, which learns from the most.

    Args:
        x: Inputs `(n, d_in)`.
        labels: Class indices `(n,)`; None for other tasks.
        parts: Of the rows, or the part of each.

    Raises:
        TooFewRowsError: If there are not two rows to train on, or not two to hold out beside one a class.
    """
    parts = parts if isinstance(parts, Parts) else Parts(parts)
    _, group = np.unique(row_bytes(x), return_inverse=True)
    found = _forward_folds(parts.of_row, labels) if parts.is_forward else _folds(parts.of_row, group.ravel(), labels)
    for trained, _ in found:
        if len(trained) < _LEAST_TRAINED:
            raise TooFewRowsError("What one of the parts leaves to train on", len(trained), _LEAST_TRAINED)
    return found


def _forward_folds(of_row: Integers, labels: NDArray[np.int64] | None) -> list[tuple[Integers, Integers]]:
    found = []
    for fold in range(int(of_row.max()), -1, -1):
        is_past, is_held_out = of_row < fold, of_row == fold
        if labels is not None:  # what was never seen cannot be recognised
            is_held_out &= np.isin(labels, labels[is_past])
        if is_held_out.any():
            found.append((np.flatnonzero(is_past).astype(np.int64), np.flatnonzero(is_held_out).astype(np.int64)))
    _check_held_out(found)
    return found


def _folds(of_row: Integers, group: Integers, labels: NDArray[np.int64] | None) -> list[tuple[Integers, Integers]]:
    """The folds of rows that are in these parts; `group` is the same for equal inputs."""
    found = []
    for fold in range(int(of_row.max()) + 1):
        is_held_out = of_row == fold
        if labels is not None:
            only = ~np.isin(labels, labels[~is_held_out])
            is_held_out &= ~np.isin(group, group[only])
        if is_held_out.any():
            found.append((np.flatnonzero(~is_held_out).astype(np.int64), np.flatnonzero(is_held_out).astype(np.int64)))
    _check_held_out(found)
    return found


def _check_held_out(found: list[tuple[Integers, Integers]]) -> None:
    if sum(len(held_out) for _, held_out in found) < 2:
        what = "What can be held out, equal inputs counted once and one of each class set aside for training,"
        remedy = "Provide more rows of each class, merge classes, or learn a number by regression"
        raise TooFewRowsError(what, sum(len(held_out) for _, held_out in found), 2, remedy)


def checked_split(split: Split, rows: int) -> Split:
    """The split with parts in int64: disjoint, of indices of `rows` rows, the first of them not empty.

    Raises:
        ShapeError: If it is not such a split.
    """
    for what, part in (("train", split.train), ("test", split.test)):
        if what == "train" and not part.size:
            raise ShapeError("split.train is empty. Give it the rows to learn from.")
        if part.ndim != 1 or (
            part.size and part.dtype.kind not in "iu"
        ):  # numpy.array([]) holds no indices, but is one
            raise ShapeError(f"split.{what} must be a vector of row indices, whole numbers from 0.")
        if part.size and (part.min() < 0 or part.max() >= rows):
            raise ShapeError(f"split.{what} holds row {part.min()} to {part.max()} of {rows} rows. Count rows from 0.")
    together = np.concatenate([split.train, split.test])
    if len(np.unique(together)) < len(together):
        raise ShapeError("The parts of the split share a row. Put each row into one part, once.")
    if split.train.dtype == split.test.dtype == np.int64:
        return split
    return Split(split.train.astype(np.int64), split.test.astype(np.int64))


def check_share(test: float) -> None:
    """Raise `OptionError` unless `test` is 0 or a share of the rows that can be set aside."""
    is_share = isinstance(test, int | float | np.floating) and (test == 0 or 0.02 <= test <= 0.45)
    if not is_share:
        raise OptionError("--test", test, "0, or a share between 0.02 and 0.45")


def check_seed(seed: int) -> None:
    """Raise `OptionError` unless `seed` can seed a generator."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise OptionError("--seed", seed, "a whole number ≥ 0")


def _set_aside(stratum: Integers, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of the different inputs `(n,)` test: the same share of each stratum, and at least one."""
    is_test = np.zeros(len(stratum), bool)
    small: list[Integers] = []
    for kind in np.unique(stratum):
        members = rng.permutation(np.flatnonzero(stratum == kind))
        count = round(share * len(members))
        is_test[members[:count]] = True
        if not count:
            small.append(members)
    if small:
        # One row of each stays for training: a class that was never seen cannot be recognised.
        rest = rng.permutation(np.concatenate([members[1:] for members in small]))
        count = max(1, round(share * sum(map(len, small))))
        is_test[rest[:count]] = True
    if not is_test.any():
        what = "What can be set aside, equal inputs counted once and one of each class left for training,"
        raise TooFewRowsError(what, 0, 1, "Provide more rows of each class, or set none aside with --test 0")
    return is_test


def consecutive(train: int, test: int) -> Split:
    """Rows in order: the first for training, the next for testing."""
    return Split(np.arange(train, dtype=np.int64), np.arange(train, train + test, dtype=np.int64))
