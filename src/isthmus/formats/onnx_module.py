"""An ONNX graph as a torch module: known layers become torch's own, the rest is walked operator by operator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from isthmus.errors import IsthmusError, ModelCallError
from isthmus.formats.onnx_layers import batch_norm, is_in_eval_mode, linear, row_bias
from isthmus.formats.onnx_steps import Step, Steps

_REMEDY = "Pass rows of the shape and columns that the model takes."


class OnnxModule(nn.Module):
    """A graph with one input tensor; returns its one output, or a dict of its outputs by name.

    Every real number inside has the dtype of the input: half precision in the file is computed in single precision,
    and everything in double precision where the input is.
    """

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps, self._input_name, self._output_names = steps.steps, steps.input_name, steps.outputs
        self.layers = nn.ModuleDict(
            {
                f"{step.node.operator}_{number}": step.layer
                for number, step in enumerate(self._steps)
                if step.layer is not None
            }
        )
        read = {name for step in self._steps for name in step.inputs[: 1 if step.layer is not None else None]}
        used = read | set(self._output_names)
        self._done = _last_uses(self._steps, used - {"", *steps.constants, *self._output_names})
        self._constants = [(f"constant_{i}", name) for i, name in enumerate(steps.constants) if name in used]
        for key, name in self._constants:
            self.register_buffer(key, steps.constants[name])

    @property
    def operators(self) -> list[str]:
        """The kinds of operators in the graph."""
        return sorted({step.node.operator for step in self._steps})

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """The outputs at the rows of `x` `(n, …)`."""
        if x.dtype in (torch.float16, torch.bfloat16):
            x = x.float()
        values: dict[str, Any] = {name: getattr(self, key) for key, name in self._constants}
        values[self._input_name] = x
        for step, done in zip(self._steps, self._done, strict=True):
            inputs = step.inputs if step.layer is None else step.inputs[:1]
            results = _computed(step, [values[name] if name else None for name in inputs], x)
            values.update(zip(step.outputs, results, strict=False))
            del results
            for name in done:  # or all activations would be held until the end
                del values[name]
        if len(self._output_names) == 1:
            only: Tensor = values[self._output_names[0]]
            return only
        return {name: values[name] for name in self._output_names}


def _last_uses(steps: list[Step], names: set[str]) -> list[list[str]]:
    """For each step those of the `names` that no later one reads."""
    left, found = set(names), []
    for step in reversed(steps):
        read = left & set(step.inputs[: 1 if step.layer is not None else None])
        found.append(sorted(read))
        left -= read
    return found[::-1]


def _computed(step: Step, inputs: list[Any], x: Tensor) -> list[Any]:
    """The outputs of one step, real numbers in the dtype of `x`."""
    try:
        return [as_dtype(result, x.dtype) for result in step.computed(inputs)]
    except (IsthmusError, NotImplementedError):  # the latter is how torch says that there is no derivative
        raise
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError) as refused:
        cause = str(refused).strip().splitlines() or [type(refused).__name__]
        name = f"{step.node.operator} {step.node.name!r}" if step.node.name else step.node.operator
        raise ModelCallError(f"Operator {name}", tuple(x.shape[1:]), cause[0].rstrip("."), _REMEDY) from refused


def as_dtype(value: Any, dtype: torch.dtype) -> Any:
    """A tensor of real numbers in `dtype`, anything else as it is."""
    return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value


def onnx_module(steps: Steps, shape: tuple[int | None, ...]) -> nn.Module:
    """The graph in eval mode, as a `Sequential` where it is one path of layers, else a module that walks it."""
    walked = OnnxModule(steps).eval()
    layers = _sequence(steps, shape[0] if shape else None, None not in shape[1:])
    if layers is None or not shape or not _agree(layers.eval(), walked, shape):
        return walked
    return layers


def _agree(layers: nn.Sequential, walked: nn.Module, shape: tuple[int | None, ...]) -> bool:
    """Whether both ways to write the graph give the same at two rows; unknown sizes are not tried."""
    sizes = [size for size in shape[1:] if size is not None]
    if len(sizes) < len(shape[1:]):
        return True
    rows = shape[0] or 2
    dtype = next((t.dtype for t in (*layers.parameters(), *layers.buffers())), torch.float32)
    x = torch.randn(rows, *sizes, dtype=dtype, generator=torch.Generator().manual_seed(0))
    try:
        with torch.no_grad():
            first, second = layers(x), walked(x)
    except (RuntimeError, ValueError, IndexError):
        return False
    return first.shape == second.shape and torch.allclose(first, second, rtol=1e-3, atol=1e-4)


def _sequence(steps: Steps, rows: int | None, is_sized: bool) -> nn.Sequential | None:
    """The steps as one after the other, with biases and norms recognised; None where the graph branches.

    Where sizes of a row are free (`is_sized` is false), a reshape to so many columns may make other rows: none either.
    """
    layers: list[nn.Module] = []
    current, dimensions = steps.input_name, 0
    for step in steps.steps:
        others = [name for name in step.inputs if name != current]
        is_path = step.inputs.count(current) == 1 and all(not name or name in steps.constants for name in others)
        found = (step.layer or _folded(step, layers, steps.constants, dimensions, rows, is_sized)) if is_path else None
        if found is None:
            return None
        if found is not step.layer and isinstance(found, nn.Linear):
            layers.pop()  # the bias went into the Linear before it
        layers.append(found)
        dimensions = {nn.Conv1d: 3, nn.Conv2d: 4, nn.Conv3d: 5, nn.Linear: 2, nn.Flatten: 2}.get(
            type(found), dimensions
        )
        current = step.outputs[0]
    return nn.Sequential(*layers) if steps.outputs == [current] and layers else None


def _folded(
    step: Step,
    layers: list[nn.Module],
    constants: dict[str, Tensor],
    dimensions: int,
    rows: int | None,
    is_sized: bool,
) -> nn.Module | None:
    """A bias added to the Linear before, or a norm with constant parameters."""
    node = step.node
    given = [constants[name] for name in step.inputs if name in constants]
    last = layers[-1] if layers else None
    if node.operator == "Add" and isinstance(last, nn.Linear) and _has_no_bias(last) and len(given) == 1:
        bias = row_bias(given[0], len(last.weight))
        return None if bias is None else linear(last.weight, bias)
    if node.operator == "BatchNormalization" and len(given) == 4 and dimensions in (2, 4, 5):
        return batch_norm(dimensions, float(node.get("epsilon", 1e-5)), given) if is_in_eval_mode(node) else None
    # A matrix with as many rows as there were; with a known number of columns `_agree` tries it.
    if node.operator == "Reshape" and len(given) == 1 and len(given[0]) == 2 and not node.get("allowzero", 0):
        first, second = given[0].tolist()
        is_flat = first in (0, rows) and second == -1
        return nn.Flatten() if is_flat or (is_sized and first in (0, -1, rows)) else None
    if node.operator == "GlobalAveragePool" and dimensions == 4:
        return nn.AdaptiveAvgPool2d(1)
    return None


def _has_no_bias(layer: nn.Linear) -> bool:
    return getattr(layer, "bias", None) is None
