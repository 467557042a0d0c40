"""The tensors of an ONNX graph: listed, chosen, and held at given values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from isthmus.cli.output import print_object
from isthmus.data.numpy_files import read_archive
from isthmus.errors import FileFormatError, MixedRowsError, OptionError
from isthmus.formats import load, load_values
from isthmus.formats.onnx_file import read_onnx
from isthmus.formats.onnx_part import GraphTensor, graph_tensors
from isthmus.foundation.rows import Rows


def print_tensors(model: Path, as_json: bool) -> None:
    """Every tensor of an `.onnx` graph with its role, type and shape, on standard output."""
    found = _tensors(model)
    if as_json:
        rows = [{"name": t.name, "role": t.role, "type": t.kind, "shape": t.shape} for t in found]
        print_object({"model": str(model), "tensors": rows})
        return
    table = Table(box=None)
    for column in ("tensor", "role", "type", "shape"):
        table.add_column(column, overflow="fold")  # a name that is cut cannot be given to --input
    for each in found:
        table.add_row(each.name.replace("[", r"\["), each.role, each.kind, _shape(each))
    Console(highlight=False, soft_wrap=True).print(table)


def held_arrays(model: Path, data: str, start: str | None) -> tuple[str | None, dict[str, np.ndarray], str | Rows]:
    """Which input varies, the values of those that do not, and where the rows are.

    Arrays in an `.npz` file whose names are those of inputs (or of the tensor to begin at) are told apart by
    `start`, which may name several with commas between them; any other data are the rows themselves.

    Raises:
        FileFormatError: If the file cannot be read.
        OptionError: If several arrays could vary and none was chosen.
    """
    path = Path(data)
    if model.suffix.lower() != ".onnx" or path.suffix.lower() != ".npz" or not path.is_file():
        return start, {}, data
    inputs = [each.name for each in _tensors(model) if each.role == "input"]
    arrays, _ = read_archive(path, [*inputs, *([] if start is None else [start])], "Save arrays with numpy.savez.")
    if not arrays:
        return start, {}, data
    if start is not None and start not in arrays and "," in start:
        arrays = _side_by_side(arrays, start, data)
    chosen = start or (next(iter(arrays)) if len(arrays) == 1 else None)
    if chosen is None or chosen not in arrays:
        raise OptionError("--input", start, f"one of the arrays in {data}: {', '.join(arrays)}")
    held = {name: arrays[name] for name in arrays if name != chosen}
    return chosen, held, Rows(arrays[chosen], f"{chosen} in {data}")


def _side_by_side(arrays: dict[str, np.ndarray], start: str, data: str) -> dict[str, np.ndarray]:
    """The arrays of the inputs in `start`, with commas between them, as one of that name; the others as they are."""
    names = [name.strip() for name in start.split(",")]
    parts = [arrays[name] for name in names if name in arrays]
    if len(parts) < len(names):
        return arrays
    if len({each.shape[:1] for each in parts}) > 1 or not parts[0].ndim:
        raise OptionError("--input", start, f"arrays of as many rows in {data}")
    others = {name: array for name, array in arrays.items() if name not in names}
    return {**others, start: np.concatenate([each.reshape(len(each), -1) for each in parts], axis=1)}


@contextmanager
def paired_rows_named(start: str | None, held: Mapping[str, np.ndarray], rows: int) -> Iterator[None]:
    """Name the input that is held at a row for each row that varies, where that makes the model mix rows."""
    try:
        yield
    except MixedRowsError as mixed:
        paired = [name for name, array in held.items() if array.ndim and len(array) == rows]
        if not paired:
            raise
        names = ", ".join(paired)
        expected = (
            f"{','.join([str(start), *paired])}, to vary them together: {names} is held at a row for each of {start}"
        )
        raise OptionError("--input", start, f"{expected}. Or hold one row of it") from mixed


def loaded(
    model: Path, start: str | None, output: str | None, held: dict[str, np.ndarray], by_differences: bool
) -> tuple[Any, str | None]:
    """The model between the tensors that were chosen, and the output that `measure` still has to choose."""
    if model.suffix.lower() != ".onnx":
        if by_differences:
            raise OptionError("--by-differences", model.name, "used with an .onnx file")
        return load(model, input=start, held=held), output
    make = load_values if by_differences else load
    return make(model, input=start, output=output, held=held), None


def _tensors(model: Path) -> list[GraphTensor]:
    if model.suffix.lower() != ".onnx":
        raise FileFormatError(model, "only the tensors of .onnx files have names", "Leave --list out.")
    return graph_tensors(read_onnx(model))


def _shape(tensor: GraphTensor) -> str:
    if tensor.shape is None:
        return "?"
    return " × ".join("any" if size is None else str(size) for size in tensor.shape) or "one number"
