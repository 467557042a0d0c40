"""Rows without missing values: refused, left out, or told apart by an indicator."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.encoding import INDICATOR
from isthmus.data.quoting import row_number
from isthmus.data.reading import Table
from isthmus.errors import ColumnError, OptionError

MISSING = ("refuse", "drop", "indicate")


def check_missing(missing: str) -> None:
    """Raise `OptionError` unless `missing` says what to do with missing values."""
    if missing not in MISSING:
        raise OptionError("--missing", missing, "refuse, drop or indicate")


@dataclass(frozen=True)
class CompleteRows:
    """Which rows of a table can be used.

    Attributes:
        names: The columns that are used.
        needed: Those in which no value may be missing.
        gaps: How many values are missing, by column, of the rows that have what is learned.
        rows: How many rows can be used.
        notes: What was done, in sentences.
    """

    names: tuple[str, ...]
    needed: tuple[str, ...]
    gaps: Mapping[str, int]
    rows: int
    notes: tuple[str, ...]

    def mask(self, block: Any) -> NDArray[np.bool_]:
        """Which rows of a pandas frame these are, `(n,)`."""
        found: NDArray[np.bool_] = ~block[list(self.needed)].isna().any(axis=1).to_numpy()
        return found

    def of(self, block: Any) -> Any:
        """These rows of a pandas frame."""
        is_complete = self.mask(block)
        if is_complete.all():
            return block
        # gaps turn a column of booleans into one of objects; without them it is a column of booleans again
        return block[is_complete].infer_objects()


def complete_rows(
    table: Table,
    drop: Collection[str],
    missing: str,
    *,
    targets: Collection[str] = (),
    others: Collection[str] = (),
    indicated: Collection[str] | None = None,
) -> CompleteRows:
    """The rows of a table that can be used, by a look at all of them.

    Args:
        table: As it was read.
        drop: Columns to leave out.
        missing: "refuse", "drop" their rows, or "indicate" them, which leaves them in the frame.
        targets: Without them a row is left out in any case; an empty one is refused.
        others: Columns of which no value may be missing, unless rows are dropped.
        indicated: Columns of which a network knows what to do without a value; None while it is fitted.

    Raises:
        ColumnError: If a value is missing and may not be, or no row is left.
    """
    check_missing(missing)
    names = tuple(name for name in table.rows.names if name not in frozenset(drop))
    for name in targets:
        if name not in names:
            raise ColumnError(name, "only counts the rows", "Choose another")
    found = _survey(table, names, targets)
    if indicated is None:
        # nothing can be learned from an empty column; `encode` leaves it out and says so
        inputs = [] if missing == "indicate" else [name for name in names if found.counts[name] < found.rows]
        considered = dict.fromkeys([*inputs, *others])
    else:
        considered = dict.fromkeys(name for name in names if name not in indicated)
        if missing == "indicate":
            _refuse_unknown_gaps(found, considered)
    needed = tuple(dict.fromkeys([*targets, *considered]))
    if not any(found.counts[name] for name in considered):
        return CompleteRows(names, needed, found.counts, found.rows, (*table.notes, *found.notes))
    if missing != "drop":
        _refuse_gaps(found, considered)
    rows = sum(int((~block.isna().any(axis=1)).sum()) for block in table.rows.blocks(needed))
    said = _left_out(found, rows, considered)
    return CompleteRows(names, needed, found.counts, rows, (*table.notes, *found.notes, said))


@dataclass(frozen=True)
class _Survey:
    """Where values are missing in the rows that have what is learned.

    Attributes:
        rows: How many these are.
        counts: Missing values of them, by column.
        first: The number of the first row with such a gap, by column.
        notes: What became of the others.
    """

    rows: int
    counts: Mapping[str, int]
    first: Mapping[str, int]
    notes: tuple[str, ...]


def _survey(table: Table, names: Sequence[str], targets: Collection[str]) -> _Survey:
    is_target = np.isin(np.array(names, object), list(targets))
    rows, without, first_without = 0, 0, 0
    counts, first, is_known = (np.zeros(len(names), kind) for kind in (np.int64, np.int64, bool))
    for block in table.rows.blocks(names):
        is_gap = block.isna().to_numpy(bool)
        has_target = ~is_gap[:, is_target].any(1)
        is_known |= ~is_gap.all(0)
        if not (without or has_target.all()):
            first_without = row_number(block, int(has_target.argmin()))
        without, rows = without + int((~has_target).sum()), rows + int(has_target.sum())
        is_gap = is_gap & has_target[:, None]
        is_new = (counts == 0) & is_gap.any(0)
        first[is_new] = 1 + block.index.to_numpy()[is_gap[:, is_new].argmax(0)]
        counts += is_gap.sum(0)
    for name in (name for name, known in zip(names, is_known, strict=True) if name in targets and not known):
        raise ColumnError(name, "holds no value at all", "Choose another, or fill it in.")
    said = f"{without} rows without a target were left out (the first is row {first_without})."
    if without == 1:
        said = f"1 row without a target was left out (row {first_without})."
    by_name, first_by_name = (dict(zip(names, each.tolist(), strict=True)) for each in (counts, first))
    return _Survey(rows, by_name, first_by_name, (said,) if without else ())


def _left_out(found: _Survey, rows: int, considered: Collection[str]) -> str:
    if not rows:
        worst = max(considered, key=lambda name: found.counts[name])
        remedy = f"Use --missing indicate, or --drop {worst!r}."
        raise ColumnError(worst, "has so many missing values that no row is complete", remedy)
    count = found.rows - rows
    return f"{'1 row with missing values was' if count == 1 else f'{count} rows with missing values were'} left out."


def _refuse_gaps(found: _Survey, considered: Collection[str]) -> None:
    name = next(name for name in considered if found.counts[name])
    count = found.counts[name]
    cause = f"has {count} missing value{'s' * (count > 1)} (first in row {found.first[name]})"
    remedy = f"Fill them in, use --missing drop or --missing indicate, or use --drop {name!r}"
    raise ColumnError(name, cause, remedy)


def _refuse_unknown_gaps(found: _Survey, considered: Collection[str]) -> None:
    for name in considered:
        if found.counts[name]:
            cause = f"has no value in row {found.first[name]}, and the network was fitted on rows that all had one"
            remedy = f"Fill it in, or use --missing drop; it has no input {name + INDICATOR!r}"
            raise ColumnError(name, cause, remedy)
