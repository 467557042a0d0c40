"""The rows to measure a model on, in the shape that the model takes."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from isthmus.data import TableFormat, read_inputs
from isthmus.data.table_format import refuse_table_options
from isthmus.errors import FileFormatError, ShapeError
from isthmus.foundation.progress import progress_bar
from isthmus.foundation.rows import Rows
from isthmus.runs import RunFolder
from isthmus.runs.record_parts import DataRow

_ARRAYS = "arrays, whose columns have no names"


def model_inputs(
    model: object,
    source: str | Rows,
    *,
    columns: DataRow | None,
    missing: Literal["refuse", "drop", "indicate"],
    drop: Sequence[str],
    told: TableFormat,
    seed: int,
) -> Rows:
    """Rows behind a name or a path; a `.npy` file is mapped into memory and keeps its shape.

    Args:
        model: A network, or a torch module with the attribute `input_shape` (None for free sizes).
        source: As for `isthmus fit`, or rows that have been read.
        columns: The data that the model was trained on, if known.
        missing: What to do with missing values, for tables.
        drop: Columns to leave out, for tables.
        told: How a table is written, where that is not to be found out.
        seed: Draws built-in data.

    Raises:
        ShapeError: If the rows do not have as many numbers as the model takes.
        IsthmusError: For data that cannot be used.
    """
    if isinstance(source, Rows):
        refuse_table_options(_ARRAYS, told, drop, missing)
        return _shaped(model, source)
    path = Path(source)
    if path.is_file() and path.suffix.lower() == ".npy" and columns is None:
        refuse_table_options(_ARRAYS, told, drop, missing)
        rows = Rows(_mapped(path), str(path))
    else:
        names, fills = (None, None) if columns is None else (columns.input_names, columns.fills)
        with progress_bar(f"reading {source}", logs=True):
            read = read_inputs(source, input_names=names, fills=fills, missing=missing, drop=drop, told=told, seed=seed)
        for note in read.notes:
            print(f"Data: {note}", file=sys.stderr)
        rows = Rows(read.x, source)
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


def fitted_data(model: Path) -> DataRow | None:
    """The data that the network of a RUN folder was trained on; None of a file, which does not say."""
    return RunFolder(model).read().data if model.is_dir() else None


def _mapped(path: Path) -> np.ndarray:
    remedy = "Save it again with numpy.save(path, matrix)."
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except PermissionError:
        raise
    except Exception as damaged:  # of a damaged file numpy raises whatever comes first
        if "pickle" in str(damaged):
            cause = "it holds pickled objects, which may run code and are never loaded"
        elif "Python object" in str(damaged):
            cause = "it holds Python objects, which would have to be unpickled and are never loaded"
        else:
            cause = f"it is damaged or not a numpy file ({damaged})"
        raise FileFormatError(path, cause, remedy) from damaged
    return array
