"""Rows of a table that are no data: its header once more, units beneath it, totals and footers at its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.header import is_number
from isthmus.data.quoting import quoted, row_number, some

_MOST_AT_THE_END = 5
_LEAST_ROWS = 3  # rows of data, beside which another kind of row can be told
_SUMMARY = re.compile(
    r"\W*((grand|sub)[ -]?)?(total|totals|sum|summe|gesamt|gesamtsumme|somme|totale|suma|average|mean|mittelwert"
    r"|moyenne|media)\W*",
    re.IGNORECASE,
)
_NOT_A_UNIT = re.compile(r"[\W\d_]*|n/?a|nan|null|none|unknown|missing|tbd", re.IGNORECASE)
_RELATIVE = 1e-3  # sums of rounded numbers


def without_extra_rows(frame: Any) -> tuple[Any, list[str], list[str]]:
    """The rows that are data, what was left out where that is certain, and warnings where it is not.

    Args:
        frame: A pandas frame as a file of texts or a sheet holds it; its index counts the rows of the file from 0.
    """
    if not any(dtype.kind == "O" for dtype in frame.dtypes) or len(frame) < _LEAST_ROWS:
        return frame, [], []
    notes: list[str] = []
    for find in (_headers, _footers, _units):
        is_extra, note = find(frame)
        if is_extra.any() and not is_extra.all():
            notes.append(note)
            frame = frame[~is_extra]
    is_extra, note, warning = _summaries(frame)
    if is_extra.any():
        notes += [note] if note else []
        frame = frame if warning else frame[~is_extra]
    return frame.infer_objects() if notes else frame, notes, [warning] if warning else []


def _text_columns(frame: Any) -> list[int]:
    return [position for position, dtype in enumerate(frame.dtypes) if dtype.kind == "O"]


def _headers(frame: Any) -> tuple[NDArray[np.bool_], str]:
    """The header again, as where files are joined."""
    texts = _text_columns(frame)
    if len(texts) < len(frame.columns):  # it would have made every column one of texts
        return np.zeros(len(frame), bool), ""
    is_header: NDArray[np.bool_] = np.ones(len(frame), bool)
    for position in texts:
        is_header &= (frame.iloc[:, position] == frame.columns[position]).to_numpy(bool, na_value=False)
        if not is_header.any():
            return is_header, ""
    return is_header, f"The header stands in row {_rows(frame, is_header)} again: left out."


def _units(frame: Any) -> tuple[NDArray[np.bool_], str]:
    """A first row of units: texts in every column that holds numbers from the second row on."""
    is_unit = np.zeros(len(frame), bool)
    first = [frame.iloc[0, position] for position in range(len(frame.columns))]
    numeric = [position for position in _text_columns(frame) if _is_numeric(frame.iloc[1:, position])]
    units = [str(first[position]) for position in numeric]
    others = [
        dtype.kind != "O" and bool(frame.iloc[:, position].notna().any()) for position, dtype in enumerate(frame.dtypes)
    ]
    is_certain = len(units) > 1 or (len(units) == 1 and units[0][:1] in "[(")
    if is_certain and not any(others) and not any(map(_NOT_A_UNIT.fullmatch, units)):
        is_unit[0] = True
    return is_unit, f"Row {_rows(frame, is_unit)} holds units ({some([quoted(unit) for unit in units])}): left out."


def _is_numeric(column: Any) -> bool:
    known = column.dropna()
    return len(known) >= _LEAST_ROWS - 1 and all(is_number(str(text)) for text in known)


def _footers(frame: Any) -> tuple[NDArray[np.bool_], str]:
    """Last rows of which only the first field is filled, by a text."""
    is_footer = np.zeros(len(frame), bool)
    if len(frame.columns) > 1 and frame.dtypes.iloc[0].kind == "O":
        tail = frame.iloc[-_MOST_AT_THE_END:]
        alone = tail.iloc[:, 1:].isna().all(axis=1).to_numpy(bool)
        for position in range(len(tail) - 1, -1, -1):
            if not alone[position] or is_number(str(tail.iloc[position, 0])):
                break
            is_footer[len(frame) - len(tail) + position] = True
    text = quoted(frame.iloc[int(is_footer.argmax()), 0]) if is_footer.any() else ""
    return is_footer, f"Row {_rows(frame, is_footer)} at the end holds only {text}: left out."


def _summaries(frame: Any) -> tuple[NDArray[np.bool_], str, str]:
    """Last rows that are called total, mean or the like, and nothing else is; and whether that is not certain."""
    is_summary = np.zeros(len(frame), bool)
    begin = len(frame) - min(_MOST_AT_THE_END, len(frame) - _LEAST_ROWS)
    for position in _text_columns(frame):
        column = frame.iloc[:, position]
        named = [row for row in range(begin, len(frame)) if _SUMMARY.fullmatch(str(column.iloc[row]))]
        if not named or named != list(range(named[0], len(frame))):
            continue
        words, rest = {column.iloc[row] for row in named}, column.iloc[: named[0]]
        if rest.isin(words).any():
            continue
        is_summary[named] = True
        text = quoted(column.iloc[named[0]])
        row = _rows(frame, is_summary)
        if _is_numeric(rest) or frame.iloc[named].isna().any(axis=None) or _is_total(frame, named):
            return is_summary, f"Row {row} is called {text}, a summary of the others: left out.", ""
        said = f"Row {row} is called {text}, as summaries are, but holds no sum and no mean of the others: it is used."
        return is_summary, "", f"{said} Remove it if it is none of the data."
    return is_summary, "", ""


def _is_total(frame: Any, named: Sequence[int]) -> bool:
    """Whether a number in one of these rows is the sum or the mean of those above."""
    for position, dtype in enumerate(frame.dtypes):
        if dtype.kind in "fiu":
            above = frame.iloc[: named[0], position].to_numpy(np.float64, na_value=np.nan)
            sums = (np.nansum(above), np.nanmean(above)) if not np.isnan(above).all() else ()
            spread = float(np.nanmax(np.abs(above))) if sums else 0.0
            for value in frame.iloc[list(named), position].to_numpy(np.float64, na_value=np.nan):
                if any(abs(value - each) <= _RELATIVE * spread for each in sums):
                    return True
    return False


def _rows(frame: Any, is_extra: NDArray[np.bool_]) -> str:
    return some([str(row_number(frame, int(position))) for position in np.flatnonzero(is_extra)])
