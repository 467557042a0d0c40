"""Files of tables as pandas frames: .csv and .tsv of any common dialect, and .parquet."""

from __future__ import annotations

import csv
import decimal
import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.dialect import read_dialect
from isthmus.data.header import refuse_repeated
from isthmus.errors import ColumnError, FileFormatError, IsthmusError, MissingExtraError

_SAVE_AGAIN = "Save the table again as comma-separated UTF-8 text, or as .parquet."


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it stands in a file.

    Attributes:
        frame: A pandas frame with at least one row and columns of different names.
        notes: What was done, in sentences.
        decimal: The decimal sign of a text file; None of a file whose columns have types.
    """

    frame: Any
    notes: list[str]
    decimal: str | None


def table_columns(path: Path) -> list[str]:
    """The names of the columns, without a look at the rows of a long file.

    Raises:
        MissingExtraError, FileFormatError, ColumnError: As `read_table`.
    """
    with _file_errors(path):
        return _parquet_columns(path) if _is_parquet(path) else [name for name in read_dialect(path).header if name]


def read_table(path: Path, *, texts: Collection[str] = ()) -> Table:
    """The table in a file.

    Args:
        path: The file; .parquet, or text of any kind.
        texts: Columns that hold texts, even where those of a text file look like numbers.

    Raises:
        MissingExtraError: If pandas, or pyarrow for .parquet, is not installed.
        FileFormatError: If the file is damaged, empty, or not a table.
        ColumnError: If a column has no name, or the name of another.
    """
    with _file_errors(path):
        table = _parquet(path) if _is_parquet(path) else _text(path, texts)
    if table.frame.empty:
        raise FileFormatError(path, f"it has {len(table.frame.columns)} columns and no rows", "Pass a table with data.")
    return table


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    """What pandas, pyarrow and csv raise for damaged files, as `FileFormatError`."""
    try:
        yield
    except IsthmusError:
        raise
    except UnicodeDecodeError as wrong:
        cause = f"it is not UTF-8 text ({wrong.reason} at byte {_first_bad_byte(path)})"
        raise FileFormatError(path, cause, _SAVE_AGAIN) from wrong
    except (ValueError, OSError, NotImplementedError, Warning, csv.Error) as damaged:
        raise FileFormatError(path, " ".join(str(damaged).split()).rstrip("."), _SAVE_AGAIN) from damaged


def _first_bad_byte(path: Path) -> int:
    try:
        path.read_bytes().decode()  # a decoder of pieces counts from the beginning of a piece
    except UnicodeDecodeError as wrong:
        return wrong.start
    return 0


def _pandas(path: Path) -> Any:
    try:
        import pandas as pd
    except ImportError as absent:
        raise MissingExtraError(f"Reading {path.suffix} files", "pandas", "tables") from absent
    return pd


def _text(path: Path, texts: Collection[str]) -> Table:
    dialect = read_dialect(path)
    pd = _pandas(path)
    types = {position: str for position, name in enumerate(dialect.header) if name in texts}
    with path.open(encoding="utf-8-sig", newline="") as stream, warnings.catch_warnings():
        # With more fields than names pandas would drop or shift columns and only warn.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        for _ in range(dialect.lines_above):
            stream.readline()
        try:
            frame = pd.read_csv(
                stream,
                sep=dialect.separator,
                decimal=dialect.decimal,
                header=None,
                names=list(range(len(dialect.header))),
                index_col=False,
                dtype=types,
                skipinitialspace=True,
                low_memory=False,
            )
        except pd.errors.ParserError as ragged:
            # pandas counts from the first row, a reader from the beginning of the file
            told = re.sub(r"line (\d+)", lambda found: f"line {int(found[1]) + dialect.lines_above}", str(ragged))
            raise ValueError(told) from ragged
    frame, notes = _named(frame, dialect.header)
    return Table(frame, [*dialect.notes, *notes], dialect.decimal)


def _named(frame: Any, header: tuple[str, ...]) -> tuple[Any, list[str]]:
    """The frame under the names of its header, without an unnamed column that only counts rows or is empty."""
    notes: list[str] = []
    kept = list(range(len(header)))
    for position in (position for position, name in enumerate(header) if not name):
        column = frame.iloc[:, position]
        counts = column.dtype.kind in "iu" and bool((np.diff(column.to_numpy()) == 1).all())
        if not counts and not column.isna().all():
            remedy = "Give it a name in the first line; --drop and --target need one"
            raise ColumnError("", f"(number {position + 1}) has no name", remedy)
        kept.remove(position)
        notes.append(f"Column {position + 1} has no name and {'counts the rows' if counts else 'is empty'}: left out.")
    frame = frame.iloc[:, kept]
    frame.columns = [header[position] for position in kept]
    return frame, notes


def _parquet_columns(path: Path) -> list[str]:
    try:
        from pyarrow.parquet import read_schema
    except ImportError as absent:
        raise MissingExtraError("Reading .parquet files", "pyarrow", "tables") from absent
    schema = read_schema(path)
    refuse_repeated(schema.names)
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    return [str(name) for name in schema.names if name not in index]


def _parquet(path: Path) -> Table:
    _parquet_columns(path)  # pandas renames what repeats
    frame = _pandas(path).read_parquet(path, engine="pyarrow")
    frame.columns = [str(name) for name in frame.columns]
    for name in frame.columns:
        known = frame[name].dropna()
        if known.dtype.kind == "O" and len(known) and isinstance(known.iloc[0], decimal.Decimal):
            frame[name] = frame[name].astype(float)
    return Table(frame, [], None)
