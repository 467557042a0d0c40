"""Arrays as they come in: numpy's rule and torch's are one."""

import numpy as np
import pytest
import torch

from isthmus.errors import DtypeError, NonFiniteError, OptionError, ShapeError
from isthmus.foundation.arrays import as_matrix, as_weights
from isthmus.foundation.matrices import real_matrix, weight_vector

NARROW = torch.tensor([[0.5, -3.0]])


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
        (torch.zeros(3), ShapeError, r"x has shape \(3,\)"),
        (torch.tensor([[0.0, 1.0], [torch.inf, torch.nan]]), NonFiniteError, "row 1, column 0"),
        (np.array([[object()]]), DtypeError, "object"),
        (np.array([[0.0, np.nan]]), NonFiniteError, "row 0, column 1"),
        (np.array([[0.0], [-np.inf]]), NonFiniteError, "row 1, column 0"),
        (None, DtypeError, "object"),
    ],
)
def test_what_is_not_a_finite_real_matrix_is_refused(data, error, message):
    said = []
    for check in (as_matrix, real_matrix):
        with pytest.raises(error, match=message) as refused:
            check(data)
        said.append(str(refused.value).replace("torch.", ""))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (np.zeros((2, 2), np.float32), torch.float32),
        (np.zeros((2, 2), np.float64), torch.float64),
        (np.zeros((2, 2), np.int8), torch.float64),
        (np.zeros((2, 2), bool), torch.float64),
        (np.zeros((2, 2), ">f8"), torch.float64),
        (np.zeros((4, 4), np.float32)[::2, ::-2], torch.float32),
        (np.zeros((2, 2), np.float16), torch.float32),
        (np.zeros((2, 2), np.longdouble), torch.float64),
        (torch.zeros(2, 2, dtype=torch.bfloat16), torch.float32),
        (torch.zeros(2, 2, dtype=torch.float8_e5m2), torch.float32),
        (torch.zeros(2, 2, dtype=torch.long), torch.float64),
        ([[1, 2], [3, 4]], torch.float64),
    ],
)
def test_real_matrices_are_taken(data, dtype):
    matrix = as_matrix(data)
    assert matrix.dtype == dtype
    assert matrix.shape == (2, 2)
    again = real_matrix(data)
    assert torch.from_numpy(again).dtype == dtype
    assert again.flags.c_contiguous
    assert again.flags.writeable
    assert np.array_equal(matrix.numpy(), again)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float8_e5m2, torch.float32, torch.float64])
def test_narrow_types_keep_their_values(dtype):
    tensor = NARROW.to(dtype).requires_grad_(dtype != torch.float8_e5m2)
    assert real_matrix(tensor).tolist() == as_matrix(tensor).tolist() == [[0.5, -3.0]]


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised_tensors_are_refused():
    for check in (as_matrix, real_matrix):
        with pytest.raises(DtypeError, match="qint8"):
            check(torch.quantize_per_tensor(NARROW, 0.5, 0, torch.qint8))


def test_memory_is_shared_where_possible():
    array = np.zeros((3, 2))
    assert np.shares_memory(real_matrix(array), array)
    assert np.shares_memory(as_matrix(array).numpy(), array)
    assert np.shares_memory(real_matrix(torch.from_numpy(array)), array)
    array.flags.writeable = False
    assert not np.shares_memory(as_matrix(array).numpy(), array)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0, 2.0], ShapeError, r"v has shape \(2,\); one weight a row is needed, shape \(3,\)"),
        ([1.0, [2.0], 3.0], ShapeError, "v is ragged"),
        (["a", "b", "c"], DtypeError, "not real numbers"),
        ([1.0, -2.0, 0.0], OptionError, r"v\[1\] is -2.0 but must be at least 0"),
        ([0, 0, 0], OptionError, "v is 'zero everywhere' but must be positive for some rows"),
        (torch.tensor([1.0, 1.0, torch.nan]), NonFiniteError, "v holds NaN or infinity"),
    ],
)
def test_what_is_not_one_weight_a_row_is_refused(weights, error, message):
    for check in (weight_vector, as_weights):
        with pytest.raises(error, match=message):
            check(weights, 3, "v")


@pytest.mark.parametrize("weights", [[0, 2, 1], np.float32([0, 2, 1]), torch.tensor([0, 2, 1])])
def test_weights_are_taken_in_double_precision(weights):
    assert weight_vector(weights, 3).dtype == np.float64
    assert as_weights(weights, 3).tolist() == weight_vector(weights, 3).tolist() == [0.0, 2.0, 1.0]
