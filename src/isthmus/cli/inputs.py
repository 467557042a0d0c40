"""The rows to measure a model on, in the shape that the model takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from isthmus.data import load_inputs
from isthmus.errors import FileFormatError, ShapeError
from isthmus.foundation.rows import Rows
from isthmus.runs import RunFolder


def model_inputs(
    model: object,
    source: str | Rows,
    *,
    input_names: Sequence[str] | None,
    missing: Literal["refuse", "drop"],
    drop: Sequence[str],
    seed: int,
) -> Rows:
    """Rows behind a name or a path; a `.npy` file is mapped into memory and keeps its shape.

    Args:
        model: A network, or a torch module with the attribute `input_shape` (None for free sizes).
        source: As for `isthmus fit`, or rows that have been read.
        input_names: Columns that the model was trained on, if known.
        missing: What to do with rows with missing values, for tables.
        drop: Columns to leave out, for tables.
        seed: Draws built-in data.

    Raises:
        ShapeError: If the rows do not have as many numbers as the model takes.
        IsthmusError: For data that cannot be used.
    """
    if isinstance(source, Rows):
        return _shaped(model, source)
    path = Path(source)
    if path.is_file() and path.suffix.lower() == ".npy" and input_names is None:
        rows = Rows(_mapped(path), str(path))
    else:
        rows = Rows(load_inputs(source, input_names=input_names, missing=missing, drop=drop, seed=seed), source)
    return _shaped(model, rows)


def _shaped(model: object, rows: Rows) -> Rows:
    """The rows in the shape that the model takes."""
    source, shape = rows.what, getattr(model, "input_shape", ())
    if not shape or rows.row_shape == shape:
        return rows
    if None in shape:
        if len(rows.row_shape) == len(shape):
            return rows  # the model itself knows which sizes it takes
        sizes = ", ".join("any" if size is None else str(size) for size in shape)
        raise ShapeError(
            f"{source} has rows of shape {rows.row_shape}, but the model takes rows of {len(shape)} dimensions "
            f"({sizes}). Pass a .npy array of shape (n, {sizes})."
        )
    if math.prod(shape) != rows.width:
        raise ShapeError(
            f"{source} has {rows.width} numbers a row, but the model takes {math.prod(shape)} of shape {shape}. "
            "Pass the data it was trained on."
        )
    return rows.reshaped(tuple(shape))


def input_names_of(model: Path) -> Sequence[str] | None:
    """The columns that the network of a RUN folder was trained on; None of a file, which does not say."""
    return RunFolder(model).read().data.input_names if model.is_dir() else None


def _mapped(path: Path) -> np.ndarray:
    remedy = "Save it again with numpy.save(path, matrix)."
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as damaged:
        if "pickle" in str(damaged):
            cause = "it holds pickled objects, which may run code and are never loaded"
        elif "Python object" in str(damaged):
            cause = "it holds Python objects, which would have to be unpickled and are never loaded"
        else:
            cause = f"it is damaged or not a numpy file ({damaged})"
        raise FileFormatError(path, cause, remedy) from damaged
    return array
