"""A graph with other stages in the place of its stretches, and the rest of it copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from isthmus.formats.onnx_part import tensors_read
from isthmus.formats.onnx_stretches import Link, Stage, Stretch
from isthmus.formats.onnx_writing import activation_nodes

if TYPE_CHECKING:
    import onnx

_GEMM_ALONE = 11  # the opset from which on Gemm may have no bias


def with_stretches(model: onnx.ModelProto, stretches: Sequence[Stretch], dtype: torch.dtype) -> onnx.ModelProto:
    """The graph with the stretches written as they are now, checked by onnx's own checker.

    Names and shapes of inputs and outputs, the opset and every other node stay. What nothing reads any longer goes.

    Args:
        model: The graph that the stretches were found in.
        stretches: With the stages that they shall have.
        dtype: Precision of their weights.
    """
    import onnx

    result = type(model)()
    result.CopyFrom(model)
    graph = result.graph
    prefix = _free_prefix(model)
    by_tensor = {name: stretch for stretch in stretches for name in stretch.made}
    nodes: list[Any] = []
    for node in model.graph.node:
        stretch = by_tensor.get(node.output[0])
        if stretch is None:
            nodes.append(node)
        elif stretch.output in node.output:
            writer = _Writer(model, stretch, f"{prefix}{stretches.index(stretch) + 1}_", dtype)
            nodes += writer.nodes()
            graph.initializer.extend(writer.weights)
    kept = _needed(nodes, [each.name for each in graph.output])
    read = {name for node in kept for name in tensors_read(node)} | {each.name for each in graph.output}
    weights = [each for each in graph.initializer if each.name in read]
    gone = {name for stretch in stretches for name in stretch.made - {stretch.output}}
    known = [each for each in graph.value_info if each.name not in gone]
    for field, values in ((graph.node, kept), (graph.initializer, weights), (graph.value_info, known)):
        copies = [type(each).FromString(each.SerializeToString()) for each in values]
        del field[:]
        field.extend(copies)
    onnx.checker.check_model(result)  # not in full: shapes that a file says of its outputs may be wrong already
    return result


class _Writer:
    """The nodes and weights of one stretch."""

    def __init__(self, model: onnx.ModelProto, stretch: Stretch, prefix: str, dtype: torch.dtype) -> None:
        self._made = {name: node for node in model.graph.node for name in node.output}
        self._stretch, self._prefix, self._dtype = stretch, prefix, dtype
        self._opset = max(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
        self.weights: list[Any] = []

    def nodes(self) -> list[Any]:
        """From the stretch's input to its output."""
        found: list[Any] = []
        current = self._stretch.input
        for number, stage in enumerate(self._stretch.stages, start=1):
            made = self._stage(stage, current, number)
            current = made[-1].output[0]
            found += made
        found[-1].output[0] = self._stretch.output
        return found

    def _stage(self, stage: Stage, current: str, number: int) -> list[Any]:
        name = f"{self._prefix}{number}"
        nodes = self._affine(stage, current, name)
        slope = stage.layer.activation.negative_slope
        if slope != 1.0:
            is_double = self._dtype == torch.float64
            nodes += activation_nodes(slope, nodes[-1].output[0], f"{name}_a", name, is_double)
        for index, link in enumerate(stage.links):
            nodes.append(self._link(link, nodes[-1].output[0], f"{name}_link_{index}"))
        return nodes

    def _link(self, link: Link, current: str, name: str) -> Any:
        from onnx import helper

        if link.is_flattening:  # a Reshape names how many numbers there were
            return helper.make_node("Flatten", [current], [name], name, axis=1)
        given = self._made[link.step.outputs[0]]
        copied = type(given).FromString(given.SerializeToString())
        copied.input[0], copied.output[0] = current, name
        return copied

    def _affine(self, stage: Stage, current: str, name: str) -> list[Any]:
        from onnx import helper

        weight, bias = stage.layer.weight, stage.layer.bias
        biases = [self._weight(bias, f"{name}_bias")] if bool(bias.any()) or self._needs_bias(stage) else []
        if stage.window is not None:
            window = stage.window
            kernel = self._weight(weight.view(len(weight), -1, *window.kernel), f"{name}_weight")
            numbers: dict[str, Any] = {
                "kernel_shape": window.kernel,
                "strides": window.stride,
                "pads": (*window.padding, *window.padding),
                "dilations": window.dilation,
            }
            return [helper.make_node("Conv", [current, kernel, *biases], [f"{name}_z"], name, **numbers)]
        if self._stretch.is_matrix:
            inputs = [current, self._weight(weight, f"{name}_weight"), *biases]
            return [helper.make_node("Gemm", inputs, [f"{name}_z"], name, transB=1)]
        nodes = [helper.make_node("MatMul", [current, self._weight(weight.T, f"{name}_weight")], [f"{name}_w"], name)]
        if biases:
            nodes.append(helper.make_node("Add", [f"{name}_w", *biases], [f"{name}_z"], f"{name}_shifted"))
        return nodes

    def _needs_bias(self, stage: Stage) -> bool:
        """Whether the operator cannot do without one."""
        return stage.window is None and self._stretch.is_matrix and self._opset < _GEMM_ALONE

    def _weight(self, tensor: torch.Tensor, name: str) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(tensor.detach().to(self._dtype).contiguous().numpy(), name))
        return name


def _free_prefix(model: onnx.ModelProto) -> str:
    """A beginning that no name of the graph has."""
    graph = model.graph
    names = {name for node in graph.node for name in (node.name, *tensors_read(node), *node.output)}
    names |= {each.name for each in (*graph.initializer, *graph.input, *graph.output)}
    prefix = "isthmus_"
    while any(name.startswith(prefix) for name in names):
        prefix = f"{prefix}_"
    return prefix


def _needed(nodes: Sequence[Any], outputs: Sequence[str]) -> list[Any]:
    """The nodes that the outputs depend on, in order."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if needed & set(node.output):
            kept.append(node)
            needed |= tensors_read(node)
    return kept[::-1]
