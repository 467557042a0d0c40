"""Files of tables as pandas frames: .csv and .tsv of any common dialect, and .parquet."""

from __future__ import annotations

import csv
import decimal
import io
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.errors import (
    ColumnError,
    FileFormatError,
    IsthmusError,
    MissingExtraError,
)

_SAMPLE = 65536
_DECIMAL_COMMA = re.compile(r"(^|[;\t|])\s*-?\d+,\d+\s*($|[;\t|])", re.MULTILINE)


def read_table(path: Path) -> tuple[Any, list[str]]:
    """The table as a pandas frame with at least one row and columns of different names, and what was done.

    Raises:
        MissingExtraError: If pandas, or pyarrow for .parquet, is not installed.
        FileFormatError: If the file is damaged, empty, or not a table.
        ColumnError: If a column has no name, or the name of another.
    """
    try:
        import pandas as pd
    except ImportError as absent:
        raise MissingExtraError(f"Reading {path.suffix} files", "pandas", "tables") from absent
    remedy = "Save the table again as comma-separated UTF-8 text, or as .parquet."
    try:
        frame, notes = _parquet(pd, path) if path.suffix.lower() == ".parquet" else _csv(pd, path)
    except IsthmusError:
        raise
    except UnicodeDecodeError as wrong:
        raise FileFormatError(path, f"it is not UTF-8 text ({wrong.reason} at byte {wrong.start})", remedy) from wrong
    except (ValueError, OSError, NotImplementedError, pd.errors.ParserWarning, csv.Error) as damaged:
        raise FileFormatError(path, " ".join(str(damaged).split()).rstrip("."), remedy) from damaged
    if frame.empty:
        raise FileFormatError(path, f"it has {len(frame.columns)} columns and no rows", "Pass a table with data.")
    return frame, notes


def _csv(pd: Any, path: Path) -> tuple[Any, list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        sample = stream.read(_SAMPLE).lstrip("\r\n")
    if "\0" in sample:
        raise ValueError("it holds binary data, not text")
    if not sample.strip():
        raise ValueError("it is empty")
    head = re.sub(r'"[^"]*"', "", sample.splitlines()[0])  # a separator inside quotes separates nothing
    separator = max(",;\t|", key=head.count)
    header = [name.strip() for name in next(csv.reader(io.StringIO(sample), delimiter=separator))]
    _refuse_repeated(name for name in header if name)
    has_decimal_comma = separator != "," and _DECIMAL_COMMA.search(sample) is not None
    with warnings.catch_warnings():
        # With more fields than names pandas would drop or shift columns and only warn.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            path,
            sep=separator,
            decimal="," if has_decimal_comma else ".",
            encoding="utf-8-sig",
            index_col=False,
            skipinitialspace=True,
            low_memory=False,
        )
    frame, notes = _named(frame, header)
    if has_decimal_comma:
        notes.append("Commas in numbers were read as decimal commas.")
    return frame, notes


def _named(frame: Any, header: list[str]) -> tuple[Any, list[str]]:
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


def _parquet(pd: Any, path: Path) -> tuple[Any, list[str]]:
    try:
        import pyarrow.parquet
    except ImportError as absent:
        raise MissingExtraError("Reading .parquet files", "pyarrow", "tables") from absent
    _refuse_repeated(pyarrow.parquet.read_schema(path).names)
    frame = pd.read_parquet(path, engine="pyarrow")
    frame.columns = [str(name) for name in frame.columns]
    for name in frame.columns:
        known = frame[name].dropna()
        if known.dtype.kind == "O" and len(known) and isinstance(known.iloc[0], decimal.Decimal):
            frame[name] = frame[name].astype(float)
    return frame, []


def _refuse_repeated(names: Any) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ColumnError(name, "stands in the header more than once", "Give each column its own name.")
        seen.add(name)
