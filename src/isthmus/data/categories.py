"""Texts that are categories, and those that are something else."""

from __future__ import annotations

import re
from typing import Any

from isthmus.data.dates import is_written_date
from isthmus.data.numerals import refuse_mixed
from isthmus.data.quoting import quoted
from isthmus.errors import ColumnError

_MOST_TEXTS = 20
_WITH_UNIT = r"[\s<>≤≥~±$€£¥+-]*\d[\d.,]*\s*[^\d\s]{0,6}"


def few_texts(name: str, column: Any, is_allowed: bool, rows: int) -> list[str]:
    """The different texts of a column without missing values, if they are few enough to be categories.

    Args:
        name: Of the column.
        column: A pandas column.
        is_allowed: Whether texts may be categories.
        rows: How many rows the table has such values in; `column` may hold some of them.

    Raises:
        ColumnError: If they are not, or are numbers or dates in a form that is not read.
    """
    refuse_mixed(name, column)
    texts = column.astype(str).tolist()
    drop = f"use --drop {name!r}"
    if all(map(is_written_date, texts)):
        cause = f"holds dates such as {quoted(texts[0])}, whose year, month and day cannot be told apart"
        raise ColumnError(name, cause, f"Write them as YYYY-MM-DD, or {drop}")
    if not is_allowed:
        cause = f"holds texts such as {quoted(texts[0])}, which a regression cannot predict"
        raise ColumnError(name, cause, "Use --task classification with this one target")
    values = sorted(set(texts))
    if len(values) > min(_MOST_TEXTS, rows // 5):
        if sum(map(resembles_number, texts)) > 0.5 * len(texts):
            if column.dtype.name == "category" and column.cat.categories.dtype.kind in "fiu":
                cause = "holds numbers that its type makes categories, too many of them"
                raise ColumnError(name, cause, f"Make it a column of numbers, in pandas with astype(float), or {drop}")
            cause = f"holds numbers that are written as texts, such as {quoted(texts[0])}"
            raise ColumnError(name, cause, f"Write bare numbers, in one way throughout the table, or {drop}")
        are_some = rows > len(texts) and len(values) > _MOST_TEXTS  # of more not each is among them
        count = f"more than {_MOST_TEXTS}" if are_some else str(len(values))
        cause = f"holds {count} different texts in {rows} rows (such as {quoted(texts[0])})"
        raise ColumnError(name, cause, f"Texts like these cannot be turned into numbers: {drop}")
    return values


def resembles_number(text: str) -> bool:
    """Whether a text is a number with something before or behind it."""
    return re.fullmatch(_WITH_UNIT, text) is not None
