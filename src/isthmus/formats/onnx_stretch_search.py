"""The stretches of a graph that can be written as stages: everything else is left as it is."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from isthmus.formats.onnx_layers import is_in_eval_mode, row_bias
from isthmus.formats.onnx_part import known_tensors, tensors_read
from isthmus.formats.onnx_steps import Step, Steps
from isthmus.formats.onnx_stretches import Link, Stage, Stretch, Window
from isthmus.networks.activations import Activation
from isthmus.networks.chain import Layer

if TYPE_CHECKING:
    import onnx

_POOLS = {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}
_MONOTONE = {"MaxPool", "GlobalMaxPool", "Flatten", "Reshape"}  # these and an activation may change places


def stretches_of(steps: Steps, model: onnx.ModelProto) -> list[Stretch]:
    """The stretches of a graph, in order, in float64.

    A stretch begins at any affine map with constant weights and goes on as long as nothing else reads what is made.

    Args:
        steps: The graph as it is computed.
        model: The graph as it is written: a tensor inside a stretch must be one of its own.
    """
    search = _Search.of(steps, model)
    found: list[Stretch] = []
    used: set[str] = set()
    for step in steps.steps:
        if step.outputs[0] not in used and step.outputs[0] in search.made:
            stretch = search.stretch_from(step)
            if stretch is not None:
                found.append(stretch)
                used |= stretch.made
    return found


@dataclass(frozen=True, eq=False)
class _Search:
    """What is known of a graph.

    Attributes:
        steps: As it is computed.
        readers: Steps by the tensors that they read.
        read: How often each tensor is read as the graph is written.
        made: Tensors that its own nodes make.
        shapes: Sizes of a row of tensors where the file says them.
    """

    steps: Steps
    readers: Mapping[str, list[Step]]
    read: Mapping[str, int]
    made: frozenset[str]
    shapes: Mapping[str, tuple[int, ...]]

    @staticmethod
    def of(steps: Steps, model: onnx.ModelProto) -> _Search:
        readers: dict[str, list[Step]] = defaultdict(list)
        for step in steps.steps:
            for name in step.inputs:
                readers[name].append(step)
        read = Counter(name for node in model.graph.node for name in tensors_read(node))
        made = frozenset(name for node in model.graph.node for name in node.output)
        return _Search(steps, readers, read, made, _row_shapes(model))

    def stretch_from(self, step: Step) -> Stretch | None:
        """The longest stretch that begins with a step; None where that is no affine map."""
        first = _affine(step)
        if first is None:
            return None
        stages: tuple[Stage, ...] = (first,)
        names, current = [step.outputs[0]], step.outputs[0]
        is_matrix = step.node.operator == "Gemm"
        ends = stages, list(names), is_matrix
        while self._is_inner(current):
            (reader,) = self.readers[current]
            grown = self._grown(stages, reader, current, is_matrix)
            if grown is None:
                break
            stages, is_matrix = grown, is_matrix or reader.node.operator in ("Gemm", "Flatten", "Reshape")
            current = reader.outputs[0]
            names.append(current)
            if not stages[-1].links:  # what only pools or flattens at the end is left to the rest of the graph
                ends = stages, list(names), is_matrix
        stages, names, is_matrix = ends
        return Stretch(stages, step.inputs[0], names[-1], frozenset(names), is_matrix)

    def _is_inner(self, name: str) -> bool:
        readers = self.readers[name]
        is_read_once = len(readers) == 1 and readers[0].inputs.count(name) == 1 and self.read[name] == 1
        return is_read_once and name not in self.steps.outputs and readers[0].outputs[0] in self.made

    def _grown(self, stages: tuple[Stage, ...], step: Step, current: str, is_matrix: bool) -> tuple[Stage, ...] | None:
        """The stages with one step more; None where it is none that a stretch can hold."""
        last, operator = stages[-1], step.node.operator
        affine = _affine(step)
        if affine is not None:
            return (*stages, affine) if _fits(last, affine) else None
        if isinstance(step.layer, nn.Identity):
            return stages
        if isinstance(step.layer, nn.ReLU | nn.LeakyReLU):
            activated = _activated(last, float(getattr(step.layer, "negative_slope", 0.0)))
            return None if activated is None else (*stages[:-1], activated)
        others = tuple(self.steps.constants.get(name) for name in step.inputs[1:])
        if operator in _POOLS or operator in ("Flatten", "Reshape"):
            is_known = not last.is_flat and step.node.outputs == 1
            if not is_known or (operator == "Reshape" and not self._is_flattening(others, current)):
                return None
            if (operator == "Flatten" and step.layer is None) or step.node.get("allowzero", 0):
                return None
            return (*stages[:-1], replace(last, links=(*last.links, Link(step, others))))
        constants = [self.steps.constants.get(name) for name in step.inputs if name != current]
        if last.is_open and all(each is not None for each in constants):
            known = [each for each in constants if each is not None]
            added = _shifted(last, step, known) or _normed(last, step, known, is_matrix)
            return None if added is None else (*stages[:-1], added)
        return None

    def _is_flattening(self, others: tuple[Tensor | None, ...], current: str) -> bool:
        """Whether a Reshape makes one row of each image."""
        shape = self.shapes.get(current)
        if len(others) != 1 or others[0] is None or len(others[0]) != 2 or shape is None:
            return False
        first, second = others[0].tolist()
        return (first == 0 and second == -1) or (first in (0, -1) and second == math.prod(shape))


def _affine(step: Step) -> Stage | None:
    layer = step.layer
    if isinstance(layer, nn.Linear):
        return Stage(_layer(layer, step))
    if isinstance(layer, nn.Conv2d) and layer.groups == 1 and not isinstance(layer.padding, str):
        sizes = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        kernel, stride, padding, dilation = ((int(each[0]), int(each[1])) for each in sizes)
        return Stage(_layer(layer, step), Window(kernel, stride, padding, dilation))
    return None


def _layer(layer: nn.Linear | nn.Conv2d, step: Step) -> Layer:
    weight = layer.weight.detach().double().flatten(1)
    bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias.detach().double()
    return Layer(weight, bias, name=step.node.name or step.outputs[0])


def _fits(last: Stage, following: Stage) -> bool:
    """Whether the numbers that the last stage gives are those that the next one reads."""
    given, read = len(last.layer.bias), following.layer.weight.shape[1]
    if following.window is None:
        # Without flattening a matrix would act on the last dimension of images, not on their channels.
        return last.is_flat and (read == given if last.window is None else read % given == 0)
    return not last.is_flat and read == given * math.prod(following.window.kernel)


def _activated(last: Stage, slope: float) -> Stage | None:
    """The stage with an activation behind it, or before its links where it may stand there."""
    before = last.layer.activation.negative_slope
    if last.links and (slope < 0 or any(link.step.node.operator not in _MONOTONE for link in last.links)):
        return None
    after = Activation(before * slope if before > 0 else before)
    return replace(last, layer=replace(last.layer, activation=after))


def _shifted(last: Stage, step: Step, constants: list[Tensor]) -> Stage | None:
    """The stage with a bias added to it."""
    layer = last.layer
    if step.node.operator != "Add" or len(constants) != 1:
        return None
    of = row_bias if last.window is None else _channel_bias
    added = of(constants[0], len(layer.bias))
    return None if added is None else replace(last, layer=replace(layer, bias=layer.bias + added.double()))


def _normed(last: Stage, step: Step, constants: list[Tensor], is_matrix: bool) -> Stage | None:
    """The stage with the norm that follows it; a norm of a tensor that may be no matrix is of other channels."""
    layer, node = last.layer, step.node
    if node.operator != "BatchNormalization" or len(constants) != 4 or not is_in_eval_mode(node) or node.outputs > 1:
        return None
    if last.window is None and not is_matrix:
        return None
    scale, shift, mean, variance = (each.double() for each in constants)
    scale = scale / (variance + float(node.get("epsilon", 1e-5))).sqrt()
    folded = replace(layer, weight=scale[:, None] * layer.weight, bias=scale * (layer.bias - mean) + shift)
    return replace(last, layer=folded)


def _channel_bias(bias: Tensor, width: int) -> Tensor | None:
    """A bias of each channel `(width,)` from a constant that is added to images."""
    if bias.numel() == 1:
        return bias.reshape(1).expand(width)
    is_one = bias.shape[-2:] == (1, 1) and bias.numel() == width and bias.shape[-3] == width
    return bias.reshape(width) if bias.ndim in (3, 4) and is_one else None


def _row_shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, each in known_tensors(model).items():
        sizes: Any = [d.dim_value for d in each.type.tensor_type.shape.dim]
        if len(sizes) > 1 and all(size > 0 for size in sizes[1:]):
            shapes[name] = tuple(sizes[1:])
    return shapes
