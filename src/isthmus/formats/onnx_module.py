"""An ONNX graph as a torch module: known layers become torch's own, the rest is walked operator by operator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from isthmus.errors import FileFormatError, UnsupportedOperatorError
from isthmus.formats.onnx_layers import (
    Constants,
    batch_norm,
    layer,
    linear,
)
from isthmus.formats.onnx_operators import OPERATORS

if TYPE_CHECKING:
    import onnx

_REMEDY = "Export a graph with one input of real numbers."
_FLOATS = (1, 10, 11, 16)  # float, float16, double, bfloat16 in ONNX's table of types


@dataclass(frozen=True, eq=False)
class _Step:
    operator: str
    layer: nn.Module | None
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


class OnnxModule(nn.Module):
    """A graph with one input tensor; returns its one output, or a dict of its outputs by name."""

    def __init__(self, steps: list[_Step], constants: Constants, input_name: str, output_names: list[str]) -> None:
        super().__init__()
        self._steps, self._input_name, self._output_names = steps, input_name, output_names
        self.layers = nn.ModuleDict(
            {f"{step.operator}_{number}": step.layer for number, step in enumerate(steps) if step.layer is not None}
        )
        used = {name for step in steps if step.layer is None for name in step.inputs} | set(output_names)
        self._constants = [(f"constant_{i}", name) for i, name in enumerate(constants) if name in used]
        for key, name in self._constants:
            self.register_buffer(key, constants[name])

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """The outputs at the rows of `x` `(n, …)`."""
        values: dict[str, Any] = {name: getattr(self, key) for key, name in self._constants}
        values[self._input_name] = x
        for step in self._steps:
            if step.layer is not None:
                values[step.outputs[0]] = step.layer(values[step.inputs[0]])
                continue
            taken = [values[name] if name else None for name in step.inputs]
            result = OPERATORS[step.operator](step.attributes, *taken)
            values.update(zip(step.outputs, result if isinstance(result, tuple) else (result,), strict=False))
        if len(self._output_names) == 1:
            only: Tensor = values[self._output_names[0]]
            return only
        return {name: values[name] for name in self._output_names}


def onnx_module(model: onnx.ModelProto, path: Path) -> tuple[nn.Module, tuple[int | None, ...]]:
    """The graph in eval mode, as a `Sequential` where it is one path of layers, and the shape of its input.

    Raises:
        FileFormatError: If it has not exactly one input of real numbers.
        UnsupportedOperatorError: If an operator has no counterpart here.
    """
    from onnx import helper, numpy_helper

    constants: Constants = {
        each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in model.graph.initializer
    }
    input_name, shape = _input(model.graph, constants, path)
    steps = []
    for node in model.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant":
            constants[node.output[0]] = _constant(attributes, path)
            continue
        built = layer(node.op_type, attributes, list(node.input), constants)
        if built is None and (node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx")):
            raise UnsupportedOperatorError(path, node.op_type, node.name, sorted(OPERATORS))
        steps.append(_Step(node.op_type, built, list(node.input), list(node.output), attributes))
    outputs = [each.name for each in model.graph.output]
    path_of_layers = _sequence(steps, constants, input_name, outputs, shape[0] if shape else None)
    walked = path_of_layers or OnnxModule(steps, constants, input_name, outputs)
    return walked.eval(), shape


def _sequence(
    steps: list[_Step], constants: Constants, input_name: str, outputs: list[str], rows: int | None
) -> nn.Sequential | None:
    """The steps as one after the other, with biases and norms recognised; None where the graph branches."""
    layers: list[nn.Module] = []
    current, dimensions = input_name, 0
    for step in steps:
        others = [name for name in step.inputs if name != current]
        if current not in step.inputs or any(name and name not in constants for name in others):
            return None
        found = step.layer or _folded(step, layers, constants, dimensions, rows)
        if found is None:
            return None
        if found is not step.layer and isinstance(found, nn.Linear):
            layers.pop()  # the bias went into the Linear before it
        layers.append(found)
        dimensions = {nn.Conv1d: 3, nn.Conv2d: 4, nn.Conv3d: 5, nn.Linear: 2}.get(type(found), dimensions)
        current = step.outputs[0]
    return nn.Sequential(*layers) if outputs == [current] else None


def _folded(
    step: _Step, layers: list[nn.Module], constants: Constants, dimensions: int, rows: int | None
) -> nn.Module | None:
    """A bias added to the Linear before, or a norm with constant parameters."""
    given = [constants[name] for name in step.inputs if name in constants]
    last = layers[-1] if layers else None
    if step.operator == "Add" and isinstance(last, nn.Linear) and _has_no_bias(last) and len(given) == 1:
        bias = given[0].flatten()
        return linear(last.weight, bias) if given[0].numel() == len(last.weight) else None
    if step.operator == "BatchNormalization" and len(given) == 4 and dimensions in (2, 4, 5):
        return batch_norm(dimensions, float(step.attributes.get("epsilon", 1e-5)), given)
    # A matrix with as many rows as there were: where the columns do not fit, the next layer says so.
    if step.operator == "Reshape" and len(given) == 1 and len(given[0]) == 2 and int(given[0][0]) in (0, -1, rows):
        return nn.Flatten()
    if step.operator == "GlobalAveragePool" and dimensions == 4:
        return nn.AdaptiveAvgPool2d(1)
    return None


def _has_no_bias(layer: nn.Linear) -> bool:
    return getattr(layer, "bias", None) is None


def _input(graph: onnx.GraphProto, constants: Constants, path: Path) -> tuple[str, tuple[int | None, ...]]:
    """Name and sizes of the one input, None for sizes that are free."""
    free = [each for each in graph.input if each.name not in constants]
    if len(free) != 1:
        names = ", ".join(each.name for each in free) or "none"
        raise FileFormatError(path, f"its graph has {len(free)} inputs ({names}), not one", _REMEDY)
    kind = free[0].type.tensor_type
    if kind.elem_type not in _FLOATS:
        raise FileFormatError(
            path,
            f"its input {free[0].name!r} holds no real numbers, so there is no derivative",
            "Export the part after the embedding, which takes real numbers.",
        )
    return free[0].name, tuple(d.dim_value if d.dim_value > 0 else None for d in kind.shape.dim)


def _constant(attributes: dict[str, Any], path: Path) -> Tensor:
    from onnx import numpy_helper

    for name, value in attributes.items():
        if name == "value":
            return torch.from_numpy(numpy_helper.to_array(value).copy())
        if name in ("value_float", "value_floats"):
            return torch.tensor(value, dtype=torch.float32)
        if name in ("value_int", "value_ints"):
            return torch.tensor(value, dtype=torch.int64)
    raise FileFormatError(path, f"a constant of kind {', '.join(attributes)} is no tensor of numbers", _REMEDY)
