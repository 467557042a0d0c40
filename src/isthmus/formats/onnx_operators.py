"""ONNX operators as differentiable torch functions of (attributes, inputs…), for graphs that are no chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_windows import (
    average_pool,
    conv,
    conv_transpose,
    max_pool,
)

Attributes = dict[str, Any]
Operator = Callable[..., Any]

_TYPES = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    16: torch.bfloat16,
}


def _ints(value: Tensor | list[int] | None) -> list[int] | None:
    if value is None:
        return None
    return [int(v) for v in (value.flatten().tolist() if isinstance(value, Tensor) else value)]


def _reshape(attributes: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    sizes = _ints(shape) or []
    if not attributes.get("allowzero", 0):
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return x.reshape(sizes)


def _flatten(attributes: Attributes, x: Tensor) -> Tensor:
    axis = attributes.get("axis", 1) % (x.ndim + 1)
    return x.reshape(math.prod(x.shape[:axis]), -1)


def _slice(attributes: Attributes, x: Tensor, *given: Tensor | None) -> Tensor:
    starts, ends, axes, steps = [
        _ints(given[i] if i < len(given) else attributes.get(name))
        for i, name in enumerate(("starts", "ends", "axes", "steps"))
    ]
    assert starts is not None
    assert ends is not None
    for i, axis in enumerate(axes or range(len(starts))):
        step = steps[i] if steps else 1
        numbers = range(x.shape[axis])[slice(starts[i], ends[i], step)]
        x = x.index_select(axis, torch.tensor(list(numbers), dtype=torch.long, device=x.device))
    return x


def _squeeze(attributes: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
    chosen = _ints(axes if axes is not None else attributes.get("axes"))
    if chosen is None:
        chosen = [i for i, size in enumerate(x.shape) if size == 1]
    return x.squeeze(tuple(chosen))


def _unsqueeze(attributes: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
    chosen = _ints(axes if axes is not None else attributes.get("axes")) or []
    for axis in sorted(a % (x.ndim + len(chosen)) for a in chosen):
        x = x.unsqueeze(axis)
    return x


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Operator:
    def reduce(attributes: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
        chosen = _ints(axes if axes is not None else attributes.get("axes"))
        if not chosen:
            if attributes.get("noop_with_empty_axes", 0):
                return x
            chosen = list(range(x.ndim))
        return function(x, chosen, bool(attributes.get("keepdims", 1)))

    return reduce


def _batch_norm(attributes: Attributes, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    return F.batch_norm(x, mean, var, scale, bias, False, 0.0, float(attributes.get("epsilon", 1e-5)))


def _layer_norm(attributes: Attributes, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
    axis = attributes.get("axis", -1) % x.ndim
    shape = x.shape[axis:]
    return F.layer_norm(x, shape, scale.expand(shape), bias, float(attributes.get("epsilon", 1e-5)))


def _gemm(attributes: Attributes, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    product = (a.T if attributes.get("transA", 0) else a) @ (b.T if attributes.get("transB", 0) else b)
    product = product * float(attributes.get("alpha", 1.0))
    return product if c is None else product + float(attributes.get("beta", 1.0)) * c


def _clip(attributes: Attributes, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    smallest = low if low is not None else attributes.get("min")
    largest = high if high is not None else attributes.get("max")
    bounds = [float(b) if isinstance(b, Tensor) else b for b in (smallest, largest)]
    return x if bounds == [None, None] else x.clamp(*bounds)


def _split(attributes: Attributes, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = attributes.get("axis", 0)
    given = _ints(sizes if sizes is not None else attributes.get("split"))
    if given is None:
        count = attributes.get("num_outputs", 2)
        return tuple(x.split(-(-x.shape[axis] // count), axis))
    return tuple(x.split(given, axis))


def _pad(attributes: Attributes, x: Tensor, pads: Tensor | None = None, value: Tensor | None = None, *_: Any) -> Tensor:
    given = _ints(pads if pads is not None else attributes.get("pads")) or []
    mode = attributes.get("mode", b"constant")
    mode = mode.decode() if isinstance(mode, bytes) else mode
    flat = [p for axis in reversed(range(x.ndim)) for p in (given[axis], given[axis + x.ndim])]
    if mode == "constant":
        return F.pad(x, flat, value=float(value if value is not None else attributes.get("value", 0.0)))
    return F.pad(x, flat[: 2 * (x.ndim - 2)], mode={"edge": "replicate"}.get(mode, mode))


def _gather(attributes: Attributes, x: Tensor, index: Tensor) -> Tensor:
    axis = attributes.get("axis", 0) % x.ndim
    wrapped = torch.where(index < 0, index + x.shape[axis], index).long()
    taken = x.index_select(axis, wrapped.flatten())
    return taken.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def _softmax(function: Callable[..., Tensor]) -> Operator:
    return lambda attributes, x: function(x, dim=attributes.get("axis", -1))


def _plain(function: Callable[..., Any]) -> Operator:
    return lambda attributes, *inputs: function(*inputs)


def _folded(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    def fold(attributes: Attributes, *inputs: Tensor) -> Tensor:
        result = inputs[0]
        for each in inputs[1:]:
            result = function(result, each)
        return result

    return fold


def _divided(attributes: Attributes, a: Tensor, b: Tensor) -> Tensor:
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


def _gelu(attributes: Attributes, x: Tensor) -> Tensor:
    mode = attributes.get("approximate", b"none")
    return F.gelu(x, approximate=mode.decode() if isinstance(mode, bytes) else mode)


def _constant_of_shape(attributes: Attributes, shape: Tensor) -> Tensor:
    value = attributes.get("value")
    if value is None:
        return torch.zeros(_ints(shape) or [])
    from onnx import numpy_helper

    filled = torch.from_numpy(numpy_helper.to_array(value).copy())
    return filled.reshape(()).expand(_ints(shape) or [])


OPERATORS: dict[str, Operator] = {
    "Abs": _plain(torch.abs),
    "Add": _plain(torch.add),
    "AveragePool": average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": lambda a, x: x.to(_TYPES[a["to"]]),
    "Clip": _clip,
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "ConstantOfShape": _constant_of_shape,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Div": _divided,
    "Elu": lambda a, x: F.elu(x, a.get("alpha", 1.0)),
    "Equal": _plain(torch.eq),
    "Erf": _plain(torch.erf),
    "Exp": _plain(torch.exp),
    "Expand": lambda a, x, shape: x.expand(torch.broadcast_shapes(x.shape, _ints(shape) or [])),
    "Flatten": _flatten,
    "Gather": _gather,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda a, x: x.mean(tuple(range(2, x.ndim)), keepdim=True),
    "GlobalMaxPool": lambda a, x: x.amax(tuple(range(2, x.ndim)), keepdim=True),
    "Greater": _plain(torch.gt),
    "HardSigmoid": lambda a, x: (a.get("alpha", 0.2) * x + a.get("beta", 0.5)).clamp(0.0, 1.0),
    "HardSwish": _plain(F.hardswish),
    "LayerNormalization": _layer_norm,
    "Less": _plain(torch.lt),
    "Log": _plain(torch.log),
    "LogSoftmax": _softmax(torch.log_softmax),
    "MatMul": _plain(torch.matmul),
    "Max": _folded(torch.maximum),
    "MaxPool": max_pool,
    "Min": _folded(torch.minimum),
    "Mul": _plain(torch.mul),
    "Neg": _plain(torch.neg),
    "PRelu": lambda a, x, slope: torch.where(x > 0, x, slope * x),
    "Pad": _pad,
    "Pow": _plain(torch.pow),
    "Reciprocal": _plain(torch.reciprocal),
    "ReduceMax": _reduced(lambda x, axes, keep: x.amax(axes, keep)),
    "ReduceMean": _reduced(lambda x, axes, keep: x.mean(axes, keep)),
    "ReduceMin": _reduced(lambda x, axes, keep: x.amin(axes, keep)),
    "ReduceSum": _reduced(lambda x, axes, keep: x.sum(axes, keep)),
    "Reshape": _reshape,
    "Selu": lambda a, x: a.get("gamma", 1.0507009873554805) * F.elu(x, a.get("alpha", 1.6732632423543772)),
    "Shape": lambda a, x: torch.tensor(x.shape[a.get("start", 0) : a.get("end")], dtype=torch.int64),
    "Slice": _slice,
    "Softmax": _softmax(torch.softmax),
    "Softplus": _plain(F.softplus),
    "Split": _split,
    "Sqrt": _plain(torch.sqrt),
    "Squeeze": _squeeze,
    "Sub": _plain(torch.sub),
    "Transpose": lambda a, x: x.permute(a.get("perm", list(reversed(range(x.ndim))))),
    "Unsqueeze": _unsqueeze,
    "Where": _plain(torch.where),
}
