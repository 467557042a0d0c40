"""The part of an ONNX graph between one tensor and another, the other inputs held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.errors import FileFormatError, TensorChoiceError

if TYPE_CHECKING:
    import numpy as np
    import onnx

REALS = (1, 10, 11, 16)  # float, float16, double, bfloat16 in ONNX's table of types


@dataclass(frozen=True)
class GraphTensor:
    """A tensor of a graph.

    Attributes:
        name: As the file calls it.
        role: "input", "output" or "inside".
        kind: ONNX's name of its type, "" where nothing says it.
        shape: Sizes, None for those that are free; None where nothing says them.
    """

    name: str
    role: str
    kind: str
    shape: tuple[int | None, ...] | None


def graph_tensors(model: onnx.ModelProto) -> list[GraphTensor]:
    """Inputs, then what the nodes make in their order, with the types and shapes that follow from the file."""
    known = known_tensors(model)
    weights = _weights(model.graph)
    outputs = {each.name for each in model.graph.output}
    names = [each.name for each in model.graph.input if each.name not in weights]
    inside = [name for node in model.graph.node if node.op_type != "Constant" for name in node.output if name]
    return [_described(name, "input", known) for name in names] + [
        _described(name, "output" if name in outputs else "inside", known) for name in inside
    ]


def part_of(
    model: onnx.ModelProto,
    path: Path,
    *,
    input: str | None = None,
    output: str | None = None,
    held: Mapping[str, np.ndarray] | None = None,
) -> onnx.ModelProto:
    """The graph with one input, `input`, and the outputs asked for; `held` inputs become weights.

    Values that are held for so many rows leave a graph for so many rows: what it reshapes by them fits no others.

    Raises:
        TensorChoiceError: If a name is not in the graph, several inputs are left, or the output does not depend on
            the input.
        FileFormatError: If the input holds no real numbers.
    """
    known = known_tensors(model)
    graph = model.graph
    constants = _weights(graph)
    free = [each.name for each in graph.input if each.name not in constants]
    inside = [name for node in graph.node for name in node.output if name]
    for name in filter(None, (input, output)):
        if name not in free and name not in inside:
            raise TensorChoiceError(path, f"there is no tensor {name!r} in its graph", free, inside)
    result = type(model)()
    result.CopyFrom(model)
    _hold(result.graph, held or {}, free, path)
    left = [name for name in free if name not in (held or {})]
    chosen = input or (left[0] if len(left) == 1 else None)
    if chosen is None:
        cause = f"it has {len(left)} inputs ({', '.join(left) or 'none'}), and one varies at a time"
        raise TensorChoiceError(path, cause, left, [])
    outputs = [output] if output else _scores(graph, known)
    nodes, reached = _between(graph, chosen, outputs)
    missing = [name for name in left if name in reached and name != chosen]
    if missing:
        raise TensorChoiceError(path, f"the output also depends on {', '.join(missing)}", left, [])
    if chosen not in reached:
        raise TensorChoiceError(path, f"{', '.join(outputs)} does not depend on {chosen!r}", free, [])
    kind = _described(chosen, "input", known).kind
    if chosen in known and known[chosen].type.tensor_type.elem_type not in REALS:
        raise FileFormatError(
            path, f"its input {chosen!r} holds no real numbers ({kind})", _behind(graph, chosen, known)
        )
    result.ir_version = max(result.ir_version, 4)  # before, every weight is an input as well
    kept = [each for each in result.graph.initializer if each.name in reached]
    del result.graph.initializer[:]
    result.graph.initializer.extend(kept)
    del result.graph.node[:], result.graph.input[:], result.graph.output[:]
    result.graph.node.extend(nodes)
    result.graph.input.append(_info(chosen, known))
    _fix_rows(result.graph.input[0], {each.name: each for each in graph.input}, held or {})
    result.graph.output.extend(_info(name, known) for name in outputs)
    return result


def _scores(graph: Any, known: Mapping[str, Any]) -> list[str]:
    """The outputs of real numbers: of a classifier the scores, not the labels, and not the map made of them."""
    made_by = {name: node for node in graph.node for name in node.output}
    maps = {name for name, node in made_by.items() if node.op_type == "ZipMap"}
    names = [made_by[each.name].input[0] if each.name in maps else each.name for each in graph.output]
    reals = [name for name in names if name not in known or known[name].type.tensor_type.elem_type in (0, *REALS)]
    return list(dict.fromkeys(reals)) or names


def _hold(graph: Any, held: Mapping[str, np.ndarray], free: list[str], path: Path) -> None:
    from onnx import numpy_helper

    for name, value in held.items():
        if name not in free:
            raise TensorChoiceError(path, f"there is no input {name!r} to hold", free, [])
        graph.initializer.append(numpy_helper.from_array(value, name))


def _fix_rows(chosen: Any, inputs: Mapping[str, Any], held: Mapping[str, np.ndarray]) -> None:
    """Give the tensor that varies as many rows as arrays are held for, where both sizes are free in the file."""
    sizes = chosen.type.tensor_type.shape.dim
    if not sizes or sizes[0].dim_value > 0:
        return
    for name, value in held.items():
        declared = inputs[name].type.tensor_type.shape.dim
        counts_rows = len(declared) == value.ndim > 0 and declared[0].dim_value <= 0
        # Two inputs with names for their sizes say themselves whether these are one; a tensor inside does not.
        if counts_rows and (chosen.name not in inputs or declared[0].dim_param == sizes[0].dim_param):
            sizes[0].dim_value = len(value)


def _between(graph: Any, start: str, outputs: list[str]) -> tuple[list[Any], set[str]]:
    """The nodes that the outputs need, not looking behind `start`, and every tensor that is reached."""
    needed, kept = set(outputs), []
    for node in reversed(graph.node):
        if any(name in needed and name != start for name in node.output):
            kept.append(node)
            needed.update(tensors_read(node))
    return kept[::-1], needed


def tensors_read(node: Any) -> set[str]:
    """What a node reads, also inside its branches."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            for each in inner.node:
                names |= tensors_read(each)
            names |= {each.name for each in inner.output}
    return names


def _behind(graph: Any, start: str, known: Mapping[str, Any]) -> str:
    """The remedy for an input of integers: the first tensors of real numbers that it leads to."""
    reached, found = {start}, []
    for node in graph.node:
        if reached & set(node.input):
            for name in node.output:
                reached.add(name)
                if name in known and known[name].type.tensor_type.elem_type in REALS:
                    found.append(name)
    shown = ", ".join(found[:3]) or "a tensor behind the embedding"
    return f"Measure from a tensor behind it: --input {shown.replace(', ', ' or --input ')}."


def known_tensors(model: onnx.ModelProto) -> dict[str, Any]:
    """Types and shapes of tensors by name, as far as they follow from the file."""
    from onnx import shape_inference

    try:
        inferred = shape_inference.infer_shapes(model)
    except RuntimeError:  # larger than a protocol buffer may be, or shapes that contradict one another
        inferred = model
    graph = inferred.graph
    return {each.name: each for each in (*graph.value_info, *graph.input, *graph.output)}


def _weights(graph: Any) -> set[str]:
    return {each.name for each in graph.initializer} | {each.values.name for each in graph.sparse_initializer}


def _info(name: str, known: Mapping[str, Any]) -> Any:
    from onnx import TensorProto, helper

    return known[name] if name in known else helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def _described(name: str, role: str, known: Mapping[str, Any]) -> GraphTensor:
    from onnx import TensorProto

    if name not in known or not known[name].type.HasField("tensor_type"):
        return GraphTensor(name, role, "", None)
    kind = known[name].type.tensor_type
    sizes = tuple(d.dim_value if d.dim_value > 0 else None for d in kind.shape.dim) if kind.HasField("shape") else None
    names = {number: text.lower() for text, number in TensorProto.DataType.items()}
    return GraphTensor(name, role, names.get(kind.elem_type, f"type {kind.elem_type}"), sizes)
