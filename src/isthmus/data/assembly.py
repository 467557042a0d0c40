"""From arrays to a data set: checked, split and named."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from torch import Tensor

from isthmus.data.dataset import (
    Dataset,
    Floats,
    Integers,
    Split,
    Task,
)
from isthmus.data.labels import class_indices
from isthmus.data.splitting import (
    LEAST_ROWS,
    check_seed,
    check_split,
    split_rows,
)
from isthmus.errors import (
    ConstantOutputError,
    OptionError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.foundation.arrays import as_matrix


def dataset_from_arrays(
    x: object,
    y: object | None = None,
    *,
    task: Task | None = None,
    name: str = "arrays",
    seed: int = 0,
    validation: float = 0.15,
    test: float = 0.15,
    split: Split | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    image_shape: tuple[int, int] | None = None,
    shares_unit: bool = False,
    notes: Sequence[str] = (),
) -> Dataset:
    """A data set from arrays.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)` or `(n,)`; labels of any kind `(n,)` for a classification; ignored for an autoencoder.
        task: Default: "regression" where `y` is given, else "autoencoder".
        name: Where the data came from.
        seed: Of the split.
        validation: Share of the rows that decide the rank.
        test: Share of the rows for reported figures.
        split: A split that the data come with; else one is drawn.
        input_names: One a column of `x`.
        output_names: One a column of `y`; for classes in sorted order of the labels.
        image_shape: Of each input row.
        shares_unit: Whether all columns are in one unit.
        notes: What was done to the data before.

    Raises:
        ShapeError, DtypeError, NonFiniteError, TooFewRowsError: If the arrays are not finite matrices of equal length
            with enough rows, or names or split do not fit them.
        ConstantOutputError: If the outputs do not vary.
        RareClassError: If a class has fewer than three rows.
        OptionError: If an option is out of range, or `y` cannot be labels.
    """
    task = task or ("autoencoder" if y is None else "regression")
    if task not in ("regression", "classification", "autoencoder"):
        raise OptionError("task", task, "regression, classification or autoencoder")
    check_seed(seed)
    inputs = cast(Floats, as_matrix(x, "x").numpy())
    input_names = tuple(input_names or (f"x{i}" for i in range(inputs.shape[1])))
    if task != "autoencoder" and y is None:
        raise ShapeError(f"The data hold no outputs, which {task} needs. Name them, or use --task autoencoder.")
    labels: Integers | None = None
    outputs: Floats | Integers
    if task == "classification":
        outputs, found = class_indices(y, len(inputs))
        labels, names = outputs, tuple(output_names or found)
        _check_names("output_names", names, len(found))
    elif task == "regression":
        outputs = _outputs(y)
        names = tuple(output_names or (f"y{i}" for i in range(outputs.shape[1])))
        _check_names("output_names", names, outputs.shape[1])
    else:
        outputs, names = inputs, input_names
    _check_names("input_names", input_names, inputs.shape[1])
    _check_outputs(inputs, outputs, "x" if task == "autoencoder" else "y")
    said = list(notes)
    if split is None:
        split, duplicates = split_rows(inputs, labels, validation=validation, test=test, seed=seed)
        if duplicates:
            rows = "1 row repeats" if duplicates == 1 else f"{duplicates} rows repeat"
            said.append(f"{rows} the inputs of another row; equal inputs are kept in one part.")
    else:
        check_split(split, len(inputs))
    return Dataset(
        x=inputs,
        y=outputs,
        task=task,
        split=split,
        name=name,
        input_names=input_names,
        output_names=names,
        image_shape=image_shape,
        shares_unit=shares_unit,
        notes=tuple(said),
        sha256=_digest(inputs, outputs, split),
    )


def _outputs(y: object) -> Floats:
    if not isinstance(y, Tensor):
        try:
            y = np.asarray(y)
        except ValueError as ragged:
            raise ShapeError("y is ragged: its rows have different lengths. Pass an (n, d) array.") from ragged
    return cast(Floats, as_matrix(y[:, None] if y.ndim == 1 else y, "y").numpy())


def _check_names(what: str, names: Sequence[str], columns: int) -> None:
    if len(names) != columns:
        raise ShapeError(f"{what} has {len(names)} names where {columns} are needed. Pass one name a column or class.")


def _check_outputs(x: Floats, y: Floats | Integers, what: str) -> None:
    if len(x) < LEAST_ROWS:
        raise TooFewRowsError("The data set", len(x), LEAST_ROWS)
    if len(y) != len(x):
        raise ShapeError(f"x has {len(x)} rows but y has {len(y)}. Pass one output row for each input row.")
    if bool((y == y[0]).all()):
        raise ConstantOutputError(what)


def _digest(x: Floats, y: Floats | Integers, split: Split) -> str:
    digest = hashlib.sha256()
    for array in (x, y, split.train, split.validation, split.test):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
