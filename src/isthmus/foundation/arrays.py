"""Arrays and tensors as torch tensors, under the rules of `matrices`, on whatever device they are."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.errors import DtypeError, ShapeError
from isthmus.foundation.matrices import check_finite, check_rows, real_matrix, weight_vector


def as_matrix(data: object, what: str = "x") -> Tensor:
    """`matrices.real_matrix` as a tensor; a tensor stays on its device, with its strides.

    Args:
        data: A numpy array, a torch tensor (any device), or nested sequences of numbers.
        what: How error messages call it.

    Raises:
        DtypeError: If the entries are not real numbers.
        ShapeError: If it is not two-dimensional or is empty.
        NonFiniteError: If an entry is NaN or infinite.
    """
    if not isinstance(data, Tensor):
        return torch.from_numpy(real_matrix(data, what))
    tensor = data.detach()
    if tensor.is_complex() or tensor.is_quantized:
        raise DtypeError(what, tensor.dtype)
    check_rows(tuple(tensor.shape), what, is_matrix=True)
    tensor = as_floating(tensor)
    is_finite = torch.isfinite(tensor)
    if not is_finite.all():  # only then is it worth bringing to the CPU
        check_finite(is_finite.cpu().numpy(), what)
    return tensor


def as_weights(weights: object, rows: int, what: str = "sample_weight") -> Tensor:
    """`matrices.weight_vector` as a tensor `(rows,)` in float64 on the CPU.

    Raises:
        DtypeError: If they are not real numbers.
        ShapeError: If there is not one a row.
        NonFiniteError: If one is NaN or infinite.
        OptionError: If one is negative, or all are zero.
    """
    return torch.from_numpy(weight_vector(weights, rows, what))


def as_floating(tensor: Tensor) -> Tensor:
    """Integers and booleans as float64, what is narrower than float32 as float32, everything else as it is."""
    if not tensor.is_floating_point():
        return tensor.double()
    return tensor.float() if tensor.dtype.itemsize < 4 else tensor


def check_columns(x: Tensor, expected: int, what: str = "x") -> None:
    """Raise `ShapeError` unless `x` has the `expected` number of columns."""
    if x.shape[1] != expected:
        raise ShapeError(
            f"{what} has {x.shape[1]} columns but the network takes {expected}. "
            "Pass data with the columns it was trained on, in the same order."
        )
