"""Of very many rows some: what more of them would tell is not worth their time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Floats, Integers, Weights
from isthmus.errors import NonFiniteError

MOST_ROWS = 50_000
"""Different rows that are learned from and judged on; of more so many are drawn."""
_OF_A_CLASS = 10
_CHUNK = 65_536
_Words = NDArray[np.uint64]


def drawn_rows(x: Floats, y: Floats | Integers | None, weights: Weights) -> tuple[Integers | None, int]:
    """The rows to keep: all copies of about `MOST_ROWS` different rows at most, drawn by a hash of what they hold.

    So the draw does not depend on the order of the rows, nor on how often one is repeated. Rows are read a chunk at a
    time; memory grows by eight bytes a row. Of each class there are its share, and at least ten.

    Args:
        x: Inputs `(n, d_in)`; a memory map stays in its file.
        y: Outputs `(n, d_out)`, or class indices `(n,)`; None for an autoencoder.
        weights: `(n,)`; rows of weight 0 do not exist.

    Returns:
        Row numbers, ascending, and how many different rows there are; None for the numbers, and 0, where all are kept.

    Raises:
        NonFiniteError: If there are more than `MOST_ROWS` rows and an entry is NaN or infinite.
    """
    if len(x) <= MOST_ROWS:
        return None, 0
    hashes, is_counted = _hashes(x, y), weights > 0
    labels = y if y is not None and y.ndim == 1 else np.zeros(len(x), np.int64)
    _, first = np.unique(hashes[is_counted], return_index=True)  # in ascending order of the hashes
    different = len(first)
    if different <= MOST_ROWS:
        return None, 0
    counts = np.bincount(labels[is_counted][first])
    asked = np.maximum(np.ceil(MOST_ROWS * counts / different), np.minimum(counts, _OF_A_CLASS)).astype(np.int64)
    limits = np.zeros(len(counts), np.uint64)
    ordered, of_class = hashes[is_counted][first], labels[is_counted][first]
    for label in np.flatnonzero(counts):
        limits[label] = ordered[of_class == label][asked[label] - 1]
    return np.flatnonzero(is_counted & (hashes <= limits[labels])), different


def _hashes(x: Floats, y: Floats | Integers | None) -> _Words:
    """64 bits a row, equal where the rows are."""
    found: _Words = np.zeros(len(x), np.uint64)
    for begin in range(0, len(x), _CHUNK):
        words = found[begin : begin + _CHUNK]
        for side, what in ((x, "x"), (y, "y")):
            if side is not None:
                for column in _finite(side, begin, what).T:
                    words = _mixed(words ^ np.ascontiguousarray(column).view(np.uint64))
        found[begin : begin + _CHUNK] = words
    return found


def _finite(side: Floats | Integers, begin: int, what: str) -> NDArray[np.float64]:
    """Some rows, `(m, d)`, with one zero: −0.0 + 0.0 = 0.0, as in `merged_rows`."""
    part = np.asarray(side[begin : begin + _CHUNK], np.float64) + 0.0
    part = part[:, None] if part.ndim == 1 else part
    if not (is_finite := np.isfinite(part)).all():
        row, column = np.argwhere(~is_finite)[0].tolist()
        raise NonFiniteError(what, begin + row, column)
    return part


def _mixed(words: _Words) -> _Words:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), one-to-one: a bit changes about half of all."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
