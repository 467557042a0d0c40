"""Columns as a user names them: options that may be given again, each with one name or several between commas."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from isthmus.data.quoting import quoted
from isthmus.errors import OptionError

_ALL_ARE_NAMED = 12  # so many columns a reader can look through
_NEAREST = 3


def column_names(given: str | Sequence[str], columns: Sequence[str], *, option: str = "the column") -> tuple[str, ...]:
    """The columns that `given` names, in the order in which it names them.

    An entry that is a column's name, commas included, is that column; any other holds names between commas. So a table
    with the columns `a`, `b` and `c, d` knows `["a,b", "c, d"]`, and `["a, b", "c, d"]` too.

    Args:
        given: What an option was given, once or several times.
        columns: The names that exist.
        option: How error messages call the option.

    Raises:
        OptionError: If a name is that of no column; the message holds those nearest to it.
    """
    known = set(columns)
    found: list[str] = []
    for entry in _entries(given):
        whole = entry if entry in known else entry.strip()
        found += [whole] if whole in known else split_entry(entry)
    for name in found:
        if name not in known:
            hint = _hint_on_commas(name, given, columns)
            raise OptionError(option, name, f"among {nearest_columns(name, columns)}{hint}")
    return tuple(found)


def as_typed(given: str | Sequence[str]) -> str:
    """What an option was given, for messages."""
    return ",".join(_entries(given))


def split_entry(entry: str) -> list[str]:
    """The names between commas."""
    return [name.strip() for name in entry.split(",") if name.strip()]


def nearest_columns(name: str, columns: Sequence[str]) -> str:
    """In words: how many columns there are, and those whose names are nearest to `name`; all of them if few."""
    if len(columns) <= _ALL_ARE_NAMED:
        return f"the columns: {', '.join(columns)}"
    folded: dict[str, str] = {}
    for column in columns:
        folded.setdefault(column.casefold(), column)
    close: list[str] = []
    for cutoff in (0.6, 0.0):  # a slip is found quickly among many columns; anything else takes a look at each
        if len(close) < _NEAREST:
            close = difflib.get_close_matches(name.casefold(), folded, _NEAREST, cutoff=cutoff)
    return f"the {len(columns)} columns; nearest are {', '.join(quoted(folded[each]) for each in close)}"


def some_columns(columns: Sequence[str]) -> str:
    """In words: how many columns there are, the first of them and the last; all of them if few."""
    if len(columns) <= _ALL_ARE_NAMED:
        return f"the columns {', '.join(columns)}"
    return f"the {len(columns)} columns, from {', '.join(map(quoted, columns[:_NEAREST]))} to {quoted(columns[-1])}"


def _entries(given: str | Sequence[str]) -> Sequence[str]:
    return (given,) if isinstance(given, str) else given


def _hint_on_commas(name: str, given: str | Sequence[str], columns: Sequence[str]) -> str:
    """What to do where a name that holds a comma has been taken apart."""
    is_part = any("," in entry and name in split_entry(entry) for entry in _entries(given))
    whole = next((column for column in columns if "," in column and name in split_entry(column)), None)
    return f" (give {whole!r} as an option of its own, as it holds a comma)" if is_part and whole else ""
