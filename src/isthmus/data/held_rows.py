"""The rows of a table in memory, under the interface of those in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.data.dataset import Integers


@dataclass(frozen=True, eq=False)
class HeldRows:
    """A pandas frame, read in one block.

    Attributes:
        frame: Columns of different names; its index counts the rows of data in the file, from 0.
    """

    frame: Any

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(self.frame.columns)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.frame)

    def blocks(self, names: Sequence[str]) -> Iterator[Any]:
        """All rows of some columns."""
        yield self._columns(names)

    def at(self, rows: Integers, names: Sequence[str]) -> Any:
        """Some rows, by ascending numbers from 0."""
        return self._columns(names).iloc[rows]

    def _columns(self, names: Sequence[str]) -> Any:
        is_wanted = self.frame.columns.isin(list(names))
        return self.frame if is_wanted.all() else self.frame.loc[:, is_wanted]
