"""Columns of a table as numbers, under names from which the encoding can be repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isthmus.data.categories import few_texts
from isthmus.data.column_use import ColumnUse, Kind
from isthmus.data.dataset import Floats, Weights
from isthmus.data.dates import days_since_1970
from isthmus.data.durations import seconds_in
from isthmus.data.numerals import EXACT, quantities, refuse_inexact
from isthmus.data.quoting import row_number, some
from isthmus.errors import ColumnError

INDICATOR = " is missing"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A matrix `(n, d)`, one name a column, what became of each column of the table, and what gaps were filled with."""

    matrix: Floats
    names: tuple[str, ...]
    uses: tuple[ColumnUse, ...]
    fills: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Part:
    """What one column of a table becomes: a block `(n, m)` under m names."""

    block: Floats
    names: list[str]
    kind: Kind
    detail: str = ""


def encode(
    frame: Any,
    *,
    drops_constants: bool,
    allows_texts: bool = True,
    gaps: Mapping[str, int] | None = None,
    counts: Weights | None = None,
    rows: int | None = None,
) -> Encoded:
    """All columns of a pandas frame as numbers.

    `name` for numbers and booleans, `name [days]` for dates, `name [s]` for durations, `name [%]` for numbers with a
    unit, `name=value` for each value of a text. Where a column has missing values, its number is the median of those
    that are there, every `name=value` is 0, and `name is missing` is 1.

    Args:
        frame: The columns.
        drops_constants: Whether those that do not vary are left out.
        allows_texts: Whether texts may be categories.
        gaps: How many values are missing, by column, where `frame` holds some rows of many.
        counts: For how many each of these rows stands in medians, `(n,)`; None for one each.
        rows: How many the table has; None for those of `frame`.

    Raises:
        ColumnError: If a column holds infinities, lists, whole numbers that double precision cannot tell apart, or
            texts that cannot be encoded, or two would be named alike.
    """
    numeric = {column for column, dtype in enumerate(frame.dtypes) if dtype.kind in "fiub"}
    numbers = plain_numbers(frame.iloc[:, sorted(numeric)])
    places = {column: place for place, column in enumerate(sorted(numeric))}
    # Of wide tables every column at once: a look at each alone takes minutes.
    has_gaps = np.any(np.isnan(numbers), axis=0, keepdims=True)[0]
    is_constant = np.all(numbers == numbers[:1], axis=0, keepdims=True)[0]
    parts: list[_Part] = []
    uses: list[ColumnUse] = []
    fills: dict[str, float] = {}
    for position, name in enumerate(map(str, frame.columns)):
        if position in places and not has_gaps[places[position]]:
            block = numbers[:, places[position]][:, None]
            reason = "constant" if drops_constants and is_constant[places[position]] else ""
            part = _Part(block, [name], "left out" if reason else "number", reason)
        else:
            column = frame.iloc[:, position]
            missing = int(column.isna().sum()) if gaps is None else gaps[name]
            known = (len(frame) if rows is None else rows) - missing
            part = _any_column(name, column, drops_constants, allows_texts, fills, missing, counts, known)
        uses.append(ColumnUse(name, part.kind, part.detail))
        if part.kind != "left out":
            parts.append(part)
    names = [name for part in parts for name in part.names]
    _refuse_alike(names)
    matrix = np.concatenate([part.block for part in parts], 1) if parts else np.empty((len(frame), 0))
    return Encoded(matrix, tuple(names), tuple(uses), fills)


def plain_numbers(frame: Any) -> Floats:
    """Columns of numbers or booleans `(n, d)`, NaN where one is missing.

    Raises:
        ColumnError: If one is infinite, or a whole number that is another in double precision.
    """
    kinds = {(dtype.kind, dtype.itemsize) for dtype in frame.dtypes}
    _refuse_inexact(frame)
    # numbers in single precision and booleans fit into single precision; whole numbers may not
    is_single = bool(kinds) and all(kind == "b" or (kind == "f" and size <= 4) for kind, size in kinds)
    numbers: Floats = frame.to_numpy(np.float32 if is_single else np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        row, column = (int(each[0]) for each in np.nonzero(np.isinf(numbers)))
        name = str(frame.columns[column])
        cause = f"holds an infinite value (row {row_number(frame, row)})"
        raise ColumnError(name, cause, f"Correct it, or use --drop {name!r}")
    return numbers


def _refuse_inexact(frame: Any) -> None:
    """Raise for identifiers of many digits: in double precision different ones would be equal."""
    whole = frame.iloc[:, [column for column, dtype in enumerate(frame.dtypes) if dtype.kind in "iu"]]
    if len(whole.columns):
        largest = np.maximum(whole.max(), -whole.min().astype(np.float64)).to_numpy(np.float64, na_value=0.0)
        for column in np.flatnonzero(largest >= EXACT):
            refuse_inexact(str(whole.columns[column]), map(str, whole.iloc[:, int(column)].dropna()))


def _any_column(
    name: str,
    column: Any,
    drops_constants: bool,
    allows_texts: bool,
    fills: dict[str, float],
    missing: int,
    counts: Weights | None,
    rows: int,
) -> _Part:
    """A column of texts, dates or durations, or one with missing values."""
    is_gap = column.isna().to_numpy()
    known = column[~is_gap]
    if known.empty:
        return _Part(np.empty((len(column), 0)), [], "left out", "empty")
    refuse_nested(name, known)
    if drops_constants and bool((known == known.iloc[0]).all()):
        if not is_gap.any():
            return _Part(np.empty((len(column), 0)), [], "left out", "constant")
        return _Part(_indicator(is_gap), [name + INDICATOR], "categories", "constant but for its gaps")
    part = _known_values(name, known, allows_texts, rows)
    if not is_gap.any():
        return part
    block = np.zeros((len(column), len(part.names)), part.block.dtype)
    block[~is_gap] = part.block
    said = f"{missing} missing, told by '{name}{INDICATOR}'"
    if part.kind != "categories":
        fills[part.names[0]] = _median(part.block[:, 0], None if counts is None else counts[~is_gap])
        block[is_gap] = fills[part.names[0]]
        said += f" and filled with the median {fills[part.names[0]]:g}"
    detail = f"{part.detail}; {said}" if part.detail else said
    return _Part(np.concatenate([block, _indicator(is_gap)], 1), [*part.names, name + INDICATOR], part.kind, detail)


def _median(values: Floats, counts: Weights | None) -> float:
    if counts is None or not counts.sum() > 0.0:
        return float(np.median(values))
    order = np.argsort(values, kind="stable")
    below = np.cumsum(counts[order])
    return float(values[order[np.searchsorted(below, below[-1] / 2.0)]])


def _indicator(is_gap: Any) -> Floats:
    found: Floats = is_gap.astype(np.float32)[:, None]
    return found


def _known_values(name: str, column: Any, allows_texts: bool, rows: int) -> _Part:
    if column.dtype.kind in "fiub":
        return _Part(plain_numbers(column.to_frame()), [name], "number")
    if (days := days_since_1970(column)) is not None:
        return _Part(days[:, None], [f"{name} [days]"], "date", "days since 1970-01-01")
    if (seconds := seconds_in(column)) is not None:
        return _Part(seconds[:, None], [f"{name} [s]"], "duration", "seconds")
    texts = column.astype(str).tolist()
    if (found := quantities(texts)) is not None:
        numbers, unit = found
        return _Part(numbers[:, None], [f"{name} [{unit}]"], "number", f"without its unit {unit!r}")
    values = few_texts(name, column, allows_texts, rows)
    block = (np.array(texts)[:, None] == np.array(values)).astype(np.float32)
    return _Part(block, [f"{name}={value}" for value in values], "categories", f"{len(values)}: {some(values)}")


def _refuse_alike(names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            cause = "would be the name of two inputs: a number, and a value of a text column"
            raise ColumnError(name, cause, "Rename one of the columns")


def refuse_nested(name: str, column: Any) -> None:
    """Raise `ColumnError` if a column without missing values holds lists or the like."""
    if column.dtype.kind == "O" and isinstance(column.iloc[0], (np.ndarray, list, tuple, dict, set, bytes)):
        kind = type(column.iloc[0]).__name__
        cause = f"holds a {kind} in each row, not a number or a text"
        raise ColumnError(name, cause, f"Give each entry a column of its own, or use --drop {name!r}")
