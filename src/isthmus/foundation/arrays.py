"""Checks on arrays as they come in: real, finite, two-dimensional, or an error that says where not."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from isthmus.errors import (
    DtypeError,
    NonFiniteError,
    OptionError,
    ShapeError,
)


def as_matrix(data: object, what: str = "x") -> Tensor:
    """`data` as a finite real tensor `(n, d)` with n, d ≥ 1, sharing memory where possible.

    Integers and booleans become float32's wider sibling float64, float16 and bfloat16 become float32.

    Args:
        data: A numpy array, a torch tensor (any device), or nested sequences of numbers.
        what: How error messages call it.

    Raises:
        DtypeError: If the entries are not real numbers.
        ShapeError: If it is not two-dimensional or is empty.
        NonFiniteError: If an entry is NaN or infinite.
    """
    if isinstance(data, Tensor):
        tensor = data.detach()
    else:
        array = real_array(data, what)
        if array.dtype.kind != "f":
            array = array.astype(np.float64)
        native = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
        tensor = torch.from_numpy(native if native.flags.writeable else native.copy())  # torch has no read-only tensors
    if tensor.is_complex() or tensor.is_quantized:
        raise DtypeError(what, tensor.dtype)
    tensor = as_floating(tensor)
    check_rows(tuple(tensor.shape), what, is_matrix=True)
    finite = torch.isfinite(tensor)
    if not finite.all():
        row, column = (~finite).nonzero()[0].tolist()
        raise NonFiniteError(what, row, column)
    return tensor


def as_weights(weights: object, rows: int, what: str = "sample_weight") -> Tensor:
    """One finite weight ≥ 0 a row, `(rows,)` in float64 on the CPU, at least one of them positive.

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
    raw = weights if isinstance(weights, Tensor) else np.asarray(weights)
    if tuple(raw.shape) != (rows,):
        raise ShapeError(f"{what} has shape {tuple(raw.shape)}; one weight a row is needed, shape ({rows},).")
    found = as_matrix(raw[:, None], what)[:, 0].double().cpu()
    if bool((found < 0).any()):
        row = int((found < 0).nonzero()[0])
        raise OptionError(f"{what}[{row}]", float(found[row]), "at least 0")
    if not bool((found > 0).any()):
        raise OptionError(what, "zero everywhere", "positive for some rows")
    return found


def real_array(data: object, what: str) -> np.ndarray:
    """`data` as a numpy array of real numbers, not copied where it is one.

    Raises:
        DtypeError: If the entries are not real numbers.
        ShapeError: If rows have different lengths.
    """
    try:
        array = np.asarray(data)
    except ValueError as ragged:
        raise ShapeError(f"{what} is ragged: its rows have different lengths. Pass an (n, d) array.") from ragged
    if array.dtype.kind not in "fiub":
        raise DtypeError(what, array.dtype)
    return array


def as_floating(tensor: Tensor) -> Tensor:
    """Integers and booleans as float64, float16 and bfloat16 as float32, everything else as it is."""
    if not tensor.is_floating_point():
        return tensor.double()
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def check_rows(shape: tuple[int, ...], what: str, *, is_matrix: bool = False) -> None:
    """Raise `ShapeError` unless `shape` is `(n, …)`, or `(n, d)` for a matrix, with nothing empty."""
    if len(shape) < 2 or (is_matrix and len(shape) > 2):
        raise ShapeError(
            f"{what} has shape {shape}; a matrix (n, d) with one row a sample is needed. "
            f"Reshape it, for example with .reshape(len({what}), -1)."
        )
    if 0 in shape:
        raise ShapeError(f"{what} has shape {shape}: it is empty. Pass at least one row and one column.")


def check_columns(x: Tensor, expected: int, what: str = "x") -> None:
    """Raise `ShapeError` unless `x` has the `expected` number of columns."""
    if x.shape[1] != expected:
        raise ShapeError(
            f"{what} has {x.shape[1]} columns but the network takes {expected}. "
            "Pass data with the columns it was trained on, in the same order."
        )
