"""Arrays as they come in."""

import numpy as np
import pytest
import torch

from isthmus.errors import DtypeError, NonFiniteError, ShapeError
from isthmus.foundation.arrays import as_matrix


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (np.zeros(3), ShapeError, r"x has shape \(3,\)"),
        (np.zeros((2, 2, 2)), ShapeError, "reshape"),
        (np.zeros((0, 3)), ShapeError, "empty"),
        (np.zeros((3, 0)), ShapeError, "empty"),
        ([[1.0], [1.0, 2.0]], ShapeError, "ragged"),
        (np.array([["a"]]), DtypeError, "not real numbers"),
        (np.array([[1j]]), DtypeError, "complex128"),
        (torch.zeros(1, 1, dtype=torch.complex64), DtypeError, "complex64"),
        (np.array([[object()]]), DtypeError, "object"),
        (np.array([[0.0, np.nan]]), NonFiniteError, "row 0, column 1"),
        (np.array([[0.0], [-np.inf]]), NonFiniteError, "row 1, column 0"),
        (None, DtypeError, "object"),
    ],
)
def test_what_is_not_a_finite_real_matrix_is_refused(data, error, message):
    with pytest.raises(error, match=message):
        as_matrix(data)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (np.zeros((2, 2), np.float32), torch.float32),
        (np.zeros((2, 2), np.float64), torch.float64),
        (np.zeros((2, 2), np.int8), torch.float64),
        (np.zeros((2, 2), bool), torch.float64),
        (np.zeros((2, 2), ">f8"), torch.float64),
        (np.zeros((4, 4), np.float32)[::2, ::-2], torch.float32),
        (torch.zeros(2, 2, dtype=torch.bfloat16), torch.float32),
        (torch.zeros(2, 2, dtype=torch.long), torch.float64),
        ([[1, 2], [3, 4]], torch.float64),
    ],
)
def test_real_matrices_are_taken(data, dtype):
    matrix = as_matrix(data)
    assert matrix.dtype == dtype
    assert matrix.shape == (2, 2)
