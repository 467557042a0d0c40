"""Several inputs of an ONNX graph as one vector a row."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.errors import FileFormatError, TensorChoiceError
from isthmus.formats.onnx_part import REALS

if TYPE_CHECKING:
    import onnx

_SIZES_AS_INPUT = 13  # the opset from which Split reads them from an input
_REMEDY = "Measure one of them at a time."


def joint_names(model: onnx.ModelProto, chosen: str | None) -> list[str]:
    """The names with commas between them in `chosen`; empty where it is one name, or a tensor is called so."""
    if chosen is None or "," not in chosen:
        return []
    graph = model.graph
    tensors = {each.name for each in graph.input} | {name for node in graph.node for name in node.output}
    return [] if chosen in tensors else [name.strip() for name in chosen.split(",")]


def joined(model: onnx.ModelProto, names: list[str], chosen: str, path: Path) -> onnx.ModelProto:
    """The graph with one input called `chosen`, `(n, d)`: the inputs `names`, each row flattened, side by side.

    Raises:
        TensorChoiceError: If one of them is no input of the file, or named twice.
        FileFormatError: If the size of a row is free, or their types or numbers of rows differ.
    """
    from onnx import helper

    result = type(model)()
    result.CopyFrom(model)
    graph = result.graph
    weights = {each.name for each in graph.initializer}
    inputs = {each.name: each for each in graph.input if each.name not in weights}
    for name in names:
        if name not in inputs or names.count(name) > 1:
            cause = f"{name!r} is no input of its own" if name not in inputs else f"{name!r} is named twice"
            raise TensorChoiceError(path, f"inputs are measured jointly, and {cause}", list(inputs), [])
    parts = [inputs[name].type.tensor_type for name in names]
    kind, rows = parts[0].elem_type, _rows(parts[0])
    if any(each.elem_type != kind or _rows(each) != rows for each in parts) or kind not in REALS:
        cause = f"its inputs {', '.join(names)} are not real numbers of one type and as many rows"
        raise FileFormatError(path, cause, _REMEDY)
    shapes = [[each.dim_value for each in part.shape.dim][1:] for part in parts]
    if any(size <= 0 for shape in shapes for size in shape):
        raise FileFormatError(path, f"a size of its inputs {', '.join(names)} is free", _REMEDY)
    sizes = [math.prod(shape) for shape in shapes]
    joint = helper.make_tensor_value_info(chosen, kind, [None, sum(sizes)])
    joint.type.tensor_type.shape.dim[0].CopyFrom(parts[0].shape.dim[0])
    before = _parts(result, chosen, names, sizes, [[rows or -1, *shape] for shape in shapes])
    kept = [each for each in graph.input if each.name not in names]
    nodes = [*before, *graph.node]
    del graph.input[:], graph.node[:]
    graph.input.extend([joint, *kept])
    graph.node.extend(nodes)
    return result


def _parts(
    model: onnx.ModelProto, chosen: str, names: list[str], sizes: list[int], shapes: list[list[int]]
) -> list[Any]:
    """Nodes that make the inputs of their joint vector; constants that they read are added to the graph."""
    import numpy as np
    from onnx import helper, numpy_helper

    def constant(name: str, values: list[int]) -> str:
        model.graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    flat = [f"{chosen}/{name}" for name in names]
    if opset >= _SIZES_AS_INPUT:
        split = helper.make_node("Split", [chosen, constant(f"{chosen}/sizes", sizes)], flat, axis=1)
    else:
        split = helper.make_node("Split", [chosen], flat, axis=1, split=sizes)
    return [split] + [
        helper.make_node("Reshape", [source, constant(f"{source}/shape", shape)], [name])
        for name, source, shape in zip(names, flat, shapes, strict=True)
    ]


def _rows(kind: Any) -> int:
    """How many rows the file fixes; 0 where they are free."""
    sizes = kind.shape.dim
    return int(sizes[0].dim_value) if sizes else 0
