"""Rows that belong together, or follow one another in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import NonFiniteError, OptionError, ShapeError
from isthmus.foundation.matrices import plain_array, real_matrix


@dataclass(frozen=True, eq=False)
class RowBlocks:
    """Which rows are held out only together.

    Attributes:
        of_row: The block of each row, `(n,)`, from 0 without a gap.
        is_forward: Whether blocks follow one another in time, so that only earlier ones may be learned from.
    """

    of_row: NDArray[np.int64]
    is_forward: bool

    def at(self, rows: NDArray[np.int64]) -> RowBlocks:
        """Those of some of the rows."""
        return RowBlocks(np.unique(self.of_row[rows], return_inverse=True)[1].astype(np.int64), self.is_forward)


def row_blocks(groups: object | None, times: object | None, rows: int) -> RowBlocks | None:
    """Blocks by the group or the time of each row, `(rows,)`; None where neither is given.

    Raises:
        OptionError: If both are given, or there is only one group or moment.
        ShapeError, DtypeError: If there is not one a row, or a time is no number.
        NonFiniteError: If one is missing or infinite.
    """
    if groups is None and times is None:
        return None
    if groups is not None and times is not None:
        raise OptionError("--time", "given", "left out beside --group: rows are held out by one of them")
    what = "groups" if times is None else "times"
    values = plain_array(groups if times is None else times, what)
    if values.shape != (rows,):
        raise ShapeError(f"{what} has shape {values.shape}; one a row is needed, shape ({rows},).")
    if times is not None:
        values = real_matrix(values[:, None], what)[:, 0]
    else:
        is_missing = np.array([value is None or value != value for value in values.tolist()], bool)
        if is_missing.any():
            raise NonFiniteError(what, int(is_missing.argmax()), 0)
        values = values.astype(str) if values.dtype.kind == "O" else values
    found, of_row = np.unique(values, return_inverse=True)
    if len(found) < 2:
        raise OptionError(f"the number of different {what}", len(found), "at least 2, to hold one out from the other")
    return RowBlocks(of_row.astype(np.int64), times is not None)
