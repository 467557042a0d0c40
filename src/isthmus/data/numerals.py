"""Numbers that are written as texts: with thousands apart, with a unit, or beside a text that is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.quoting import quoted, row_number
from isthmus.errors import ColumnError

_EXPONENT = r"([eE][+-]?\d+)?"
_PLAIN = re.compile(rf"[+-]?(\d+\.?\d*|\.\d+){_EXPONENT}")
_GROUPED = re.compile(r"[+-]?(\d{1,3}([,.' \u2019\u00a0\u202f]\d{3})+([.,]\d+)?|\d+,\d+)")
_CONTINENTAL = re.compile(rf"(\d{{1,3}}(\.\d{{3}})+|\d+)?(,\d+)?{_EXPONENT}")  # 1.234,5 without its sign
_DECIMAL_POINT = re.compile(rf"[+-]?\d*\.\d+{_EXPONENT}")
_SYMBOLS = "%‰°$€£¥"
_QUANTITY = re.compile(
    rf"(?P<sign>[+-]?)(?P<before>[{_SYMBOLS}]?)\s*(?P<number>[\d.,'\u2019\u00a0\u202f]*\d{_EXPONENT})"
    r"\s*(?P<after>([^\d\s.,;:+-][^\d\s]{0,5})?)"
)
_WHOLE = re.compile(r"[+-]?\d+")
_MINUS = "\u2212"  # as typesetters write it
EXACT = 2**53
"""Whole numbers up to here are themselves in double precision."""
_EXACT_DIGITS = 15  # whole numbers of so many digits are themselves in double precision
_POINTS = "Write numbers with a decimal point and without thousands separators"


@dataclass(frozen=True)
class _Quantity:
    """A number as it is written, and its unit, which may be none."""

    number: str
    unit: str

    @property
    def is_plain(self) -> bool:
        """Whether Python would read the number."""
        return _PLAIN.fullmatch(self.number) is not None


def texts_as_numbers(frame: Any, decimal: str | None, *, texts: Collection[str] = ()) -> tuple[Any, list[str]]:
    """The rows of a text file, with columns that hold numbers alone as numbers, and what was done.

    Where commas are decimal, points part thousands, and columns of numbers are rewritten with a decimal point.

    Args:
        frame: A pandas frame.
        decimal: The decimal sign of the file; None of a file whose columns have types, which are left as they are.
        texts: Columns that hold texts, even where they look like numbers.

    Raises:
        ColumnError: If points are decimal in a column of numbers, and commas in others; or if whole numbers have more
            digits than double precision.
    """
    if decimal is None:
        return frame, []
    notes: list[str] = []
    changed: dict[str, Any] = {}
    for name in frame.columns[[dtype.kind == "O" for dtype in frame.dtypes]]:
        known = frame[name].dropna().astype(object)
        if name in texts or known.empty:
            continue
        written = [str(text).replace(_MINUS, "-") for text in known]
        if decimal == ",":
            written, has_thousands = _with_points(name, known, written)
            if has_thousands:
                notes.append(f"Points in column {name!r} were read as thousands separators, as commas are decimal.")
        bare = [text.strip() for text in written]  # pandas does not know all that is a space
        if all(map(_PLAIN.fullmatch, bare)):
            refuse_inexact(name, bare)
            changed[name] = known.mask(known.notna(), bare).astype(np.float64)
        elif decimal == "," and written != known.tolist():
            changed[name] = known.mask(known.notna(), written)
    frame = frame.copy()
    for name, column in changed.items():
        frame[name] = column.reindex(frame.index)
    return frame, notes


def refuse_inexact(name: str, texts: Iterable[str]) -> None:
    """Raise `ColumnError` for whole numbers with more digits than double precision: different ones would be equal."""
    number = next((text for text in map(str.strip, texts) if _WHOLE.fullmatch(text) and _is_inexact(text)), None)
    if number is not None:
        cause = f"holds whole numbers such as {number}, of more digits than double precision has"
        raise ColumnError(name, cause, f"Identifiers are no inputs: use --drop {name!r}")


def _is_inexact(text: str) -> bool:
    return len(text) > _EXACT_DIGITS and int(float(text)) != int(text)


def quantities(texts: Sequence[str]) -> tuple[NDArray[np.float64], str] | None:
    """Numbers `(n,)` and their unit, if each text is a number with one and the same unit, such as 5% or 2.5 kg."""
    found = [each for text in texts if (each := _quantity(text)) is not None and each.unit and each.is_plain]
    if len(found) < len(texts) or len({each.unit for each in found}) > 1:
        return None
    return np.array([each.number for each in found], np.float64), found[0].unit


def refuse_mixed(name: str, column: Any) -> None:
    """Raise `ColumnError` for a column of numbers that texts such as "-" or "1,234" have turned into texts."""
    texts = column.astype(str).tolist()
    found = _numbers(texts)
    if 2 * sum(each is not None for each in found) <= len(texts):
        return
    row = next((row for row, each in enumerate(found) if each is None or not each.is_plain), None)
    if row is None:  # texts by type, as they are in .parquet
        return
    cause = f"holds numbers, but {quoted(texts[row])} in row {row_number(column, row)}"
    if found[row] is not None:
        raise ColumnError(name, cause, f"{_POINTS}, or use --drop {name!r}")
    raise ColumnError(name, cause, f"Correct it, leave it empty and use --missing drop, or use --drop {name!r}")


def _numbers(texts: Sequence[str]) -> list[_Quantity | None]:
    """The numbers among the texts, bare ones or those with the commonest symbol; of one unit of letters if all are."""
    found = [_quantity(text) for text in texts]
    units = Counter(each.unit for each in found if each is not None)
    if len(units) == 1 and units.total() == len(texts):
        return found
    unit = max(("", *_SYMBOLS), key=lambda unit: units[unit])
    return [each if each is not None and each.unit == unit else None for each in found]


def _quantity(text: str) -> _Quantity | None:
    text = text.strip().replace(_MINUS, "-")
    if _PLAIN.fullmatch(text) or _GROUPED.fullmatch(text):
        return _Quantity(text, "")
    parts = _QUANTITY.fullmatch(text)
    if parts is None or re.match(r"0\d", parts["number"]):  # 007A is no number
        return None
    found = _Quantity(parts["sign"] + parts["number"], parts["before"] + parts["after"])
    return found if found.is_plain or _GROUPED.fullmatch(found.number) else None


def _with_points(name: str, column: Any, texts: list[str]) -> tuple[list[str], bool]:
    """A column of numbers with decimal points instead of commas, and whether points had parted its thousands."""
    rewritten = [_with_point(text) for text in texts]
    found = _numbers(rewritten)
    if 2 * sum(each is not None for each in found) <= len(texts):
        return texts, False
    for row, text in enumerate(rewritten):
        if text == texts[row] and _DECIMAL_POINT.fullmatch(text.strip()):
            cause = f"holds {quoted(text)} in row {row_number(column, row)}, in a table whose decimal sign is the comma"
            raise ColumnError(name, cause, f"Write all numbers in one way, or use --drop {name!r}")
    return rewritten, any("." in text for text in texts)


def _with_point(text: str) -> str:
    parts = _QUANTITY.fullmatch(text.strip())
    if parts is None or not _CONTINENTAL.fullmatch(parts["number"]):
        return text
    number = parts["number"].replace(".", "").replace(",", ".")
    return f"{parts['sign']}{parts['before']}{number}{parts['after']}"
