"""One pass through the body of an ONNX loop, under names of its own, so that passes can follow one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx


def one_pass(body: onnx.GraphProto, given: Mapping[str, str], mark: str) -> tuple[list[onnx.NodeProto], list[str]]:
    """The nodes of a loop's body and the names of its outputs, those that it defines with a `mark` behind them.

    Args:
        body: The graph that is passed through.
        given: What the names of its inputs stand for in this pass.
        mark: Of the pass.
    """
    names = {name: f"{name}{mark}" for name in _defined(body.node)} | dict(given)
    return [_renamed(node, names) for node in body.node], [names.get(each.name, each.name) for each in body.output]


def _defined(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    found = {name for node in nodes for name in node.output if name}
    for inner in (graph for node in nodes for graph in _graphs(node)):
        found |= _defined(inner.node)
    return found


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    result = type(node)()
    result.CopyFrom(node)
    for field in (result.input, result.output):
        field[:] = [names.get(name, name) for name in field]
    for graph in _graphs(result):
        nodes = [_renamed(each, names) for each in graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
        for output in graph.output:
            output.name = names.get(output.name, output.name)
    return result


def _graphs(node: onnx.NodeProto) -> list[Any]:
    return [
        graph
        for attribute in node.attribute
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs)
    ]
