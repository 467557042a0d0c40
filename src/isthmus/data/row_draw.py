"""Of very many rows some: what more of them would tell is not worth their time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Floats, Integers, Weights
from isthmus.errors import NonFiniteError

MOST_ROWS = 50_000
"""Different rows that are learned from and judged on; of more so many are drawn."""
MOST_CLASSES = 1100
"""Of more classes not each is drawn from: from 1,001 on they are refused."""
_OF_A_CLASS = 10
_CHUNK = 65_536
Words = NDArray[np.uint64]

_ALL = np.uint64(2**64 - 1)
GAP = np.uint64(0x7FF8000000000000)  # the bits of NaN


@dataclass(frozen=True, eq=False)
class Drawn:
    """Rows that were drawn.

    Attributes:
        rows: Their numbers, ascending; of equal rows the first.
        weights: How much each counts, with the rows that equal it.
        repeats: How many rows of positive weight each stands for, itself and those that equal it.
        of: How many rows of positive weight they were drawn from; 0 where every different row is among them.
    """

    rows: Integers
    weights: Weights
    repeats: Integers
    of: int

    def note(self, rows: int) -> str:
        """What was done, of so many rows."""
        said = f"Of {self.of:,} rows {len(self.rows):,} different ones were drawn, by a hash of what they hold"
        if not self.of:
            said = f"{rows:,} rows hold {len(self.rows):,} different ones"
        return f"{said}; each counts as often as it is there."


class RowDraw:
    """`MOST_ROWS` different rows: the ten of least hash of every class, and of the others those of least hash.

    So the draw depends neither on the order of the rows nor on how often one is repeated, and as rows are added a block
    at a time memory does not grow with their number.
    """

    def __init__(self) -> None:
        self._hashes, self._classes = np.empty(0, np.uint64), np.empty(0, np.uint64)
        self._rows, self._weights = np.empty(0, np.int64), np.empty(0)
        self._repeats, self._is_of_class_draw = np.empty(0, np.int64), np.empty(0, bool)
        self._least = _ALL  # of all rows none above is drawn
        self._of_class = (np.empty(0, np.uint64), np.empty(0, np.uint64))  # of a class, none above this is
        self._counted, self._is_cut, self._has_classes = 0, False, True

    def add(self, rows: Integers, hashes: Words, weights: Weights, classes: Words | None = None) -> None:
        """Take the next rows into account; those of weight 0 do not exist.

        Args:
            rows: Their numbers `(m,)`, ascending.
            hashes: 64 bits of each, equal where rows are.
            weights: How much each counts.
            classes: Of each, where there are classes; if these are more than `MOST_CLASSES`, they do not matter.
        """
        is_counted = weights > 0
        if classes is None or not self._has_classes:
            classes = np.zeros(len(hashes), np.uint64)
        is_kept = is_counted & (hashes <= np.maximum(self._least, self._limits(classes)))
        self._is_cut |= not is_kept[is_counted].all()
        self._hashes = np.concatenate([self._hashes, hashes[is_kept]])
        self._classes = np.concatenate([self._classes, classes[is_kept]])
        self._weights = np.concatenate([self._weights, weights[is_kept]])
        self._repeats = np.concatenate([self._repeats, np.ones(int(is_kept.sum()), np.int64)])
        self._rows = np.concatenate([self._rows, rows[is_kept]])
        self._counted += int(is_counted.sum())
        if len(self._hashes) > 2 * MOST_ROWS:
            self._compact()

    def drawn(self) -> Drawn:
        """The draw from all rows that were added."""
        self._compact()
        others = MOST_ROWS - int(self._is_of_class_draw.sum())  # that have a place beside those of classes
        is_drawn = self._is_of_class_draw | (np.cumsum(~self._is_of_class_draw) <= others)
        is_cut = self._is_cut or not is_drawn.all()
        order = np.flatnonzero(is_drawn)[np.argsort(self._rows[is_drawn])]
        return Drawn(self._rows[order], self._weights[order], self._repeats[order], self._counted if is_cut else 0)

    def _limits(self, classes: Words) -> Words:
        """The hash up to which rows of these classes are among the ten least of theirs so far."""
        known, limits = self._of_class
        if not len(known):
            return np.full(len(classes), _ALL)
        place = np.minimum(np.searchsorted(known, classes), len(known) - 1)
        return np.where(known[place] == classes, limits[place], _ALL)

    def _compact(self) -> None:
        """Equal rows become one, and what cannot be drawn any more is let go of."""
        hashes, first, group = np.unique(self._hashes, return_index=True, return_inverse=True)
        classes, weights = self._classes[first], np.bincount(group, self._weights, len(first)).astype(np.float64)
        repeats = np.bincount(group, self._repeats, len(first)).astype(np.int64)
        if len(np.unique(classes)) > MOST_CLASSES:
            self._has_classes = False
        if not self._has_classes:
            classes = np.zeros_like(classes)
        known, of_row, sizes = np.unique(classes, return_inverse=True, return_counts=True)
        order = np.argsort(of_row, kind="stable")  # in each class by ascending hashes
        begin = np.cumsum(sizes) - sizes
        place = np.empty(len(hashes), np.int64)  # of a row in its class
        place[order] = np.arange(len(hashes)) - begin.repeat(sizes)
        tenth = hashes[order[begin + np.minimum(sizes, _OF_A_CLASS) - 1]] if len(hashes) else hashes
        self._of_class = known, np.where(sizes < _OF_A_CLASS, _ALL, tenth)
        is_of_class_draw = place < _OF_A_CLASS
        is_kept = (np.arange(len(hashes)) < MOST_ROWS) | is_of_class_draw
        if len(hashes) >= MOST_ROWS:
            self._least = hashes[MOST_ROWS - 1]
        self._is_cut |= not is_kept.all()
        self._hashes, self._classes = hashes[is_kept], classes[is_kept]
        self._rows, self._weights = self._rows[first[is_kept]], weights[is_kept]
        self._repeats, self._is_of_class_draw = repeats[is_kept], is_of_class_draw[is_kept]


def drawn_rows(x: Floats, y: Floats | Integers | None, weights: Weights) -> Drawn | None:
    """A draw from arrays, which are read a chunk at a time; None of `MOST_ROWS` rows and fewer, which are all taken.

    Args:
        x: Inputs `(n, d_in)`; a memory map stays in its file.
        y: Outputs `(n, d_out)`, or class indices `(n,)`; None for an autoencoder.
        weights: `(n,)`; rows of weight 0 do not exist.

    Raises:
        NonFiniteError: If there are more than `MOST_ROWS` rows and an entry is NaN or infinite.
    """
    if len(x) <= MOST_ROWS:
        return None
    draw = RowDraw()
    for begin in range(0, len(x), _CHUNK):
        words: Words = np.zeros(len(x[begin : begin + _CHUNK]), np.uint64)
        for side, what in ((x, "x"), (y, "y")):
            if side is not None:
                for column in _finite(side, begin, what).T:
                    words = mixed(words ^ number_words(column))
        labels = None if y is None or y.ndim > 1 else y[begin : begin + _CHUNK].astype(np.uint64)
        draw.add(begin + np.arange(len(words)), words, weights[begin : begin + _CHUNK], labels)
    return draw.drawn()


def number_words(column: Any) -> Words:
    """64 bits a number, with one zero and one NaN."""
    numbers = np.asarray(column, np.float64) + 0.0  # −0.0 + 0.0 = 0.0, as in `merged_rows`
    return np.where(np.isnan(numbers), GAP, numbers.view(np.uint64))


def mixed(words: Words) -> Words:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), one-to-one: a bit changes about half of all."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _finite(side: Floats | Integers, begin: int, what: str) -> NDArray[np.float64]:
    """Some rows, `(m, d)`."""
    part = np.asarray(side[begin : begin + _CHUNK], np.float64)
    part = part[:, None] if part.ndim == 1 else part
    if not (is_finite := np.isfinite(part)).all():
        row, column = np.argwhere(~is_finite)[0].tolist()
        raise NonFiniteError(what, begin + row, column)
    return part
