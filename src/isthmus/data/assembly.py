"""From arrays to a data set: checked, split and named."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.block_splitting import split_blocks
from isthmus.data.column_use import ColumnUse
from isthmus.data.dataset import Dataset, Floats, Integers, Split, Weights
from isthmus.data.labels import class_indices
from isthmus.data.near_duplicates import near_duplicates
from isthmus.data.row_blocks import RowBlocks, row_blocks
from isthmus.data.splitting import LEAST_ROWS, check_seed, checked_split, split_rows
from isthmus.errors import ConstantOutputError, OptionError, ShapeError, TooFewRowsError
from isthmus.foundation.matrices import check_scale, plain_array, real_matrix, weight_vector
from isthmus.foundation.task import TASKS, Task


def dataset_from_arrays(
    x: object,
    y: object | None = None,
    *,
    task: Task | None = None,
    weights: object | None = None,
    repeats: Integers | None = None,
    groups: object | None = None,
    times: object | None = None,
    name: str = "arrays",
    seed: int = 0,
    test: float = 0.15,
    split: Split | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    image_shape: tuple[int, int] | None = None,
    shares_unit: bool = False,
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
    columns: Sequence[ColumnUse] = (),
    fills: Mapping[str, float] | None = None,
) -> Dataset:
    """A data set from arrays.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)` or `(n,)`; labels of any kind `(n,)` for a classification; ignored for an autoencoder.
        task: Default: "regression" where `y` is given, else "autoencoder".
        weights: How much each row counts, `(n,)`, ≥ 0.
        repeats: For how many rows of the source each stands, `(n,)`, where equal rows were made one; None for itself.
        groups: What each row belongs to, `(n,)`, of any kind: rows of a group stay together wherever some are held out.
        times: When each row was taken, `(n,)`: networks learn from the past and are judged by what came later.
        name: Where the data came from.
        seed: Of the split.
        test: Share of the rows for reported figures; 0 sets none aside.
        split: A split that the data come with, its test part perhaps empty; else one is drawn.
        input_names: One a column of `x`.
        output_names: One a column of `y`; for classes in sorted order of the labels.
        image_shape: Of each input row.
        shares_unit: Whether all columns are in one unit.
        notes: What was done to the data before.
        warnings: What is suspicious about them.
        columns: What became of the columns of a table.
        fills: What stands in the place of missing values, by the name of the input.

    Raises:
        ShapeError, DtypeError, NonFiniteError, TooFewRowsError: If the arrays are not finite matrices of equal length
            with enough rows, or names or split do not fit them.
        ConstantOutputError: If the outputs do not vary.
        ScaleError, ColumnError: If numbers are too large, or vary by too little, to be squared.
        RareClassError: If a class has fewer than three rows.
        OptionError: If an option is out of range, a weight is negative, or `y` cannot be labels.
    """
    task = task or ("autoencoder" if y is None else "regression")
    check_task(task)
    check_seed(seed)
    inputs = real_matrix(x, "x")
    counts = None if weights is None else weight_vector(weights, len(inputs), "weights")
    called = tuple(input_names or (f"x{i}" for i in range(inputs.shape[1])))
    outputs, names = _outputs(inputs, called, y, task, counts, repeats, output_names)
    _check_names("input_names", called, inputs.shape[1])
    _check_scale("x", inputs, called)
    if task != "classification":  # class indices are small
        _check_scale("y", outputs, names)
    _check_variety(outputs, counts, repeats, "x" if task == "autoencoder" else "y")
    blocks = row_blocks(groups, times, len(inputs))
    labels = np.asarray(outputs, np.int64) if task == "classification" else None
    split, said = _split(split, inputs, labels, counts, blocks, test=test, seed=seed)
    doubts = [] if blocks is not None and blocks.is_forward else _near_repetition(inputs, blocks)
    return Dataset(
        x=inputs,
        y=outputs,
        task=task,
        split=split,
        name=name,
        input_names=called,
        output_names=names,
        image_shape=image_shape,
        shares_unit=shares_unit,
        notes=(*notes, *said),
        sha256=_digest(inputs, outputs, split, counts, blocks),
        weights=counts,
        blocks=blocks,
        warnings=(*warnings, *doubts),
        columns=tuple(columns),
        fills=dict(fills or {}),
    )


def check_task(task: str) -> None:
    """Raise `OptionError` unless `task` is one that can be learned."""
    if task not in TASKS:
        raise OptionError("task", task, f"{', '.join(TASKS[:-1])} or {TASKS[-1]}")


def _outputs(
    inputs: Floats,
    input_names: tuple[str, ...],
    y: object | None,
    task: Task,
    weights: Weights | None,
    repeats: Integers | None,
    output_names: Sequence[str] | None,
) -> tuple[Floats | Integers, tuple[str, ...]]:
    """Outputs as the task has them, and their names."""
    if task == "autoencoder":
        return inputs, input_names
    if y is None:
        raise ShapeError(f"The data hold no outputs, which {task} needs. Name them, or use --task autoencoder.")
    array = plain_array(y, "y")
    if array.ndim and len(array) != len(inputs):
        raise ShapeError(f"x has {len(inputs)} rows but y has {len(array)}. Pass one output row for each input row.")
    if task == "classification":
        labels, found = class_indices(array, len(inputs), weights, repeats)
        names = tuple(output_names or found)
        _check_names("output_names", names, len(found))
        return labels, names
    outputs = real_matrix(array[:, None] if array.ndim == 1 else array, "y")
    names = tuple(output_names or (f"y{i}" for i in range(outputs.shape[1])))
    _check_names("output_names", names, outputs.shape[1])
    return outputs, names


def _check_names(what: str, names: Sequence[str], columns: int) -> None:
    if len(names) != columns:
        raise ShapeError(f"{what} has {len(names)} names where {columns} are needed. Pass one name a column or class.")


def _check_scale(what: str, matrix: NDArray[Any], names: Sequence[str]) -> None:
    check_scale(matrix, what, place=lambda column: repr(names[column]), called=lambda column: names[column])


def _check_variety(y: Floats | Integers, weights: Weights | None, repeats: Integers | None, what: str) -> None:
    """Raise unless there are enough rows that count, and their outputs differ."""
    is_counted = np.ones(len(y), bool) if weights is None else weights > 0
    counted, rows = y[is_counted], int((is_counted if repeats is None else is_counted * repeats).sum())
    if rows < LEAST_ROWS:
        raise TooFewRowsError("The data set", rows, LEAST_ROWS)
    if bool((counted == counted[0]).all()):
        raise ConstantOutputError(what)


def _repetition(duplicates: int, *, is_split: bool) -> list[str]:
    if not duplicates:
        return []
    rows = "1 row repeats" if duplicates == 1 else f"{duplicates} rows repeat"
    said = f"{rows} the inputs of another row"
    return [f"{said}; equal inputs are kept in one part." if is_split else f"{said}."]


def _near_repetition(x: Floats, blocks: RowBlocks | None) -> list[str]:
    share = near_duplicates(x, None if blocks is None else blocks.of_row)
    if not share:
        return []
    what = f"About {share:.0%} of the rows nearly repeat the inputs of another, as rows of one person or one moment do"
    return [f"{what}: held out, they are judged by their copies. Say what belongs together with --group, or leave one."]


def _split(
    given: Split | None,
    x: Floats,
    labels: Integers | None,
    weights: Weights | None,
    blocks: RowBlocks | None,
    *,
    test: float,
    seed: int,
) -> tuple[Split, list[str]]:
    """The split that is given, or one by blocks, or one that is drawn; and what was done."""
    if given is not None:
        return checked_split(given, len(x)), []
    if blocks is not None:
        return split_blocks(blocks, test=test, seed=seed), []
    split, duplicates = split_rows(x, labels, test=test, seed=seed, weights=weights)
    return split, _repetition(duplicates, is_split=split.test.size > 0)


def _digest(x: Floats, y: Floats | Integers, split: Split, weights: Weights | None, blocks: RowBlocks | None) -> str:
    digest = hashlib.sha256()
    more: list[NDArray[Any]] = [] if weights is None else [weights]
    more += [] if blocks is None else [blocks.of_row, np.array([blocks.is_forward])]
    for array in (x, y, split.train, split.test, *more):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
