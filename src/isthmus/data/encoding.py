"""Columns of a table as numbers, under names from which the encoding can be repeated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.data.dataset import Floats
from isthmus.data.dates import days_since_1970
from isthmus.data.numerals import quantities, refuse_mixed
from isthmus.data.quoting import quoted
from isthmus.errors import ColumnError

_MOST_TEXTS = 20
_LOCAL_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_WITH_UNIT = r"[\s<>≤≥~±$€£¥+-]*\d[\d.,]*\s*[^\d\s]{0,6}"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A matrix `(n, d)`, one name a column, and what was done."""

    matrix: Floats
    names: tuple[str, ...]
    notes: tuple[str, ...]


def encode(frame: Any, *, drops_constants: bool, allows_texts: bool = True) -> Encoded:
    """All columns of a pandas frame without missing values as numbers.

    `name` for numbers and booleans, `name [days]` for dates, `name [%]` for numbers with a unit, `name=value` for each
    value of a text.

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
        elif column.dtype.kind in "fiub":
            blocks.append(plain_numbers(name, column)[:, None])
            names.append(name)
        else:
            block, called, note = _encoded_texts(name, column, allows_texts)
            blocks.append(block)
            names += called
            notes.append(note)
    for name, count in Counter(names).items():
        if count > 1:
            cause = "would be the name of two inputs: a number, and a value of a text column"
            raise ColumnError(name, cause, "Rename one of the columns")
    matrix = np.concatenate(blocks, 1) if blocks else np.empty((len(frame), 0))
    return Encoded(matrix, tuple(names), tuple(notes))


def plain_numbers(name: str, column: Any) -> Floats:
    """A column of numbers or booleans `(n,)`.

    Raises:
        ColumnError: If one is infinite or missing.
    """
    # numbers in single precision and booleans fit into single precision; whole numbers may not
    is_single = column.dtype.kind == "b" or str(column.dtype).lower() == "float32"
    numbers: Floats = column.to_numpy(np.float32 if is_single else np.float64, na_value=np.nan)
    if not np.isfinite(numbers).all():
        row = int((~np.isfinite(numbers)).argmax())
        kind = "a missing" if np.isnan(numbers[row]) else "an infinite"
        raise ColumnError(name, f"holds {kind} value (row {row + 1})", f"Correct it, or use --drop {name!r}")
    return numbers


def _encoded_texts(name: str, column: Any, allows_texts: bool) -> tuple[Floats, list[str], str]:
    """Columns `(n, m)` of what is no number by type, their names, and what was done."""
    if (days := days_since_1970(column)) is not None:
        note = f"Column {name!r} holds dates; days since 1970-01-01 are used."
        return days[:, None], [f"{name} [days]"], note
    texts = column.astype(str).tolist()
    if (found := quantities(texts)) is not None:
        numbers, unit = found
        note = f"Column {name!r} holds numbers with the unit {unit!r}; the bare numbers are used."
        return numbers[:, None], [f"{name} [{unit}]"], note
    values = _few_texts(name, texts, allows_texts)
    block = (np.array(texts)[:, None] == np.array(values)).astype(np.float32)
    note = f"Column {name!r} holds {len(values)} different texts, each of which became a column."
    return block, [f"{name}={value}" for value in values], note


def _refuse_nested(name: str, column: Any) -> None:
    if column.dtype.kind == "O" and isinstance(column.iloc[0], (np.ndarray, list, tuple, dict, set, bytes)):
        kind = type(column.iloc[0]).__name__
        cause = f"holds a {kind} in each row, not a number or a text"
        raise ColumnError(name, cause, f"Give each entry a column of its own, or use --drop {name!r}")


def _few_texts(name: str, texts: Sequence[str], is_allowed: bool) -> list[str]:
    """The different texts of a column, if they are few enough to be categories."""
    refuse_mixed(name, texts)
    drop = f"use --drop {name!r}"
    if all(map(_LOCAL_DATE.fullmatch, texts)):
        cause = f"holds dates such as {quoted(texts[0])}, whose day and month cannot be told apart"
        raise ColumnError(name, cause, f"Write them as YYYY-MM-DD, or {drop}")
    if not is_allowed:
        cause = f"holds texts such as {quoted(texts[0])}, which a regression cannot predict"
        raise ColumnError(name, cause, "Use --task classification with this one target")
    values = sorted(set(texts))
    if len(values) > min(_MOST_TEXTS, len(texts) // 5):
        if sum(re.fullmatch(_WITH_UNIT, text) is not None for text in texts) > 0.5 * len(texts):
            cause = f"holds numbers that are written as texts, such as {quoted(texts[0])}"
            raise ColumnError(name, cause, f"Write bare numbers, in one way throughout the table, or {drop}")
        cause = f"holds {len(values)} different texts in {len(texts)} rows (such as {quoted(texts[0])})"
        raise ColumnError(name, cause, f"Texts like these cannot be turned into numbers: {drop}")
    return values
