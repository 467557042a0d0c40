"""From arrays to a data set: checked, split and named."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from isthmus.datasets.dataset import Dataset, Floats, Integers, Split, Task
from isthmus.datasets.splitting import LEAST_ROWS, split_rows
from isthmus.errors import ConstantOutputError, OptionError, RareClassError, ShapeError, TooFewRowsError
from isthmus.shapes import as_matrix

_LEAST_IN_CLASS = 3
_MOST_CLASSES = 1000


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
            with enough rows.
        ConstantOutputError: If the outputs do not vary.
        RareClassError: If a class has fewer than three rows.
        OptionError: If an option is out of range, or `y` cannot be labels.
    """
    task = task or ("autoencoder" if y is None else "regression")
    if task not in ("regression", "classification", "autoencoder"):
        raise OptionError("task", task, "regression, classification or autoencoder")
    inputs = cast(Floats, as_matrix(x, "x").numpy())
    input_names = tuple(input_names or (f"x{i}" for i in range(inputs.shape[1])))
    if task != "autoencoder" and y is None:
        raise ShapeError(f"The data hold no outputs, which {task} needs. Name them, or use --task autoencoder.")
    labels: Integers | None = None
    outputs: Floats | Integers
    if task == "classification":
        outputs = labels = _labels(np.asarray(y), len(inputs))
        names = tuple(output_names or (str(label) for label in _classes(np.asarray(y))))
    elif task == "regression":
        raw = np.asarray(y)
        outputs = cast(Floats, as_matrix(raw[:, None] if raw.ndim == 1 else raw, "y").numpy())
        names = tuple(output_names or (f"y{i}" for i in range(outputs.shape[1])))
    else:
        outputs, names = inputs, input_names
    _check_outputs(inputs, outputs, "x" if task == "autoencoder" else "y")
    said = list(notes)
    if split is None:
        split, duplicates = split_rows(inputs, labels, validation=validation, test=test, seed=seed)
        if duplicates:
            said.append(f"{duplicates} rows repeat the inputs of another row; equal inputs are kept in one part.")
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


def _check_outputs(x: Floats, y: Floats | Integers, what: str) -> None:
    if len(x) < LEAST_ROWS:
        raise TooFewRowsError("The data set", len(x), LEAST_ROWS)
    if len(y) != len(x):
        raise ShapeError(f"x has {len(x)} rows but y has {len(y)}. Pass one output row for each input row.")
    if bool((y == y[0]).all()):
        raise ConstantOutputError(what)


def _classes(y: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.unique(y)


def _labels(y: NDArray[np.generic], rows: int) -> Integers:
    """Class indices in sorted order of the labels."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ShapeError(f"y has shape {y.shape}; a classification needs one label a row, shape ({rows},).")
    if y.dtype.kind == "f" and not (np.isfinite(y).all() and (y == np.round(y.astype(np.float64))).all()):
        raise OptionError("y", f"{y[:3]}…", "whole numbers or texts for a classification; use --task regression")
    classes, index, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) > _MOST_CLASSES:
        raise OptionError("the number of classes", len(classes), f"at most {_MOST_CLASSES}; use --task regression")
    if len(classes) > 1 and counts.min() < _LEAST_IN_CLASS:
        raise RareClassError(str(classes[counts.argmin()]), int(counts.min()), _LEAST_IN_CLASS)
    return np.asarray(index.ravel(), np.int64)


def _digest(x: Floats, y: Floats | Integers, split: Split) -> str:
    digest = hashlib.sha256()
    for array in (x, y, split.train, split.validation, split.test):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
