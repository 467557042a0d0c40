"""What stands in a file, as a message quotes it."""

from __future__ import annotations

_LONGEST = 40


def quoted(value: object) -> str:
    """A value between quotation marks, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}…")
