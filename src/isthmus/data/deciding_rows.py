"""The rows of a very long table that decide how a column is read, and whether it can be."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Floats, Integers
from isthmus.data.encoding import refuse_nested
from isthmus.data.row_draw import GAP, Words, number_words

_FORM = str.maketrans(dict.fromkeys("123456789", "0"))


class DecidingRows:
    """Of one column the first rows with its least and its largest number, with a gap, with each text and each form.

    Texts that differ in digits alone have one form: where most are dates or have a unit, one that is no date or has
    another unit has another form. Of many texts, and of many forms, there are those of least hash, so many as decide.
    """

    def __init__(self, name: str, most: int, *, is_target: bool) -> None:
        self.name, self._is_target = name, is_target
        self._texts, self._forms, self._gap = _FirstRows(most), _FirstRows(most), _FirstRows(1)
        self._ends: dict[bool, tuple[float, int]] = {}  # the least and its row, by whether the sign was turned

    @property
    def rows(self) -> Integers:
        """Their numbers."""
        ends = np.array([row for _, row in self._ends.values()], np.int64)
        return np.concatenate([ends, *(each.rows for each in (self._texts, self._forms, self._gap))])

    def words(self, column: Any, rows: Integers) -> Words:
        """64 bits of each value of the next rows, equal where values are; these rows are taken into account.

        Args:
            column: A pandas column.
            rows: The numbers of its rows.

        Raises:
            ColumnError: If it holds lists or the like.
        """
        import pandas as pd

        is_gap = column.isna().to_numpy()
        self._gap.add(np.full(int(is_gap.sum()), GAP), rows[is_gap])
        held = pd.api.types.infer_dtype(column, skipna=True) if column.dtype == object else ""
        if held == "boolean":
            column = column.astype("boolean")  # with gaps
        if column.dtype.kind in "fiubmM":
            numbers, words = _numbers(column, is_gap)
            self._take_ends(numbers[~is_gap], rows[~is_gap])
            if self._is_target:  # perhaps one of classes
                self._texts.add(words, rows)
            return words
        if not is_gap.all():
            refuse_nested(self.name, column[~is_gap])
        if held not in ("", "string"):  # as `encode` reads them; among them may be what has no hash
            column = column.astype(str).mask(is_gap)
        codes, values = pd.factorize(column)
        first = rows[~is_gap][np.unique(codes[~is_gap], return_index=True)[1]]
        of_text = _hashed(values)
        self._texts.add(of_text, first)
        self._forms.add(_hashed([str(text).translate(_FORM) for text in values]), first)
        return np.asarray(np.append(of_text, GAP)[codes], np.uint64)  # −1 where there is none

    def _take_ends(self, numbers: Floats, rows: Integers) -> None:
        for is_turned, signed in ((False, numbers), (True, -numbers)):
            if len(signed):
                place = int(signed.argmin())
                least = float(signed[place]), int(rows[place])
                self._ends[is_turned] = min(self._ends.get(is_turned, least), least)


def _numbers(column: Any, is_gap: NDArray[np.bool_]) -> tuple[Floats, Words]:
    """Numbers, or moments and durations in nanoseconds, and their words."""
    if column.dtype.kind in "fiub":
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        return numbers, number_words(numbers)
    kind = "datetime64[ns]" if column.dtype.kind == "M" else "timedelta64[ns]"
    steps = column.to_numpy(kind).astype(np.int64)
    return steps.astype(np.float64), np.where(is_gap, GAP, steps.view(np.uint64))


def _hashed(values: Any) -> Words:
    """64 bits of each object, equal where objects are."""
    import pandas as pd

    found: Words = pd.util.hash_array(np.asarray(values, object), categorize=False)
    return found


class _FirstRows:
    """The first row of each word, of the least words so many."""

    def __init__(self, most: int) -> None:
        self._most, self._words, self.rows = most, np.empty(0, np.uint64), np.empty(0, np.int64)

    def add(self, words: Words, rows: Integers) -> None:
        """The next rows, ascending."""
        words, first = np.unique(np.concatenate([self._words, words]), return_index=True)
        self._words = words[: self._most]
        self.rows = np.concatenate([self.rows, rows])[first[: self._most]]
