"""What stands in a file, as a message quotes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LONGEST, _MOST = 40, 6


def quoted(value: object) -> str:
    """A value between quotation marks, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}…")


def some(names: Sequence[str], most: int = _MOST) -> str:
    """The first of several names, and the last where there are more."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 2])}, … {names[-1]}"


def row_number(frame: Any, position: int) -> int:
    """The number of a row of a pandas frame or column in its file, from 1: the rows that were left out count."""
    return int(frame.index[position]) + 1
