"""Which rows train, decide and test: drawn at random, with equal inputs kept together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.datasets.dataset import Floats, Integers, Split
from isthmus.datasets.merging import row_bytes
from isthmus.errors import OptionError, ShapeError, TooFewRowsError

LEAST_ROWS = 20
_LEAST_INPUTS = 4  # two to train on and two to hold out


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


def held_out_rows(x: Floats, labels: NDArray[np.int64] | None, *, share: float, seed: int) -> tuple[Integers, Integers]:
    """(training rows, held-out rows) of any number of rows from four on; for figures that need no third part.

    Of each class the same share is held out as far as it can be, one row of each is trained on, and rows with equal
    inputs stay together, as in `split_rows`.

    Args:
        x: Inputs `(n, d_in)`.
        labels: Class indices `(n,)`; None for other tasks.
        share: Of the different inputs, in (0, 1); at least two are held out, and at least two trained on.
        seed: Of the draw.

    Raises:
        OptionError: If the share is out of range.
        TooFewRowsError: If there are fewer than four different inputs, or not two to hold out beside one a class.
    """
    if not 0.0 < share < 1.0:
        raise OptionError("validation_fraction", share, "strictly between 0 and 1")
    _, first, group = np.unique(row_bytes(x), return_index=True, return_inverse=True)
    group, n = group.ravel(), len(first)
    if n < _LEAST_INPUTS:
        raise TooFewRowsError("The data, equal inputs counted once,", n, _LEAST_INPUTS)
    stratum = np.zeros(n, np.int64) if labels is None else labels[first]
    # The j-th of the m members of a class at j/m: the last ones are the same share of every class.
    order, places = np.random.default_rng(seed).permutation(n), np.empty(n)
    for kind in np.unique(stratum):
        members = order[stratum[order] == kind]
        places[members] = np.arange(len(members)) / len(members)
    last = order[np.argsort(places[order], kind="stable")][::-1][: min(max(2, round(share * n)), n - 2)]
    is_held_out = np.zeros(n, np.bool_)
    is_held_out[last[places[last] > 0]] = True
    if labels is not None:
        # Equal inputs of several classes: a class of which they are all there is must be trained on.
        unseen = ~np.isin(labels, labels[~is_held_out[group]])
        is_held_out[group[unseen]] = False
    if is_held_out.sum() < 2:
        what = "What can be held out, equal inputs counted once and one of each class set aside for training,"
        remedy = "Provide more rows of each class, merge classes, or learn a number by regression"
        raise TooFewRowsError(what, int(is_held_out.sum()), 2, remedy)
    of_row = is_held_out[group]
    return np.flatnonzero(~of_row).astype(np.int64), np.flatnonzero(of_row).astype(np.int64)


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
