"""How a table is written and read: the options that every command that reads one has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from isthmus.data import TableFormat

_TAKES = "table"  # the parameter of a command that the options stand for


class MissingName(StrEnum):
    """What to do with missing values."""

    refuse = "refuse"
    drop = "drop"
    indicate = "indicate"


@dataclass(frozen=True)
class TableOptions:
    """What was said of a table on the command line; each field is an option."""

    drop: Annotated[
        list[str] | None, typer.Option(help="Columns to leave out, separated by commas or given again.", metavar="COLS")
    ] = None
    missing: Annotated[
        MissingName, typer.Option(help="Missing values: their rows dropped, or the median and a column that tells.")
    ] = MissingName.refuse
    sep: Annotated[
        str | None, typer.Option(help="What separates fields of a text: a sign, tab or space.", metavar="SIGN")
    ] = None
    decimal: Annotated[str | None, typer.Option(help="Decimal sign of a text: . or ,", metavar="SIGN")] = None
    encoding: Annotated[
        str | None, typer.Option(help="Of a text, cp1252 for example. Default: UTF-8.", metavar="NAME")
    ] = None
    skip_rows: Annotated[int, typer.Option(help="Lines above the names of the columns.", min=0)] = 0
    no_header: Annotated[bool, typer.Option("--no-header", help="The first line is data; columns are x0, x1, ….")] = (
        False
    )
    sheet: Annotated[str | None, typer.Option(help="Of an .xlsx workbook with several.", metavar="NAME")] = None

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


def with_table_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with one option for each field of `TableOptions` in place of its parameter `table`."""
    hints = get_type_hints(TableOptions, include_extras=True)
    options = [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name])
        for each in fields(TableOptions)
    ]
    parameters: list[inspect.Parameter] = []
    for each in inspect.signature(command, eval_str=True).parameters.values():
        parameters += options if each.name == _TAKES else [each.replace(kind=inspect.Parameter.KEYWORD_ONLY)]

    @wraps(command)
    def run(**given: Any) -> None:
        table = TableOptions(**{each.name: given.pop(each.name) for each in options})
        command(**given, **{_TAKES: table})

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run
