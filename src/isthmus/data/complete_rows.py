"""Rows without missing values: refused, left out, or told apart by an indicator."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from isthmus.data.encoding import INDICATOR
from isthmus.data.numerals import texts_as_numbers
from isthmus.data.quoting import row_number
from isthmus.data.reading import Table
from isthmus.errors import ColumnError, OptionError

MISSING = ("refuse", "drop", "indicate")


def check_missing(missing: str) -> None:
    """Raise `OptionError` unless `missing` says what to do with missing values."""
    if missing not in MISSING:
        raise OptionError("--missing", missing, "refuse, drop or indicate")


def complete_rows(
    table: Table,
    drop: Collection[str],
    missing: str,
    *,
    targets: Collection[str] = (),
    others: Collection[str] = (),
    texts: Collection[str] = (),
    indicated: Collection[str] | None = None,
) -> tuple[Any, list[str]]:
    """The rows of a table that can be used, numbers as numbers, and what was done in sentences.

    Args:
        table: As it was read.
        drop: Columns to leave out.
        missing: "refuse", "drop" their rows, or "indicate" them, which leaves them in the frame.
        targets: Without them a row is left out in any case; an empty one is refused.
        others: Columns of which no value may be missing, unless rows are dropped.
        texts: Columns that hold texts, even where they look like numbers.
        indicated: Columns of which a network knows what to do without a value; None while it is fitted.

    Raises:
        ColumnError: If a value is missing and may not be, or no row is left.
    """
    check_missing(missing)
    is_dropped = table.frame.columns.isin(list(drop))
    frame, notes = table.frame.loc[:, ~is_dropped], list(table.notes)
    frame, more = _with_targets(frame, targets)
    notes += more
    if indicated is None:
        # nothing can be learned from an empty column; `encode` leaves it out and says so
        inputs = [] if missing == "indicate" else frame.columns[frame.notna().any().to_numpy()]
        considered = [*inputs, *(name for name in others if name not in inputs)]
    else:
        if missing == "indicate":
            _refuse_unknown_gaps(frame, indicated)
        considered = [name for name in frame.columns if name not in indicated]
    frame, more = _without_gaps(frame, considered, missing)
    notes += more
    frame, more = texts_as_numbers(frame, table.decimal, texts=texts)
    return frame, [*notes, *more]


def _with_targets(frame: Any, targets: Collection[str]) -> tuple[Any, list[str]]:
    """The rows that have what is learned."""
    for name in targets:
        if name not in frame.columns:
            raise ColumnError(name, "only counts the rows", "Choose another")
        if frame[name].isna().all():
            raise ColumnError(str(name), "holds no value at all", "Choose another, or fill it in.")
    is_gap = frame[list(targets)].isna().any(axis=1).to_numpy()
    if not is_gap.any():
        return frame, []
    count, first = int(is_gap.sum()), row_number(frame, int(is_gap.argmax()))
    rows = f"1 row without a target was left out (row {first})"
    if count > 1:
        rows = f"{count} rows without a target were left out (the first is row {first})"
    return _inferred(frame[~is_gap]), [f"{rows}."]


def _without_gaps(frame: Any, names: Collection[str], missing: str) -> tuple[Any, list[str]]:
    gaps = frame[list(names)].isna()
    if not gaps.to_numpy().any():
        return frame, []
    if missing == "drop":
        kept = frame[~gaps.any(axis=1)]
        count = len(frame) - len(kept)
        if kept.empty:
            worst = str(gaps.sum().idxmax())
            remedy = f"Use --missing indicate, or --drop {worst!r}."
            raise ColumnError(worst, "has so many missing values that no row is complete", remedy)
        rows = "1 row with missing values was" if count == 1 else f"{count} rows with missing values were"
        return _inferred(kept), [f"{rows} left out."]
    column = next(name for name in gaps.columns if gaps[name].any())
    is_gap = gaps[column].to_numpy()
    count, first = int(is_gap.sum()), row_number(frame, int(is_gap.argmax()))
    cause = f"has {count} missing value{'s' * (count > 1)} (first in row {first})"
    remedy = f"Fill them in, use --missing drop or --missing indicate, or use --drop {column!r}"
    raise ColumnError(str(column), cause, remedy)


def _refuse_unknown_gaps(frame: Any, indicated: Collection[str]) -> None:
    for name in frame.columns:
        if name not in indicated and frame[name].isna().any():
            row = row_number(frame, int(frame[name].isna().to_numpy().argmax()))
            cause = f"has no value in row {row}, and the network was fitted on rows that all had one"
            raise ColumnError(
                str(name), cause, f"Fill it in, or use --missing drop; it has no input {name + INDICATOR!r}"
            )


def _inferred(frame: Any) -> Any:
    """Gaps turn a column of booleans into one of objects; without them it is a column of booleans again."""
    return frame.infer_objects()
