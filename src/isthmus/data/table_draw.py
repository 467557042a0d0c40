"""Of a very long table the rows that are learned from, and those that decide how its columns are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.complete_rows import CompleteRows
from isthmus.data.dataset import Integers, Weights
from isthmus.data.deciding_rows import DecidingRows
from isthmus.data.reading import Table
from isthmus.data.row_draw import MOST_CLASSES, RowDraw, mixed
from isthmus.foundation.progress import Report
from isthmus.foundation.task import Task

_MOST_TEXTS = 64  # of an input: from 21 on they are no categories


@dataclass(frozen=True, eq=False)
class TableDraw:
    """Rows of a table.

    Attributes:
        frame: A pandas frame of the rows that are drawn and of those that decide how columns are read.
        is_drawn: Which of them are drawn, `(n,)`.
        weights: How much each of the drawn rows counts, with the rows that equal it.
        repeats: How many rows of the table each of the drawn rows stands for.
        note: What was done, in a sentence.
    """

    frame: Any
    is_drawn: NDArray[np.bool_]
    weights: Weights
    repeats: Integers
    note: str

    @property
    def counts(self) -> Weights:
        """As `weights`, of every row of the frame: 0 of those that are not drawn."""
        found = np.zeros(len(self.is_drawn))
        found[self.is_drawn] = self.weights
        return found


def drawn_table(
    table: Table,
    complete: CompleteRows,
    *,
    targets: Sequence[str],
    apart: Sequence[str],
    weights: str | None,
    task: Task | None,
    report: Report,
) -> TableDraw:
    """Rows of a table, in two passes over it and in memory that does not grow with their number.

    Rows are drawn by what they hold of inputs, targets and `apart` (`RowDraw`). How columns are read, and whether they
    can be, is decided by all rows: `DecidingRows` come to those that are drawn.

    Args:
        table: The table.
        complete: Its rows that can be used.
        targets: Columns that are predicted.
        apart: Columns that say what rows belong together, or when they were taken.
        weights: The column that says how much each row counts.
        task: What is learned; None where the target says it.
        report: Told the fraction done.
    """
    inputs = [name for name in complete.names if name not in (*targets, *apart, weights)]
    draw, deciding = RowDraw(), [_deciding(name, targets) for name in (*inputs, *targets, *apart)]
    of_weights = None if weights is None else _deciding(weights, targets)
    begin = 0
    for block in table.rows.blocks(complete.names):
        rows, part = begin + np.flatnonzero(complete.mask(block)), complete.of(block)
        hashes, classes = np.zeros(len(part), np.uint64), None
        for each in deciding:
            words = each.words(part[each.name], rows)
            hashes = mixed(hashes ^ words)
            if [each.name] == list(targets) and _may_be_classes(part[each.name], task):
                classes = words
        draw.add(rows, hashes, _counts(part, of_weights, rows), classes)
        begin += len(block)
        report(0.8 * begin / table.rows.rows, f"{begin:,} of {table.rows.rows:,} rows")
    drawn = draw.drawn()
    both = [drawn.rows, *(each.rows for each in deciding), *([] if of_weights is None else [of_weights.rows])]
    rows = np.unique(np.concatenate(both))
    frame = table.rows.at(rows, complete.names)
    note = f"{drawn.note(complete.rows)} How columns are read was decided by all rows."
    if complete.rows < table.rows.rows:  # as `CompleteRows.of`
        frame = frame.infer_objects()
    return TableDraw(frame, np.isin(rows, drawn.rows), drawn.weights, drawn.repeats, note)


def _deciding(name: str, targets: Sequence[str]) -> DecidingRows:
    return DecidingRows(name, MOST_CLASSES if name in targets else _MOST_TEXTS, is_target=name in targets)


def _may_be_classes(target: Any, task: Task | None) -> bool:
    return task == "classification" or (task is None and target.dtype.kind == "O")


def _counts(part: Any, of_weights: DecidingRows | None, rows: NDArray[np.int64]) -> Weights:
    """How much each row counts; what is no weight is refused when it has been read."""
    if of_weights is None or part[of_weights.name].dtype.kind not in "fiub":
        return np.ones(len(part))
    of_weights.words(part[of_weights.name], rows)
    found: Weights = part[of_weights.name].to_numpy(np.float64)
    return found
