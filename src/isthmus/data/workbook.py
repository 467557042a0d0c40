"""Sheets of .xlsx workbooks: their values as they stand, without formulas, links or anything that acts."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import Any

from isthmus.data.header import checked_header, numbered_header
from isthmus.data.quoting import quoted
from isthmus.data.table_format import TableFormat
from isthmus.errors import FileFormatError, MissingExtraError, OptionError
from isthmus.foundation.memory import refuse_beyond_memory

_HEAD = 100  # rows among which the header is
_IN_MEMORY = 3  # times the size of the unpacked text
_SAVE_AGAIN = "Save the table again as .xlsx or as comma-separated UTF-8 text."


def sheet_columns(path: Path, told: TableFormat) -> list[str]:
    """The names of the columns, from the first rows alone."""
    _, header, _ = _taken_apart(path, told, _rows(path, told, _HEAD))
    return [name for name in header if name]


def read_sheet(path: Path, told: TableFormat) -> tuple[Any, tuple[str, ...], list[str]]:
    """A pandas frame without names, the header, and what was done."""
    return _taken_apart(path, told, _rows(path, told, None))


def _rows(path: Path, told: TableFormat, most: int | None) -> Any:
    """Cells of the sheet from the top, as pandas reads them without a header."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except zipfile.BadZipFile as other:
        raise FileFormatError(path, "it is no .xlsx workbook", _SAVE_AGAIN) from other
    refuse_beyond_memory(f"what is packed in {path}", _IN_MEMORY * size)
    try:
        import openpyxl
        import pandas as pd
    except ImportError as absent:
        raise MissingExtraError("Reading .xlsx files", "pandas and openpyxl", "tables") from absent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions, which are not read
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            names = [sheet.title for sheet in book.worksheets]
        finally:
            book.close()
        sheet = _sheet(path, told.sheet, names)
        return pd.read_excel(
            path, sheet_name=sheet, header=None, nrows=most, skiprows=told.skip_rows, dtype=object, engine="openpyxl"
        )


def _sheet(path: Path, given: str | None, names: Sequence[str]) -> str:
    listed = ", ".join(map(quoted, names[:10])) + (", …" if len(names) > 10 else "")
    if given is not None:
        if given not in names:
            raise OptionError("--sheet", given, f"one of {listed}")
        return given
    if len(names) != 1:
        raise FileFormatError(path, f"it has {len(names)} sheets ({listed})", "Say which with --sheet.")
    return names[0]


def _taken_apart(path: Path, told: TableFormat, cells: Any) -> tuple[Any, tuple[str, ...], list[str]]:
    """The rows of data with the types of their values, the header, and what was left out above it."""
    is_blank = cells.isna().all(axis=1)
    cells = cells[~is_blank]
    if cells.empty:
        raise FileFormatError(path, "the sheet is empty", "Name another with --sheet, or pass a table with data.")
    cells = cells.loc[:, cells.notna().any()]
    filled = cells.notna().sum(axis=1).to_numpy()
    begin = 0
    while begin < len(cells) - 1 and len(cells.columns) > 1 and filled[begin] == 1:  # one text over several columns
        begin += 1
    texts = [
        ["" if value != value or value is None else str(value) for value in row] for row in cells.to_numpy()[:_HEAD]
    ]
    notes = []
    if begin:
        first = next(text for text in texts[0] if text)
        notes.append(f"{begin} row{'s' * (begin > 1)} above the table left out ({quoted(first)}).")
    if not told.header:
        header, body = numbered_header(len(cells.columns)), cells.iloc[begin:]
    else:
        line = int(cells.index[begin]) + told.skip_rows + 1
        header = checked_header(path, [text.strip() for text in texts[begin]], texts[begin + 1 :], line)
        body = cells.iloc[begin + 1 :]
    if body.empty:
        raise FileFormatError(path, f"it has {len(header)} columns and no rows", "Pass a table with data.")
    body = body.set_axis(body.index - body.index[0]).map(_plain).infer_objects()
    return body, header, notes


def _plain(value: Any) -> Any:
    """Times of day as durations since midnight; other values as they are."""
    return value.isoformat() if isinstance(value, time) else value
