"""How a file of a table is written, as far as its user says so."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, fields

from isthmus.data.names import as_typed
from isthmus.errors import OptionError

WHITE_SPACE = r"\s+"
_NAMED = {"tab": "\t", "\\t": "\t", "space": WHITE_SPACE, " ": WHITE_SPACE}
_OF_TEXT = ("sep", "decimal", "encoding")
_OF_LINES = ("skip_rows", "header")


@dataclass(frozen=True)
class TableFormat:
    r"""What is said of a file; what is not is found out.

    Attributes:
        sep: What separates fields: one character, or "tab" or "space".
        decimal: "." or ",".
        encoding: Of a text file, as Python names it; None for UTF-8, or UTF-16 with its mark.
        skip_rows: Lines, or rows of a sheet, to leave out before the header.
        header: Whether the first line holds the names of the columns; without, they are x0, x1, ….
        sheet: Of a workbook; None for its only one.
    """

    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip_rows: int = 0
    header: bool = True
    sheet: str | None = None

    def __post_init__(self) -> None:
        if self.sep is not None:
            sep = _NAMED.get(self.sep, self.sep)
            if sep != WHITE_SPACE and (len(sep) != 1 or sep.isalnum() or sep in '"\r\n'):
                raise OptionError("--sep", self.sep, "one character that is no letter and no digit, tab or space")
            object.__setattr__(self, "sep", sep)
        if self.decimal not in (None, ".", ","):
            raise OptionError("--decimal", self.decimal, ". or ,")
        if self.decimal is not None and self.decimal == self.sep:
            raise OptionError("--decimal", self.decimal, "another sign than --sep")
        if self.skip_rows < 0:
            raise OptionError("--skip-rows", self.skip_rows, "at least 0")
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _checked_encoding(self.encoding))

    def refuse_others(self, allowed: tuple[str, ...], what: str) -> None:
        """Raise `OptionError` for what is said and is nothing that such a file has."""
        for each in fields(self):
            if each.name not in allowed and getattr(self, each.name) != each.default:
                given = getattr(self, each.name)
                option = "--no-header" if each.name == "header" else f"--{each.name.replace('_', '-')}"
                raise OptionError(option, True if each.name == "header" else given, f"left out for {what}")

    def refuse_for(self, kind: str) -> None:
        """Raise `OptionError` for what is said and a table of this kind does not have."""
        allowed = {"text": _OF_TEXT + _OF_LINES, "sheet": ("sheet", *_OF_LINES)}.get(kind, ())
        described = {"text": "a text file", "sheet": "a workbook"}.get(
            kind, f"{kind}, which says itself how it is written"
        )
        self.refuse_others(allowed, described)


def refuse_table_options(what: str, told: TableFormat, drop: str | Sequence[str] = (), missing: str = "refuse") -> None:
    """Raise `OptionError` for whatever is said of how a table is read, where there is none but `what`."""
    told.refuse_others((), what)
    if drop:
        raise OptionError("--drop", as_typed(drop), f"left out for {what}")
    if missing != "refuse":
        raise OptionError("--missing", missing, f"left out for {what}")


def _checked_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name)
        "".encode(found.name)  # some codecs are none of texts
    except LookupError as unknown:
        raise OptionError("--encoding", name, "one that Python knows, such as cp1252, latin-1 or utf-16") from unknown
    return found.name
