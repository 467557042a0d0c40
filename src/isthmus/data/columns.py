"""Columns of a table as numbers, under names from which the encoding can be repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Floats
from isthmus.errors import ColumnError

_MOST_TEXTS = 20
_DAYS = " [days]"
_LOCAL_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_GROUPED = r"\s*[+-]?(\d{1,3}([,.' \u2019\u00a0\u202f]\d{3})+([.,]\d+)?|\d+,\d+)\s*"
_WITH_UNIT = r"[\s<>≤≥~±$€£¥+-]*\d[\d.,]*\s*[^\d\s]{0,6}"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A matrix `(n, d)`, one name a column, and what was done."""

    matrix: Floats
    names: tuple[str, ...]
    notes: tuple[str, ...]


def encode(frame: Any, *, drops_constants: bool, allows_texts: bool = True) -> Encoded:
    """All columns of a pandas frame without missing values as numbers.

    `name` for numbers and booleans, `name [days]` for dates, `name=value` for each value of a text.

    Raises:
        ColumnError: If a column holds infinities, lists, or texts that cannot be encoded, or two would be named alike.
    """
    blocks: list[Floats] = []
    names: list[str] = []
    notes: list[str] = []
    for name in frame.columns:
        column = frame[name]
        _refuse_nested(name, column)
        if drops_constants and bool((column == column.iloc[0]).all()):
            notes.append(f"Column {name!r} is constant and was left out.")
            continue
        kind = column.dtype.kind
        if kind in "fiub":
            blocks.append(_numbers(name, column)[:, None])
            names.append(name)
        elif (days := days_since_1970(column)) is not None:
            blocks.append(days[:, None])
            names.append(f"{name}{_DAYS}")
            notes.append(f"Column {name!r} holds dates; days since 1970-01-01 are used.")
        else:
            values = _few_texts(name, column, allows_texts)
            texts = column.astype(str).to_numpy(str)
            blocks += [(texts == value).astype(np.float32)[:, None] for value in values]
            names += [f"{name}={value}" for value in values]
            notes.append(f"Column {name!r} holds {len(values)} different texts, each of which became a column.")
    for name in names:
        if names.count(name) > 1:
            cause = "would be the name of two inputs: a number, and a value of a text column"
            raise ColumnError(name, cause, "Rename one of the columns")
    matrix = np.concatenate(blocks, 1) if blocks else np.empty((len(frame), 0))
    return Encoded(matrix, tuple(names), tuple(notes))


def encode_as(frame: Any, names: Sequence[str]) -> Floats:
    """The columns that `encode` once called `names`, from another frame.

    Raises:
        ColumnError: If a column is not there or does not hold what it held.
    """
    return np.stack([_repeated(frame, name, names) for name in names], 1)


def _repeated(frame: Any, name: str, names: Sequence[str]) -> Floats:
    if name in frame.columns:
        column = frame[name]
        if column.dtype.kind not in "fiub":
            raise ColumnError(name, f"holds {_quoted(column.iloc[0])}, where the network takes numbers", "Correct it.")
        return _numbers(name, column)
    base = name.removesuffix(_DAYS)
    if base != name and base in frame.columns and (days := days_since_1970(frame[base])) is not None:
        return days
    for base in frame.columns:
        if name.startswith(f"{base}="):
            texts: NDArray[np.str_] = frame[base].astype(str).to_numpy(str)
            known = [other.removeprefix(f"{base}=") for other in names if other.startswith(f"{base}=")]
            if (is_new := ~np.isin(texts, known)).any():
                row = int(is_new.argmax())
                cause = f"holds {_quoted(texts[row])} in row {row + 1}, which the network has never seen"
                raise ColumnError(base, cause, f"It knows {', '.join(map(_quoted, known))}: leave other rows out")
            return np.asarray(texts == name.removeprefix(f"{base}="), np.float32)
    raise ColumnError(name, "is an input of the network and is not in the data", "Pass data with this column.")


def _numbers(name: str, column: Any) -> Floats:
    # numbers in single precision and booleans fit into single precision; whole numbers may not
    is_single = column.dtype.kind == "b" or str(column.dtype).lower() == "float32"
    numbers: Floats = column.to_numpy(np.float32 if is_single else np.float64)
    if not np.isfinite(numbers).all():
        row = int((~np.isfinite(numbers)).argmax()) + 1
        raise ColumnError(name, f"holds an infinite value (row {row})", f"Correct it, or use --drop {name!r}")
    return numbers


def _refuse_nested(name: str, column: Any) -> None:
    if column.dtype.kind == "O" and isinstance(column.iloc[0], (np.ndarray, list, tuple, dict, set, bytes)):
        kind = type(column.iloc[0]).__name__
        cause = f"holds a {kind} in each row, not a number or a text"
        raise ColumnError(name, cause, f"Give each entry a column of its own, or use --drop {name!r}")


def days_since_1970(column: Any) -> NDArray[np.float64] | None:
    """Days since 1970-01-01, or None if these are not dates in ISO form."""
    import pandas as pd

    if column.dtype.kind != "M":
        if not column.astype(str).str.match(r"\d{4}-\d{2}(-\d{2})?").all():
            return None
        column = pd.to_datetime(column.astype(str), format="ISO8601", errors="coerce", utc=True)
        if column.isna().any():
            return None
    elif column.dt.tz is None:
        column = column.dt.tz_localize("UTC")
    since = column - pd.Timestamp("1970-01-01", tz="UTC")
    days: NDArray[np.float64] = (since / pd.Timedelta(days=1)).to_numpy(np.float64)
    return days


def refuse_mixed(name: str, column: Any) -> None:
    """Raise `ColumnError` for a column of numbers that texts such as "-" or "1,234" have turned into texts."""
    import pandas as pd

    texts = column.astype(str)
    is_plain = pd.to_numeric(texts, errors="coerce").notna().to_numpy(bool)
    is_grouped = texts.str.fullmatch(_GROUPED).to_numpy(bool)
    if is_plain.all() or 2 * int((is_plain | is_grouped).sum()) <= len(texts):
        return
    row = int((~is_plain).argmax())
    cause = f"holds numbers, but {_quoted(texts.iloc[row])} in row {row + 1}"
    if is_grouped[row]:
        remedy = "Write numbers with a decimal point and without thousands separators"
        raise ColumnError(name, cause, f"{remedy}, or use --drop {name!r}")
    raise ColumnError(name, cause, f"Correct it, leave it empty and use --missing drop, or use --drop {name!r}")


def _few_texts(name: str, column: Any, is_allowed: bool) -> list[str]:
    """The different texts of a column, if they are few enough to be categories."""
    refuse_mixed(name, column)
    texts = column.astype(str)
    drop = f"use --drop {name!r}"
    if texts.str.fullmatch(_LOCAL_DATE).all():
        cause = f"holds dates such as {_quoted(texts.iloc[0])}, whose day and month cannot be told apart"
        raise ColumnError(name, cause, f"Write them as YYYY-MM-DD, or {drop}")
    values = sorted(texts.unique().tolist())
    if not is_allowed:
        cause = f"holds texts such as {_quoted(texts.iloc[0])}, which a regression cannot predict"
        raise ColumnError(name, cause, "Use --task classification with this one target")
    if len(values) > min(_MOST_TEXTS, len(texts) // 5):
        if texts.str.fullmatch(_WITH_UNIT).mean() > 0.5:
            cause = f"holds numbers that are written as texts, such as {_quoted(texts.iloc[0])}"
            raise ColumnError(name, cause, f"Write bare numbers, in one way throughout the table, or {drop}")
        cause = f"holds {len(values)} different texts in {len(texts)} rows (such as {_quoted(texts.iloc[0])})"
        raise ColumnError(name, cause, f"Texts like these cannot be turned into numbers: {drop}")
    return values


def _quoted(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else f"{text[:37]}…")
