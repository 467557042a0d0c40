"""Dates in ISO form as numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DATE = re.compile(r"\d{4}(?P<sign>[-/.])\d{2}((?P=sign)\d{2}(?!\d))?")
_LOCAL_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE_IN_WORDS = re.compile(rf"(\d{{1,2}}[ -])?{_MONTH}([ -]\d{{1,2}},?)?[ -]\d{{2,4}}", re.IGNORECASE)


def days_since_1970(column: Any) -> NDArray[np.float64] | None:
    """Days since 1970-01-01, or None if these are not dates in ISO form."""
    import pandas as pd

    if column.dtype.kind != "M":
        texts = column.astype(str)
        if column.dtype.kind in "fiubm" or not all(map(begins_as_date, texts)):
            return None
        texts = texts.str.replace(r"^(\d{4})[/.](\d{2})[/.](\d{2})", r"\1-\2-\3", regex=True)
        column = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
        if column.isna().any():
            return None
    elif column.dt.tz is None:
        column = column.dt.tz_localize("UTC")
    since = column - pd.Timestamp("1970-01-01", tz="UTC")
    days: NDArray[np.float64] = (since / pd.Timedelta(days=1)).to_numpy(np.float64)
    return days


def begins_as_date(text: str) -> bool:
    """Whether a text begins with a year, a month and perhaps a day."""
    found = _DATE.match(text)
    return found is not None and (found["sign"] == "-" or found.end() > len("2024/01"))


def is_written_date(text: str) -> bool:
    """Whether a text is a date in a form of which year, month and day cannot be told in every language."""
    return bool(_LOCAL_DATE.fullmatch(text) or _DATE_IN_WORDS.fullmatch(text))
