"""ONNX operators that act on each number by itself, or on numbers of several tensors in the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, plain, translated

_BROADCASTING = 7  # from this opset on shapes are aligned as numpy does

TYPES = {
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
"""ONNX's numbers of types that torch computes with."""


def element_type(node: Node, number: Any) -> torch.dtype:
    """The torch type with ONNX's `number`; a typed refusal for those that torch does not compute with."""
    if number not in TYPES:
        raise node.refuse(f"it makes numbers of ONNX's type {number!r}, which torch does not compute with")
    return TYPES[number]


def _aligned(node: Node, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both operands as numpy would align them; before opset 7 the second stood at `axis`, and only if asked."""
    if node.since >= _BROADCASTING or a.shape == b.shape:
        return a, b
    if not node.get("broadcast", 0):
        raise node.refuse(f"before opset 7 shapes {tuple(a.shape)} and {tuple(b.shape)} are not broadcast unless asked")
    axis = node.get("axis", a.ndim - b.ndim)
    axis += a.ndim if axis < 0 else 0
    return a, b.reshape([*b.shape, *[1] * (a.ndim - axis - b.ndim)])


def _binary(function: Callable[[Tensor, Tensor], Tensor], *, since: int = 1) -> Translation:
    return translated(lambda node, a, b: function(*_aligned(node, a, b)), "axis broadcast", since=since)


def _folded(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def fold(node: Node, *inputs: Tensor) -> Tensor:
        result = inputs[0]
        for each in inputs[1:]:
            result = function(result, each)
        return result

    return fold


def _mean(node: Node, *inputs: Tensor) -> Tensor:
    return _folded(torch.add)(node, *inputs) / len(inputs)


def _divide(a: Tensor, b: Tensor) -> Tensor:
    is_real = a.is_floating_point() or b.is_floating_point()
    return a / b if is_real else torch.div(a, b, rounding_mode="trunc")


def _power(a: Tensor, b: Tensor) -> Tensor:
    return torch.pow(a, b).to(a.dtype)  # the result has the type of the base, also where that is an integer


def _mod(node: Node, a: Tensor, b: Tensor) -> Tensor:
    return torch.fmod(a, b) if node.get("fmod", 0) else torch.remainder(a, b)


def _clip(node: Node, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    smallest = low if low is not None else node.get("min")
    largest = high if high is not None else node.get("max")
    bounds = [None if b is None else torch.as_tensor(b, dtype=x.dtype, device=x.device) for b in (smallest, largest)]
    return x if bounds == [None, None] else x.clamp(*bounds)


def _prelu(node: Node, x: Tensor, slope: Tensor) -> Tensor:
    if node.since < _BROADCASTING and slope.numel() > 1:  # one slope a channel
        slope = slope.reshape(-1, *[1] * (x.ndim - 2))
    return torch.where(x > 0, x, slope * x)


def _gelu(node: Node, x: Tensor) -> Tensor:
    return F.gelu(x, approximate=node.get("approximate", "none"))


def _selu(node: Node, x: Tensor) -> Tensor:
    is_first = node.since < 6
    alpha = float(node.get("alpha", 1.6732 if is_first else 1.67326319217681884765625))
    return float(node.get("gamma", 1.0507 if is_first else 1.05070102214813232421875)) * F.elu(x, alpha)


def _cast(node: Node, x: Tensor) -> Tensor:
    name = node.get("to")
    if not isinstance(name, int):  # a name before opset 6
        raise node.refuse(f"before opset 6 a type is a name, here {name!r}")
    to = element_type(node, name)
    if node.get("round_mode", "up") != "up":
        raise node.refuse("it prescribes how to round")
    return _as_kind(x, to)


def _as_kind(x: Tensor, to: torch.dtype) -> Tensor:
    """`x` as numbers of another kind; between real ones nothing is rounded, as all are computed in one precision."""
    return x if x.is_floating_point() and to.is_floating_point else x.to(to)


def _is_infinite(node: Node, x: Tensor) -> Tensor:
    negative, positive = node.get("detect_negative", 1), node.get("detect_positive", 1)
    return (torch.isposinf(x) & bool(positive)) | (torch.isneginf(x) & bool(negative))


def _dropout(node: Node, x: Tensor, ratio: Tensor | None = None, training: Tensor | None = None) -> Any:
    if training is not None and bool(training):
        raise node.refuse("it is in training mode, where it is random")
    if node.since < 7 and not node.get("is_test", 0):
        raise node.refuse("it is in training mode (is_test is 0), where it is random")
    return x, torch.ones_like(x, dtype=torch.bool)


def _shrink(node: Node, x: Tensor) -> Tensor:
    bound, bias = node.get("lambd", 0.5), node.get("bias", 0.0)
    return torch.where(x < -bound, x + bias, torch.where(x > bound, x - bias, torch.zeros_like(x)))


def _identity(node: Node, x: Any) -> Any:
    return x


_UNARY: dict[str, Callable[..., Any]] = {
    **{"Abs": torch.abs, "Ceil": torch.ceil, "Cos": torch.cos, "Cosh": torch.cosh, "Erf": torch.erf},
    **{"Exp": torch.exp, "Floor": torch.floor, "IsNaN": torch.isnan, "Log": torch.log, "Neg": torch.neg},
    **{"Not": torch.logical_not, "Reciprocal": torch.reciprocal, "Relu": torch.relu, "Round": torch.round},
    **{"Sigmoid": torch.sigmoid, "Sign": torch.sign, "Sin": torch.sin, "Sinh": torch.sinh, "Sqrt": torch.sqrt},
    **{"Tan": torch.tan, "Tanh": torch.tanh, "Acos": torch.acos, "Acosh": torch.acosh, "Asin": torch.asin},
    **{"Asinh": torch.asinh, "Atan": torch.atan, "Atanh": torch.atanh, "Softsign": F.softsign, "Mish": F.mish},
    **{"GreaterOrEqual": torch.ge, "LessOrEqual": torch.le, "Where": torch.where},
    "HardSwish": lambda x: x * (x / 6 + 0.5).clamp(0.0, 1.0),
    # log(1 + e^x): torch's own becomes the identity from 20 on, which double precision notices.
    "Softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
}
_BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    **{"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": _divide, "Pow": _power},
    **{"And": torch.logical_and, "Or": torch.logical_or, "Xor": torch.logical_xor},
    **{"Equal": torch.eq, "Greater": torch.gt, "Less": torch.lt},
}

ELEMENTWISE: dict[str, Translation] = {
    **{name: plain(function) for name, function in _UNARY.items()},
    **{name: _binary(function) for name, function in _BINARY.items()},
    "Cast": translated(_cast, "to saturate round_mode"),
    "CastLike": translated(lambda node, x, like: _as_kind(x, like.dtype), "saturate"),
    "Celu": translated(lambda node, x: F.celu(x, node.get("alpha", 1.0)), "alpha"),
    "Clip": translated(_clip, "min max"),
    "Dropout": translated(_dropout, "ratio seed is_test", outputs=2),
    "Elu": translated(lambda node, x: F.elu(x, node.get("alpha", 1.0)), "alpha"),
    "Gelu": translated(_gelu, "approximate"),
    "HardSigmoid": translated(
        lambda node, x: (node.get("alpha", 0.2) * x + node.get("beta", 0.5)).clamp(0.0, 1.0), "alpha beta"
    ),
    "Identity": translated(_identity),
    "IsInf": translated(_is_infinite, "detect_negative detect_positive"),
    "LeakyRelu": translated(lambda node, x: F.leaky_relu(x, node.get("alpha", 0.01)), "alpha"),
    "Max": translated(_folded(torch.maximum)),
    "Mean": translated(_mean),
    "Min": translated(_folded(torch.minimum)),
    "Mod": translated(_mod, "fmod"),
    "PRelu": translated(_prelu),
    "Selu": translated(_selu, "alpha gamma"),
    "Shrink": translated(_shrink, "bias lambd"),
    "Sum": translated(_folded(torch.add)),
    "Swish": translated(lambda node, x: x * torch.sigmoid(node.get("alpha", 1.0) * x), "alpha"),
    "ThresholdedRelu": translated(lambda node, x: torch.where(x > node.get("alpha", 1.0), x, 0.0), "alpha"),
}
"""By name."""
