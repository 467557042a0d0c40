"""Which rows train, decide and test: drawn at random, with equal inputs kept together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Floats, Integers, Split
from isthmus.data.merging import row_bytes
from isthmus.errors import OptionError, ShapeError, TooFewRowsError

LEAST_ROWS = 20
_LEAST_INPUTS, _LEAST_TRAINED = 4, 2  # two to train on and two to hold out


def split_rows(
    x: Floats, labels: NDArray[np.int64] | None, *, validation: float, test: float, seed: int
) -> tuple[Split, int]:
    """A random split in which rows with equal inputs fall into the same part, and every class into the training part.

    A duplicate in two parts would let the network be tested on what it was trained on. Classes too small to give
    each part a row are drawn together, so that no part is empty. A row that repeats the inputs of another class goes
    where the first of the equal rows goes.

    Args:
        x: Inputs `(n, d_in)`.
        labels: Class indices `(n,)`, to give each class its share of every part; None for other tasks.
        validation: Share of the rows, in [0.02, 0.45].
        test: Share of the rows, in [0.02, 0.45].
        seed: Of the draw.

    Returns:
        The split, and the number of rows that duplicate an earlier one.

    Raises:
        OptionError: If a share is out of range.
        TooFewRowsError: If there are fewer than 20 rows with different inputs, or too few to hold any out.
    """
    for name, share in (("--validation", validation), ("--test", test)):
        if not 0.02 <= share <= 0.45:
            raise OptionError(name, share, "a share of the rows between 0.02 and 0.45")
    _, first, group = np.unique(row_bytes(x), return_index=True, return_inverse=True)
    if len(first) < LEAST_ROWS:
        raise TooFewRowsError("The data, equal inputs counted once,", len(first), LEAST_ROWS)
    stratum = np.zeros(len(first), np.int64) if labels is None else labels[first]
    of_row = _parts(stratum, validation, test, np.random.default_rng(seed))[group.ravel()]
    parts = (np.flatnonzero(of_row == p).astype(np.int64) for p in range(3))
    return Split(*parts), len(x) - len(first)


def folded_rows(
    x: Floats, labels: NDArray[np.int64] | None, *, folds: int, seed: int
) -> list[tuple[Integers, Integers]]:
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


def parted_rows(x: Floats, labels: NDArray[np.int64] | None, parts: Integers) -> list[tuple[Integers, Integers]]:
    """As `folded_rows`, with parts that are given.

    Args:
        x: Inputs `(n, d_in)`.
        labels: Class indices `(n,)`; None for other tasks.
        parts: The part of each row, `(n,)`, the same for equal inputs; −1 for rows that are never held out.

    Raises:
        TooFewRowsError: If there are not two rows to train on, or not two to hold out beside one a class.
    """
    _, group = np.unique(row_bytes(x), return_inverse=True)
    found = _folds(parts, group.ravel(), labels)
    for trained, _ in found:
        if len(trained) < _LEAST_TRAINED:
            raise TooFewRowsError("What one of the parts leaves to train on", len(trained), _LEAST_TRAINED)
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
    if sum(len(held_out) for _, held_out in found) < 2:
        what = "What can be held out, equal inputs counted once and one of each class set aside for training,"
        remedy = "Provide more rows of each class, merge classes, or learn a number by regression"
        raise TooFewRowsError(what, sum(len(held_out) for _, held_out in found), 2, remedy)
    return found


def check_split(split: Split, rows: int) -> None:
    """Raise `ShapeError` unless the parts are non-empty, disjoint and hold indices of `rows` rows."""
    for what, part in (("train", split.train), ("validation", split.validation), ("test", split.test)):
        if part.ndim != 1 or part.dtype.kind not in "iu" or not part.size:
            raise ShapeError(f"split.{what} must be a non-empty vector of row indices. Give each part some rows.")
        if part.min() < 0 or part.max() >= rows:
            raise ShapeError(f"split.{what} holds row {part.min()} to {part.max()} of {rows} rows. Count rows from 0.")
    together = np.concatenate([split.train, split.validation, split.test])
    if len(np.unique(together)) < len(together):
        raise ShapeError("The parts of the split share a row. Put each row into one part, once.")


def check_seed(seed: int) -> None:
    """Raise `OptionError` unless `seed` can seed a generator."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise OptionError("--seed", seed, "a whole number ≥ 0")


def _parts(stratum: NDArray[np.int64], validation: float, test: float, rng: np.random.Generator) -> NDArray[np.int8]:
    """For each row 0 (train), 1 (validation) or 2 (test), with the same shares in each stratum."""
    part = np.zeros(len(stratum), np.int8)
    small: list[NDArray[np.int64]] = []
    for kind in np.unique(stratum):
        members = rng.permutation(np.flatnonzero(stratum == kind))
        n_validation, n_test = round(validation * len(members)), round(test * len(members))
        if min(n_validation, n_test, len(members) - n_validation - n_test) < 1:
            small.append(members)
            continue
        part[members[:n_validation]] = 1
        part[members[n_validation : n_validation + n_test]] = 2
    if small:
        # One row of each stays for training: a class that was never seen cannot be recognised.
        rest = rng.permutation(np.concatenate([members[1:] for members in small]))
        count = sum(len(members) for members in small)
        n_validation, n_test = max(1, round(validation * count)), max(1, round(test * count))
        if n_validation + n_test > len(rest):
            n_validation = round(len(rest) * validation / (validation + test))
        part[rest[:n_validation]] = 1
        part[rest[n_validation : n_validation + n_test]] = 2
    if len(np.unique(part)) < 3:
        what = "The data, equal inputs counted once and one of each class set aside for training,"
        raise TooFewRowsError(what, len(stratum) - len(np.unique(stratum)), 2)
    return part


def consecutive(*sizes: int) -> Split:
    """Rows in order: the first for training, the next for validation, the last for testing."""
    bounds = np.cumsum([0, *sizes])
    return Split(*(np.arange(a, b, dtype=np.int64) for a, b in pairwise(bounds)))
