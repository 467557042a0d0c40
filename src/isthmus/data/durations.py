"""Durations as seconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CLOCK = re.compile(
    r"(?P<sign>[+-]?)((?P<days>\d+) days? ?\+?)?(((?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>[0-5]\d([.,]\d+)?))?"
)
_ISO = re.compile(
    r"(?P<sign>[+-]?)P((?P<days>\d+)D)?(T((?P<hours>\d+)H)?((?P<minutes>\d+)M)?((?P<seconds>\d+([.,]\d+)?)S)?)?"
)
_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_MINUTES = 60


def seconds_in(column: Any) -> NDArray[np.float64] | None:
    """Seconds `(n,)`, or None if these are no durations.

    Durations by type, h:mm:ss, m:ss, `2 days 03:00:00` as pandas writes it, and PT1H30M. Of two numbers the second may
    count minutes as well as seconds; all are then sixty times as long, which changes no unit-free result.

    Args:
        column: A pandas column without missing values.
    """
    import pandas as pd

    if column.dtype.kind == "m":
        by_type: NDArray[np.float64] = (column / pd.Timedelta(seconds=1)).to_numpy(np.float64)
        return by_type
    return seconds_of([str(text) for text in column]) if column.dtype.kind in "OTU" else None


def seconds_of(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """The same of texts."""
    found: list[float] = []
    for text in texts:
        seconds = _seconds(text.strip())
        if seconds is None:  # most columns hold none: the first text says so
            return None
        found.append(seconds)
    return np.array(found, np.float64)


def _seconds(text: str) -> float | None:
    parts = _CLOCK.fullmatch(text) or _ISO.fullmatch(text)
    if parts is None or not any(parts[name] for name in _SECONDS):
        return None
    if ":" in text and (parts["hours"] or parts["days"]) and int(parts["minutes"]) >= _MINUTES:
        return None
    size = sum(float((parts[name] or "0").replace(",", ".")) * scale for name, scale in _SECONDS.items())
    return -size if parts["sign"] == "-" else size
