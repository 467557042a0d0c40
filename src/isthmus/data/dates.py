"""Dates in ISO form as numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")


def days_since_1970(column: Any) -> NDArray[np.float64] | None:
    """Days since 1970-01-01, or None if these are not dates in ISO form."""
    import pandas as pd

    if column.dtype.kind != "M":
        if not all(map(begins_as_date, column.astype(str))):
            return None
        column = pd.to_datetime(column.astype(str), format="ISO8601", errors="coerce", utc=True)
        if column.isna().any():
            return None
    elif column.dt.tz is None:
        column = column.dt.tz_localize("UTC")
    since = column - pd.Timestamp("1970-01-01", tz="UTC")
    days: NDArray[np.float64] = (since / pd.Timedelta(days=1)).to_numpy(np.float64)
    return days


def begins_as_date(text: str) -> bool:
    """Whether a text begins with a year, a month and perhaps a day."""
    return _DATE.match(text) is not None
