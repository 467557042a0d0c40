"""How a table is written and read: the options that every command that reads one has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

if TYPE_CHECKING:
    from isthmus.data import TableFormat


class MissingName(StrEnum):
    """What to do with missing values."""

    refuse = "refuse"
    drop = "drop"
    indicate = "indicate"


@dataclass(frozen=True)
class TableOptions:
    """What was said of a table on the command line; each field is an option."""

    panel: ClassVar[str] = "How the table is written"

    drop: Annotated[
        list[str] | None, typer.Option(help="Columns to leave out, separated by commas or given again.", metavar="COLS")
    ] = None
    missing: Annotated[
        MissingName,
        typer.Option(
            help="Missing values: refuse them, drop their rows, or fill in the median and indicate it by a column."
        ),
    ] = MissingName.refuse
    sep: Annotated[
        str | None, typer.Option(help="What separates fields of a text: a sign, tab or space.", metavar="SIGN")
    ] = None
    decimal: Annotated[str | None, typer.Option(help="Decimal sign of a text: . or ,", metavar="SIGN")] = None
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of a text, such as cp1252. Default: UTF-8.", metavar="NAME")
    ] = None
    skip_rows: Annotated[int, typer.Option(help="Lines above the names of the columns.", min=0)] = 0
    no_header: Annotated[bool, typer.Option("--no-header", help="The first line is data; columns are x0, x1, ….")] = (
        False
    )
    sheet: Annotated[
        str | None, typer.Option(help="Which sheet of an .xlsx workbook with several.", metavar="NAME")
    ] = None

    def format(self) -> TableFormat:
        """How the table is written.

        Raises:
            OptionError: If a sign or an encoding is none.
        """
        from isthmus.data import TableFormat

        return TableFormat(self.sep, self.decimal, self.encoding, self.skip_rows, not self.no_header, self.sheet)

    def reading(self) -> dict[str, Any]:
        """The arguments `drop`, `missing` and `told` of what reads it."""
        return {"drop": list(self.drop or ()), "missing": self.missing.value, "told": self.format()}
