"""Tables as pandas frames: text of any common dialect, .xlsx, .parquet, .feather, and frames that Python holds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data import row_draw
from isthmus.data.column_use import ColumnUse
from isthmus.data.columnar import COLUMNAR, ColumnarFile, counts_on, with_floats
from isthmus.data.damaged_files import file_errors
from isthmus.data.dialect import Dialect, read_dialect
from isthmus.data.extra_rows import without_extra_rows
from isthmus.data.header import refuse_repeated
from isthmus.data.held_rows import HeldRows
from isthmus.data.numerals import EXACT, refuse_inexact
from isthmus.data.table_format import TableFormat
from isthmus.data.table_size import refuse_too_large, text_rows
from isthmus.data.text_stream import COMPRESSED, open_text
from isthmus.data.workbook import read_sheet, sheet_columns
from isthmus.errors import ColumnError, FileFormatError, MissingExtraError

TEXT_KINDS = (".csv", ".tsv", ".txt")
TABLE_KINDS = (*TEXT_KINDS, ".xlsx", *COLUMNAR)
_INDEX = re.compile(r"Unnamed: \d+|__index_level_\d+__")
_DIGITS = 15  # of a row's number


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it stands in a file.

    Attributes:
        rows: Its rows, of which there is at least one, under different names: held, or of a long file read in blocks.
        notes: What was done, in sentences.
        warnings: What was not certain.
        uses: Columns that were left out.
        decimal: The decimal sign of a text file; None of a file whose columns have types.
    """

    rows: HeldRows | ColumnarFile
    notes: list[str]
    warnings: list[str]
    uses: list[ColumnUse]
    decimal: str | None


def table_kind(path: Path) -> str | None:
    """How the file's name says that it is a table: "text", "sheet", ".parquet" or ".feather"; None if it is none."""
    kind = path.suffix.lower()
    if kind in COMPRESSED:
        return "text" if Path(path.stem).suffix.lower() in TEXT_KINDS else None
    return {".xlsx": "sheet", **dict.fromkeys(TEXT_KINDS, "text")}.get(kind, kind if kind in COLUMNAR else None)


def table_columns(path: Path, told: TableFormat) -> list[str]:
    """The names of the columns, without a look at the rows of a long file.

    Raises:
        MissingExtraError, FileFormatError, ColumnError, OptionError: As `read_table`.
    """
    kind = table_kind(path)
    told.refuse_for(str(kind))
    with file_errors(path, told.encoding):
        if kind == "text":
            return [name for name in read_dialect(path, told).header if name]
        return sheet_columns(path, told) if kind == "sheet" else list(ColumnarFile.opened(path).names)


def read_table(path: Path, told: TableFormat, *, texts: Collection[str] = ()) -> Table:
    """The table in a file.

    Args:
        path: The file.
        told: What is said of how it is written.
        texts: Columns that hold texts, even where those of a text file look like numbers.

    Raises:
        MissingExtraError: If pandas, or a package that reads this kind of file, is not installed.
        FileFormatError: If the file is damaged, empty, or not a table.
        ColumnError: If a column has no name, or the name of another.
        OptionError: If something is said that such a file does not have.
        TooLargeError: If it does not fit into the memory of this machine.
    """
    kind = table_kind(path)
    told.refuse_for(str(kind))
    with file_errors(path, told.encoding):
        if kind == "text":
            table = _text(path, told, texts)
        elif kind == "sheet":
            frame, header, notes = read_sheet(path, told)
            table = _data_rows(header, frame, Table(HeldRows(frame), notes, [], [], None))
        else:
            table = _columnar(path)
    if not table.rows.rows or not table.rows.names:
        raise FileFormatError(path, f"it has {len(table.rows.names)} columns and no rows", "Pass a table with data.")
    return table


def frame_table(frame: Any) -> Table:
    """A table that Python holds, in pandas or whatever hands its columns over as Arrow does, Polars among them."""
    if not hasattr(frame, "iloc"):
        frame = _from_arrow(frame)
    frame = frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    refuse_repeated(frame.columns)
    kept, uses = _named(with_floats(frame), list(frame.columns))
    return Table(HeldRows(kept), [], [], uses, None)


def _pandas(path: Path) -> Any:
    try:
        import pandas as pd
    except ImportError as absent:
        raise MissingExtraError(f"Reading {path.suffix} files", "pandas", "tables") from absent
    return pd


def _from_arrow(frame: Any) -> Any:
    try:
        import pyarrow as pa
    except ImportError as absent:
        raise MissingExtraError("Reading frames other than those of pandas", "pyarrow", "tables") from absent
    return pa.table(frame).to_pandas()


def _text(path: Path, told: TableFormat, texts: Collection[str]) -> Table:
    dialect = read_dialect(path, told)
    _pandas(path)
    refuse_too_large(str(path), text_rows(path, dialect.sample_bytes_per_row), len(dialect.header))
    types = {position: str for position, name in enumerate(dialect.header) if name in texts}
    frame = _parsed(path, told, dialect, dtype=types)
    for position in _beyond_precision(frame):  # once more, as it is written
        column = _parsed(path, told, dialect, dtype=str, usecols=[position]).iloc[:, 0]
        refuse_inexact(dialect.header[position], column.dropna())
    table = Table(HeldRows(frame), list(dialect.notes), list(dialect.warnings), [], dialect.decimal)
    return _data_rows(dialect.header, frame, table)


def _data_rows(header: Sequence[str], frame: Any, table: Table) -> Table:
    """The table of the rows that are data, under the names of the columns that are."""
    frame, notes, doubts = without_extra_rows(frame.set_axis(header, axis=1))
    frame, uses = _named(frame, header)
    notes, doubts = [*table.notes, *notes], [*table.warnings, *doubts]
    return replace(table, rows=HeldRows(frame), notes=notes, warnings=doubts, uses=uses)


def _parsed(path: Path, told: TableFormat, dialect: Dialect, **options: Any) -> Any:
    pd = _pandas(path)
    with open_text(path, told.encoding) as stream, warnings.catch_warnings():
        # With more fields than names pandas would drop or shift columns and only warn.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        for _ in range(dialect.lines_above):
            stream.readline()
        try:
            parsed = pd.read_csv(
                stream,
                sep=dialect.separator,
                decimal=dialect.decimal,
                header=None,
                names=list(range(len(dialect.header))),
                index_col=False,
                skipinitialspace=True,
                low_memory=False,
                **options,
            )
            return parsed.copy()  # one block a type instead of one a column: of many columns, minutes
        except pd.errors.ParserError as ragged:
            # pandas counts from the first row, a reader from the beginning of the file
            line = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(ragged))
            if line is None:
                raise ValueError(str(ragged)) from ragged
            number = int(line[2]) + dialect.lines_above
            cause = f"line {number} has {line[3]} fields where the header has {line[1]}"
            remedy = "Mend the line, or say what separates fields with --sep"
            raise FileFormatError(path, cause, f"{remedy}.") from ragged


def _beyond_precision(frame: Any) -> list[int]:
    """Columns that pandas has read in double precision although their numbers may have more digits."""
    floats = [position for position, dtype in enumerate(frame.dtypes) if dtype.kind == "f"]
    numbers = frame.iloc[:, floats].to_numpy()
    with np.errstate(invalid="ignore"):
        is_whole = (np.fmax.reduce(np.abs(numbers), 0, initial=0.0) >= EXACT) & (numbers % 1 == 0).any(0)
    return [floats[int(place)] for place in np.flatnonzero(is_whole)]


def _named(frame: Any, header: Sequence[str]) -> tuple[Any, list[ColumnUse]]:
    """The columns that have names; those without may only count rows or be empty, and are left out."""
    uses: list[ColumnUse] = []
    kept = list(range(len(header)))
    for position in (position for position, name in enumerate(header) if not name.strip()):
        column = frame.iloc[:, position]
        uses.append(_unnamed_use(position, _counts_rows(column), bool(column.isna().all())))
        kept.remove(position)
    frame, more = _without_index(frame.iloc[:, kept])
    return frame, [*uses, *more]


def _unnamed_use(position: int, counts_rows: bool, is_empty: bool) -> ColumnUse:
    if not counts_rows and not is_empty:
        remedy = "Give it a name; --drop and --target need one"
        raise ColumnError("", f"(number {position + 1}) has no name", remedy)
    reason = "no name, counts the rows" if counts_rows else "no name, empty"
    return ColumnUse(f"column {position + 1}", "left out", reason)


def _without_index(frame: Any) -> tuple[Any, list[ColumnUse]]:
    """The frame without the index that another program wrote as a column, if it only counts the rows."""
    names = [name for name in frame.columns if _INDEX.fullmatch(name) and _counts_rows(frame[name])]
    return frame.drop(columns=names), [_index_use(name) for name in names]


def _index_use(name: str) -> ColumnUse:
    return ColumnUse(name, "left out", "an index, counts the rows")


def _counts_rows(column: Any) -> bool:
    if column.dtype.kind == "O":  # a row beneath the others, which has been left out, made it one of texts
        written = column.astype(str).to_numpy(str)
        are_counts = bool(np.char.isdecimal(written).all()) and written.dtype.itemsize <= _DIGITS * 4
        return are_counts and bool((np.diff(written.astype(np.int64)) == 1).all())
    return counts_on(column)


def _columnar(path: Path) -> Table:
    """The table of a file whose columns have types: held where it is short."""
    _pandas(path)
    file = ColumnarFile.opened(path)
    refuse_too_large(str(path), min(file.rows, row_draw.MOST_ROWS), len(file.names))
    if not file.rows:
        return Table(file, [], [], [], None)
    if file.rows <= row_draw.MOST_ROWS:
        return frame_table(file.frame())
    unnamed = {name: place for place, name in enumerate(file.names) if not name.strip()}
    index = [name for name in file.names if _INDEX.fullmatch(name) and file.counts_rows(name)]
    uses = [_unnamed_use(place, file.counts_rows(name), file.is_empty(name)) for name, place in unnamed.items()]
    kept = tuple(name for name in file.names if name not in {*index, *unnamed})
    return Table(replace(file, names=kept), [], [], [*uses, *map(_index_use, index)], None)
