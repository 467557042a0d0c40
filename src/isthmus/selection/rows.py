"""Rows as they are passed to `select_rank`, checked and merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.data import Sample, Task
from isthmus.data.dataset import Floats, Integers
from isthmus.data.row_draw import MOST_ROWS
from isthmus.errors import OptionError, ShapeError
from isthmus.foundation.arrays import as_weights
from isthmus.foundation.matrices import check_rows, plain_array, real_array, real_matrix
from isthmus.foundation.task import TASKS

_INDICES = "class indices from 0 without a gap; RankClassifier takes labels of any kind"


def as_sample(
    x: object, y: object | None, task: Task, sample_weight: object | None
) -> tuple[Sample, Floats, NDArray[np.float64]]:
    """The different rows that count; also the inputs and the weights as they were passed.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n,)` or `(n, d_out)`, or class indices `(n,)`; None for an autoencoder.
        task: What is learned.
        sample_weight: How much each row counts, `(n,)`, ≥ 0; None for all alike.

    Raises:
        ShapeError, DtypeError, NonFiniteError: If they are not finite matrices of equal length.
        OptionError: If the task is not known, or the classes are no indices.
    """
    if task not in TASKS:
        raise OptionError("task", task, " or ".join(map(repr, TASKS)))
    inputs = _matrix(x, "x")
    weights = np.ones(len(inputs)) if sample_weight is None else as_weights(sample_weight, len(inputs)).numpy()
    if task == "autoencoder":
        return Sample.merged(inputs, inputs, weights, task), inputs, weights
    if y is None:
        raise ShapeError(f"y is missing. Pass the outputs, or task='autoencoder' to learn x itself (task is {task!r}).")
    if task == "classification":
        _refuse_texts(y)
    outputs = _matrix(y, "y")
    if len(outputs) != len(inputs):
        raise ShapeError(f"x has {len(inputs)} rows and y has {len(outputs)}. Pass one output for each input.")
    targets = _indices(outputs, weights) if task == "classification" else outputs
    return Sample.merged(inputs, targets, weights, task), inputs, weights


def _matrix(data: object, what: str) -> Floats:
    """Checked; but very many rows are left as they are, in their file if they are mapped: their draw checks them."""
    array = real_array(data, what)
    if what == "y" and array.ndim == 1:
        array = array[:, None]
    check_rows(array.shape, what, is_matrix=True)
    return array if len(array) > MOST_ROWS else real_matrix(array, what)


def _refuse_texts(labels: object) -> None:
    array = plain_array(labels, "y")
    if array.size and isinstance(first := array.flat[0], str):
        raise OptionError("y", str(first), _INDICES)


def _indices(columns: Floats, weights: NDArray[np.float64]) -> Integers:
    """Class indices, `(n,)`."""
    if columns.shape[1] != 1:
        raise ShapeError(f"y has {columns.shape[1]} columns; a classification needs one class index a row.")
    indices = columns[:, 0].astype(np.int64)
    present = np.unique(indices[weights > 0])
    if (indices != columns[:, 0]).any() or not np.array_equal(present, np.arange(len(present))):
        values = np.unique(columns[weights > 0])
        found = ", ".join(f"{value:g}" for value in values[:5]) + ", …" * (len(values) > 5)
        raise OptionError("y", found, _INDICES)
    return indices
