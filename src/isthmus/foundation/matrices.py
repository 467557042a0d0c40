"""Checks on arrays as they come in: real, finite, two-dimensional, or an error that says where not.

All of it is done with numpy: what refuses an input need not wait for torch, which takes a second to import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ColumnError, DtypeError, NonFiniteError, OptionError, ScaleError, ShapeError

Numbers = NDArray[np.floating]
# Sums of squares of what lies between, over ten million rows, stay within double precision.
_LARGEST, _SMALLEST = 1e150, 1e-150


def plain_array(data: object, what: str) -> np.ndarray:
    """`data` as a numpy array of any type, not copied where it is one or is a tensor on the CPU.

    Raises:
        ShapeError: If rows have different lengths.
        DtypeError: If it is a quantised tensor.
    """
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported it
    if torch is not None and isinstance(data, torch.Tensor):
        if data.is_quantized:
            raise DtypeError(what, data.dtype)
        is_narrow = data.is_floating_point() and data.dtype.itemsize < 4  # numpy has no bfloat16
        array: np.ndarray = (data.float() if is_narrow else data).numpy(force=True)
        return array
    try:
        return np.asarray(data)
    except ValueError as ragged:
        raise ShapeError(f"{what} is ragged: its rows have different lengths. Pass an (n, d) array.") from ragged


def real_array(data: object, what: str) -> np.ndarray:
    """`plain_array` of real numbers.

    Raises:
        DtypeError: If the entries are not real numbers.
        ShapeError: If rows have different lengths.
    """
    array = plain_array(data, what)
    if array.dtype.kind not in "fiub":
        raise DtypeError(what, array.dtype)
    return array


def real_matrix(data: object, what: str = "x") -> Numbers:
    """`data` as a finite real matrix `(n, d)` with n, d ≥ 1, sharing memory where possible.

    Integers, booleans and what is wider than float64 become float64, what is narrower than float32 becomes float32.

    Args:
        data: A numpy array, a torch tensor, or nested sequences of numbers.
        what: How error messages call it.

    Returns:
        C-contiguous and writeable, in float32 or float64.

    Raises:
        DtypeError: If the entries are not real numbers.
        ShapeError: If it is not two-dimensional or is empty.
        NonFiniteError: If an entry is NaN or infinite.
    """
    array = real_array(data, what)
    check_rows(array.shape, what, is_matrix=True)
    is_single = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    matrix: Numbers = np.require(array, np.float32 if is_single else np.float64, ["C", "W"])
    check_finite(np.isfinite(matrix), what)
    return matrix


def weight_vector(weights: object, rows: int, what: str = "sample_weight") -> NDArray[np.float64]:
    """One finite weight ≥ 0 a row, `(rows,)`, at least one of them positive.

    Args:
        weights: A numpy array, a torch tensor, or a sequence of numbers.
        rows: How many there should be.
        what: How error messages call them.

    Raises:
        DtypeError: If they are not real numbers.
        ShapeError: If there is not one a row.
        NonFiniteError: If one is NaN or infinite.
        OptionError: If one is negative, or all are zero.
    """
    raw = plain_array(weights, what)
    if raw.shape != (rows,):
        raise ShapeError(f"{what} has shape {raw.shape}; one weight a row is needed, shape ({rows},).")
    found: NDArray[np.float64] = real_matrix(raw[:, None], what)[:, 0].astype(np.float64, copy=False)
    if (found < 0).any():
        row = int((found < 0).argmax())
        raise OptionError(f"{what}[{row}]", float(found[row]), "at least 0")
    if not (found > 0).any():
        raise OptionError(what, "zero everywhere", "positive for some rows")
    return found


def check_rows(shape: tuple[int, ...], what: str, *, is_matrix: bool = False) -> None:
    """Raise `ShapeError` unless `shape` is `(n, …)`, or `(n, d)` for a matrix, with nothing empty."""
    if len(shape) < 2 or (is_matrix and len(shape) > 2):
        raise ShapeError(
            f"{what} has shape {shape}; a matrix (n, d) with one row a sample is needed. "
            f"Reshape it, for example with .reshape(len({what}), -1)."
        )
    if 0 in shape:
        raise ShapeError(f"{what} has shape {shape}: it is empty. Pass at least one row and one column.")


def check_finite(is_finite: NDArray[np.bool_], what: str) -> None:
    """Raise `NonFiniteError` for the first entry of a matrix that is not finite, where `is_finite` `(n, d)` says so."""
    if not is_finite.all():
        row, column = np.argwhere(~is_finite)[0].tolist()
        raise NonFiniteError(what, row, column)


def check_scale(
    matrix: Numbers,
    what: str,
    *,
    place: Callable[[int], int | str],
    called: Callable[[int], str],
    is_fit: bool = True,
) -> None:
    """Raise for the first column of a finite matrix `(n, d)` whose numbers cannot be squared.

    Args:
        matrix: The numbers.
        what: How error messages call it.
        place: How they call a column of it.
        called: How they call a column alone.
        is_fit: Whether it is learned from, so that columns must vary by enough, or not at all.

    Raises:
        ScaleError: If an entry is above 1e150 in magnitude.
        ColumnError: If a column varies by less than 1e-150.
    """
    sizes = np.abs(matrix).max(0).astype(np.float64)
    for column in np.flatnonzero(sizes > _LARGEST).tolist():
        where = f"{what} (row {int(np.abs(matrix[:, column]).argmax())}, column {place(column)})"
        raise ScaleError(where, float(sizes[column]), _LARGEST, precision="double")
    spreads = np.ptp(matrix, axis=0).astype(np.float64) if is_fit else np.zeros(0)
    for column in np.flatnonzero((spreads > 0) & (spreads < _SMALLEST)).tolist():
        cause = f"varies by {spreads[column]:.2g} in all, and squares of such numbers vanish in double precision"
        raise ColumnError(called(column), cause, "Express it in a smaller unit, or leave it out")
