"""Operators that ONNX itself defines by others, and functions of the file, replaced by their definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from isthmus.formats.onnx_operators import OPERATORS

if TYPE_CHECKING:
    import onnx

_ROUNDS = 8  # definitions use operators that have definitions


def inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph without functions of the file, and without operators that only have a definition here.

    The definition is that of the standard, so an operator that is written with others is translated without a line
    of its own: Attention, RotaryEmbedding, the losses and so on.
    """
    from onnx import inliner

    if model.functions:
        model = inliner.inline_local_functions(model)
    for _ in range(_ROUNDS):
        unknown = sorted(_defined(model))
        if not unknown:
            break
        _write_defaults(model, unknown)
        try:
            model = inliner.inline_selected_functions(
                _typed(model), unknown, exclude=False, inline_schema_functions=True
            )
        except RuntimeError:  # a definition that depends on types which the file leaves open
            break
    return model


def inlined_size(model: onnx.ModelProto) -> int:
    """How many nodes the graph has once the functions of the file are written out; these must not be recursive.

    Forty functions that each call the one before twice fit into a few kilobytes and make a million million nodes.
    """
    functions = {(each.domain, each.name): list(_nodes(each.node)) for each in model.functions}
    calls = {key: {(node.domain, node.op_type) for node in nodes} & set(functions) for key, nodes in functions.items()}
    sizes: dict[tuple[str, str], int] = {}
    for key in TopologicalSorter(calls).static_order():
        sizes[key] = sum(sizes.get((node.domain, node.op_type), 1) for node in functions[key])
    return sum(sizes.get((node.domain, node.op_type), 1) for node in _nodes(model.graph.node))


def _nodes(nodes: Iterable[Any]) -> Iterator[Any]:
    """The nodes and those in their branches."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _nodes(inner.node)


def _write_defaults(model: onnx.ModelProto, operators: list[tuple[str, str]]) -> None:
    """Write out the attributes that nodes leave to their defaults, which onnx (1.23) does not hand to definitions."""
    from onnx import defs

    opsets = {each.domain: each.version for each in model.opset_import}
    for node in model.graph.node:
        if (node.domain, node.op_type) in operators:
            schema = defs.get_schema(node.op_type, opsets[node.domain], node.domain)
            given = {each.name for each in node.attribute}
            for name, attribute in schema.attributes.items():
                if name not in given and attribute.default_value.name:
                    node.attribute.append(attribute.default_value)


def _typed(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with the types of its weights and of what follows from them, which definitions depend on."""
    from onnx import helper, shape_inference

    known = {each.name for each in (*model.graph.input, *model.graph.value_info, *model.graph.output)}
    for each in model.graph.initializer:
        if each.name not in known:
            model.graph.value_info.append(helper.make_tensor_value_info(each.name, each.data_type, each.dims))
    return shape_inference.infer_shapes(model)


def _defined(model: onnx.ModelProto) -> set[tuple[str, str]]:
    """Operators of the graph that are not translated and that the standard defines by others."""
    from onnx import defs

    opsets = {each.domain: each.version for each in model.opset_import}
    found = set()
    for node in model.graph.node:
        if node.domain in ("", "ai.onnx") and node.op_type in OPERATORS:
            continue
        try:
            schema: Any = defs.get_schema(node.op_type, opsets.get(node.domain, 1), node.domain)
        except defs.SchemaError:
            continue
        if schema.has_function or schema.has_context_dependent_function:
            found.add((node.domain, node.op_type))
    return found
