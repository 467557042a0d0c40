"""Rows and targets checked as scikit-learn does, and what cannot be used named by its column, with a remedy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from isthmus.data.dataset import Floats
from isthmus.errors import ColumnError, NonFiniteError
from isthmus.foundation.matrices import check_scale

_MISSING = ("NAType", "NaTType")  # of pandas, by name: it need not be installed
_DATES = (date, timedelta, np.datetime64, np.timedelta64)


def checked_rows(estimator: Any, X: Any, *, is_fit: bool) -> Floats:
    """The rows of `X` `(n, d)` in float64, checked against the fitted columns unless they are being fitted.

    Raises:
        ValueError, TypeError: As `sklearn.utils.validation.validate_data`, if X is no matrix or has other columns.
        ColumnError: If a column holds texts that are no numbers, or dates, or varies by too little to be squared.
        NonFiniteError: If an entry is missing, NaN or infinite.
        ScaleError: If an entry is too large to be squared.
    """
    with _refused_by_column(X, None, is_numeric=True):
        how = {"ensure_min_samples": 2} if is_fit else {}
        x: Floats = validate_data(estimator, X, reset=is_fit, dtype=np.float64, ensure_all_finite=False, **how)
    _check_numbers(x, "X", _names(X, x.shape[1]), is_fit=is_fit)
    return x


def checked_targets(estimator: Any, X: Any, y: Any, *, is_numeric: bool) -> tuple[Floats, NDArray[Any]]:
    """X as `checked_rows`, and y: `(n,)` or `(n, d_out)` in float64 if it is numeric, else one label a row, `(n,)`.

    Raises:
        ValueError, TypeError, ColumnError, NonFiniteError, ScaleError: As `checked_rows`, for X or for y.
    """
    how = {"dtype": np.float64, "ensure_all_finite": False, "ensure_min_samples": 2}
    with _refused_by_column(X, y, is_numeric=is_numeric):
        x, checked = validate_data(estimator, X, y, multi_output=is_numeric, y_numeric=is_numeric, **how)
        targets: NDArray[Any] = np.asarray(checked, np.float64) if is_numeric else checked
    _check_numbers(x, "X", _names(X, x.shape[1]), is_fit=True)
    if is_numeric:
        columns = targets.reshape(len(targets), -1)
        _check_numbers(columns, "y", _names(y, columns.shape[1]), is_fit=True)
    elif targets.dtype.kind == "O":
        _check_entries(y, "y", None, is_numeric=False)
    return x, targets


@contextmanager
def _refused_by_column(X: Any, y: Any, *, is_numeric: bool) -> Iterator[None]:
    """Where scikit-learn refuses: a `ColumnError` or `NonFiniteError` if one entry can be blamed, else its own."""
    try:
        yield
    except (TypeError, ValueError) as refused:
        _check_entries(X, "X", refused, is_numeric=True)
        _check_entries(y, "y", refused, is_numeric=is_numeric)
        raise


def _check_entries(data: Any, what: str, refused: Exception | None, *, is_numeric: bool) -> None:
    """Raise for the first entry, column by column, that is no number where it should be, or missing from y."""
    entries = _entries(data)
    if entries is None or (what == "X" and entries.dtype.kind in "fiub"):  # NaN in X is found later, and faster
        return
    names = _names(data, entries.shape[1])
    for j, column in enumerate(entries.T):
        for row, entry in enumerate(column):
            if what == "y" and _is_missing(entry):
                raise NonFiniteError(what, row, _place(names, j)) from refused
            if is_numeric and (kind := _kind(entry)):
                name = _called(names, what, j, entries.shape[1])
                raise ColumnError(name, f"holds {kind} {str(entry)!r} (row {row})", _remedy(what, kind)) from refused


def _entries(data: Any) -> NDArray[Any] | None:
    """The entries, `(n, d)`; None of what is no table, as sparse matrices are to numpy."""
    try:
        entries = np.asarray(data)
    except ValueError:
        return None
    return entries[:, None] if entries.ndim == 1 else entries if entries.ndim == 2 else None


def _kind(entry: Any) -> str | None:
    if isinstance(entry, _DATES):
        return "the date"
    if isinstance(entry, str | bytes):
        try:
            float(entry)
        except ValueError:
            return "the text"
    return None


def _remedy(what: str, kind: str) -> str:
    if what == "y":
        return "Encode it as numbers, or use RankClassifier for classes"
    if kind == "the date":
        return "Express it as a number, for example as days since the first"
    return "Encode it as numbers, for example with sklearn.preprocessing.OneHotEncoder, or leave it out"


def _is_missing(entry: Any) -> bool:
    if entry is None or type(entry).__name__ in _MISSING:
        return True
    return isinstance(entry, Real) and not math.isfinite(entry)


def _check_numbers(x: Floats, what: str, names: Sequence[Any] | None, *, is_fit: bool) -> None:
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        raise NonFiniteError(what, int(bad[0, 0]), _place(names, int(bad[0, 1])))
    columns = x.shape[1]
    check_scale(
        x, what, place=lambda j: _place(names, j), called=lambda j: _called(names, what, j, columns), is_fit=is_fit
    )


def _names(data: Any, columns: int) -> list[Any] | None:
    """What a table calls its columns, or a series itself; None where there are no names."""
    names = getattr(data, "columns", None)
    if names is None and columns == 1:
        names = [name] if (name := getattr(data, "name", None)) is not None else None
    return list(names) if names is not None and len(names) == columns else None


def _place(names: Sequence[Any] | None, column: int) -> int | str:
    return column if names is None else repr(str(names[column]))


def _called(names: Sequence[Any] | None, what: str, column: int, columns: int) -> str:
    if names is not None:
        return str(names[column])
    return what if what == "y" and columns == 1 else f"{what}[:, {column}]"
