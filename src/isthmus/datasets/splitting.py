"""Which rows train, decide and test: drawn at random, with equal inputs kept together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.datasets.dataset import Floats, Split
from isthmus.errors import OptionError, TooFewRowsError

LEAST_ROWS = 20


def split_rows(
    x: Floats, labels: NDArray[np.int64] | None, *, validation: float, test: float, seed: int
) -> tuple[Split, int]:
    """A random split in which rows with equal inputs fall into the same part, and every class into the training part.

    A duplicate in two parts would let the network be tested on what it was trained on.

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
        TooFewRowsError: If there are fewer than 20 rows with different inputs.
    """
    for name, share in (("--validation", validation), ("--test", test)):
        if not 0.02 <= share <= 0.45:
            raise OptionError(name, share, "a share of the rows between 0.02 and 0.45")
    rows = np.ascontiguousarray(x)
    as_bytes = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, group = np.unique(as_bytes, return_index=True, return_inverse=True)
    if len(first) < LEAST_ROWS:
        raise TooFewRowsError("The data, equal inputs counted once,", len(first), LEAST_ROWS)
    rng = np.random.default_rng(seed)
    stratum = np.zeros(len(first), np.int64) if labels is None else labels[first]
    part = np.zeros(len(first), np.int8)  # 0 train, 1 validation, 2 test
    for kind in np.unique(stratum):
        members = rng.permutation(np.flatnonzero(stratum == kind))
        n_validation, n_test = round(validation * len(members)), round(test * len(members))
        part[members[:n_validation]] = 1
        part[members[n_validation : n_validation + n_test]] = 2
    of_row = part[group.ravel()]
    parts = (np.flatnonzero(of_row == p).astype(np.int64) for p in range(3))
    return Split(*parts), len(x) - len(first)


def consecutive(*sizes: int) -> Split:
    """Rows in order: the first for training, the next for validation, the last for testing."""
    bounds = np.cumsum([0, *sizes])
    return Split(*(np.arange(a, b, dtype=np.int64) for a, b in pairwise(bounds)))
