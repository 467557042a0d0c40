"""What looks wrong about the inputs of a table, in sentences: nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.categories import resembles_number
from isthmus.data.column_use import ColumnUse
from isthmus.data.dataset import Floats
from isthmus.data.quoting import quoted, some

_COPY = 0.9999  # correlation from which an input is called a copy: rounding to two digits leaves more
_CODE = re.compile(
    r"(^|[^a-z])(id|ids|uid|uuid|zip|zipcode|plz|postcode|postal|code|barcode|ean|isbn|phone|tel)([^a-z]|$)"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SENTINELS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0)
_OTHER_FORMS = re.compile(r"[+-]?0x[0-9a-f]+|\d+/\d+|\(\d[\d.,]*\)|[\d_]*\d|\d[\d.]*[+-]\d[\d.]*[ij]", re.IGNORECASE)
_LEAST = 20  # rows from which a column of different whole numbers is suspicious
_MOST_NAMED = 6


def suspicions(frame: Any, uses: Sequence[ColumnUse], targets: Sequence[str], *, rows: int) -> list[str]:
    """Warnings about columns that are used as inputs.

    Args:
        frame: A pandas frame, numbers as numbers.
        uses: What became of its columns.
        targets: Columns that are predicted.
        rows: How many there are in the table; `frame` may hold some of them, those with the extremes among them.
    """
    inputs = [use.name for use in uses if use.kind != "left out"]
    categories = [use.name for use in uses if use.kind == "categories"]
    kinds = {name: dtype.kind for name, dtype in zip(frame.columns, frame.dtypes, strict=True)}
    numeric = [name for name in inputs if kinds[name] in "fiu"]
    numbers = frame[numeric].to_numpy(np.float64, na_value=np.nan) if numeric else np.empty((len(frame), 0))
    texts = [name for name in inputs if kinds[name] == "O"]
    copies = _copies(frame, numbers, numeric, texts, targets)
    found = {
        "a copy, or nearly one, of a target: a rank that is found through it says nothing": copies,
        "a number that counts the rows or names each of them, as identifiers do": _identifiers(numbers, numeric, rows),
        "numbers that look like codes, whose size means nothing": _codes(numbers, numeric),
        "whole numbers that read as dates, 20240131, and are used as they are": _packed_dates(numbers, numeric),
        "one far value again and again, as gaps are written": _sentinels(numbers, numeric),
        "texts that look like numbers, used as categories": _numbers_as_texts(frame, categories),
    }
    return [_said(cause, names) for cause, each in found.items() if (names := list(each))]


def _said(cause: str, names: Sequence[str]) -> str:
    called = some([quoted(name) for name in names], _MOST_NAMED)
    what = f"Input {called} holds" if len(names) == 1 else f"{len(names)} inputs ({called}) hold each"
    return f"{what} {cause}. Leave it out with --drop unless it is meant."


def _copies(
    frame: Any, numbers: Floats, numeric: Sequence[str], texts: Sequence[str], targets: Sequence[str]
) -> Iterator[str]:
    names: dict[str, None] = {}
    for target in targets:
        column = frame[target]
        if column.dtype.kind in "fiu":
            y = column.to_numpy(np.float64, na_value=np.nan)
            names |= dict.fromkeys(
                name for name, r in zip(numeric, _correlations(numbers, y), strict=True) if r > _COPY
            )
        if column.dtype.kind != "f" and 1 < column.nunique() <= len(column) / 2:  # classes
            names |= dict.fromkeys(name for name in [*texts, *numeric] if _renames(frame[name], column))
    yield from names


def _correlations(x: Floats, y: Floats) -> NDArray[np.float64]:
    """|r| of each column with y, over the rows where both are there; 0 where one does not vary."""
    return np.array([_correlation(column, y) for column in x.T])


def _correlation(x: Floats, y: Floats) -> float:
    """Of one column at a time: of a long table the copies of all together would take several times its memory."""
    is_known = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[is_known], y[is_known]
    if not len(x):
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # numbers that cannot be squared are refused later, by name
        dx, dy = x - x.mean(), y - y.mean()
        scale = np.sqrt((dx @ dx) * (dy @ dy))
        return float(np.abs(dx @ dy) / scale) if scale > 0 else 0.0


def _renames(column: Any, target: Any) -> bool:
    """Whether each class has a value of its own, and the other way round."""
    if column.nunique() != target.nunique():
        return False
    pairs = column.astype(str).str.cat(target.astype(str), sep="\0")
    return bool(pairs.nunique() == target.nunique())


def _identifiers(numbers: Floats, names: Sequence[str], rows: int) -> Iterator[str]:
    if len(numbers) < _LEAST or not names:
        return
    with np.errstate(invalid="ignore"):
        is_whole = (numbers == np.round(numbers)).all(0)
        is_dense = numbers.max(0) - numbers.min(0) == rows - 1
    for position in np.flatnonzero(is_whole & is_dense).tolist():
        if len(np.unique(numbers[:, position])) == len(numbers):
            yield names[position]


def _codes(numbers: Floats, names: Sequence[str]) -> Iterator[str]:
    for position, name in enumerate(names):
        if _CODE.search(_CAMEL.sub("_", name).lower()):
            known = numbers[:, position][~np.isnan(numbers[:, position])]
            if (known == np.round(known)).all():
                yield name


def _packed_dates(numbers: Floats, names: Sequence[str]) -> Iterator[str]:
    with np.errstate(invalid="ignore"):
        is_in_range = ((numbers >= 19000101) & (numbers <= 21001231)).all(0)
    for position in np.flatnonzero(is_in_range).tolist() if len(numbers) else ():
        months, days = (numbers[:, position] // 100) % 100, numbers[:, position] % 100
        if ((months >= 1) & (months <= 12) & (days >= 1) & (days <= 31) & (days == np.round(days))).all():
            yield names[position]


def _sentinels(numbers: Floats, names: Sequence[str]) -> Iterator[str]:
    """Columns with a value such as −999, twice at least, farther from the others than these lie apart."""
    at_ends = np.isin(np.stack([_extreme(numbers, np.fmin), _extreme(numbers, np.fmax)]), _SENTINELS).any(0)
    for position in np.flatnonzero(at_ends).tolist():
        known = numbers[:, position][~np.isnan(numbers[:, position])]
        for value in (known.min(), known.max()):
            rest = known[known != value]
            if value in _SENTINELS and len(known) - len(rest) > 1 and len(rest) > 1:
                distance = min(abs(rest.min() - value), abs(rest.max() - value))
                if distance > rest.max() - rest.min():
                    yield names[position]


def _extreme(numbers: Floats, choose: Any) -> Any:
    return choose.reduce(numbers, 0) if len(numbers) else np.zeros(numbers.shape[1])


def _numbers_as_texts(frame: Any, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        values = frame[name].dropna().astype(str).unique()
        strange = sum(resembles_number(text) or _OTHER_FORMS.fullmatch(text) is not None for text in values)
        if 2 * strange > len(values):
            yield name
