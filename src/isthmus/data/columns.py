"""The columns of a fit in new rows: its encoding once more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from isthmus.data.dataset import Floats
from isthmus.data.dates import begins_as_date, days_since_1970
from isthmus.data.durations import seconds_in, seconds_of
from isthmus.data.encoding import INDICATOR, plain_numbers
from isthmus.data.numerals import quantities, refuse_mixed
from isthmus.data.quoting import quoted, row_number
from isthmus.errors import ColumnError


def encode_as(frame: Any, names: Sequence[str], fills: Mapping[str, float] | None = None) -> Floats:
    """The columns that `encode` once called `names`, from another frame.

    Args:
        frame: A pandas frame, as it was read or as Python holds it; its other columns do not matter.
        names: Names of inputs, as a fit has them.
        fills: What `encode` put in the place of missing values, by input.

    Returns:
        `(n, len(names))`, finite.

    Raises:
        ColumnError: If a column is not there or does not hold what it held.
    """
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    known = _whole_numbers(frame, names)
    indicators = frozenset(name for name in names if name.endswith(INDICATOR))
    rest = {name: _repeated(frame, name, names, indicators, fills or {}) for name in names if name not in known}
    return np.stack([known[name] if name in known else rest[name] for name in names], 1)


def _whole_numbers(frame: Any, names: Sequence[str]) -> dict[str, Floats]:
    """The inputs that are columns of numbers without gaps, together: a look at each of many alone takes minutes."""
    wanted = frozenset(names)
    is_plain = [
        name in wanted and dtype.kind in "fiub" for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
    ]
    plain = frame.loc[:, is_plain]
    numbers = plain_numbers(plain)
    has_gap = np.any(np.isnan(numbers), axis=0, keepdims=True)[0]
    return {name: numbers[:, place] for place, name in enumerate(plain.columns) if not has_gap[place]}


def source_column(name: str, columns: Collection[str]) -> str | None:
    """Which of the columns of a table `encode` calls `name`; None if that is none of them."""
    if name in columns:
        return name
    made = [
        column
        for column in columns
        if name.startswith(f"{column}=") or name == column + INDICATOR or _unit(name, column) is not None
    ]
    return max(made, key=len, default=None)


def holds_texts(name: str, column: str) -> bool:
    """Whether the input `name`, made from `column`, stands for one of its texts."""
    return name.startswith(f"{column}=")


def _repeated(
    frame: Any, name: str, names: Sequence[str], indicators: Collection[str], fills: Mapping[str, float]
) -> Floats:
    base = source_column(name, frame.columns)
    if base is None:
        raise ColumnError(name, "is an input of the network and is not in the data", "Pass data with this column.")
    column = frame[base]
    is_gap = column.isna().to_numpy()
    if name == base + INDICATOR and base != name:
        return np.asarray(is_gap, np.float32)
    if not (is_gap.any() and base + INDICATOR in indicators):
        return _repeated_values(name, base, column, names)
    found = np.full(len(column), fills.get(name, 0.0))
    if not is_gap.all():
        found[~is_gap] = _repeated_values(name, base, column[~is_gap].infer_objects(), names)
    return found


def _repeated_values(name: str, base: str, column: Any, names: Sequence[str]) -> Floats:
    if base == name:
        return _repeated_numbers(name, column)
    if holds_texts(name, base):
        known = [other.removeprefix(f"{base}=") for other in names if holds_texts(other, base)]
        return _repeated_texts(base, column, name.removeprefix(f"{base}="), known)
    unit = str(_unit(name, base))
    if unit == "days" and (days := days_since_1970(column)) is not None:
        return days
    if unit == "s" and (seconds := seconds_in(column)) is not None:
        return seconds
    return _repeated_quantities(base, column, unit)


def _repeated_numbers(name: str, column: Any) -> Floats:
    if column.dtype.kind in "fiub":
        numbers = plain_numbers(column.to_frame(name))[:, 0]
        if np.isnan(numbers).any():
            row = row_number(column, int(np.isnan(numbers).argmax()))
            raise ColumnError(name, f"holds a missing value (row {row})", "Fill it in, or leave the row out")
        return numbers
    refuse_mixed(name, column)
    raise ColumnError(name, f"holds {quoted(column.iloc[0])}, where the network takes numbers", "Correct it.")


def _repeated_quantities(name: str, column: Any, unit: str) -> Floats:
    texts = column.astype(str).tolist()
    found = quantities(texts)
    if found is not None and found[1] == unit:
        return found[0]
    is_date = unit == "days"
    row = next(
        (row for row, text in enumerate(texts) if not (begins_as_date(text) if is_date else _has(text, unit))), 0
    )
    kind = "dates as YYYY-MM-DD" if is_date else f"numbers with the unit {unit!r}"
    cause = f"holds {quoted(texts[row])} in row {row_number(column, row)}, where the network takes {kind}"
    raise ColumnError(name, cause, "Correct it")


def _has(text: str, unit: str) -> bool:
    found = quantities([text])
    return (found is not None and found[1] == unit) or (unit == "s" and seconds_of([text]) is not None)


def _repeated_texts(name: str, column: Any, value: str, known: Sequence[str]) -> Floats:
    texts = column.astype(str).to_numpy(str)
    if (is_new := ~np.isin(texts, known)).any():
        row = int(is_new.argmax())
        cause = f"holds {quoted(texts[row])} in row {row_number(column, row)}, which the network has never seen"
        raise ColumnError(name, cause, f"It knows {', '.join(map(quoted, known))}: leave other rows out")
    return np.asarray(texts == value, np.float32)


def _unit(name: str, column: str) -> str | None:
    """What stands in square brackets behind the column's name, if that is how `name` goes on."""
    rest = name.removeprefix(f"{column} [")
    return rest.removesuffix("]") if rest != name and rest.endswith("]") else None
