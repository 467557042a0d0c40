"""ONNX nodes with constant weights as torch's own layers, so that hooks find them and conversion recognises them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from isthmus.formats.onnx_operators import Node

Constants = dict[str, Tensor]

_CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_POOLS: dict[int, Any] = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
_NORMS = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


def layer(node: Node, inputs: list[str], constants: Constants) -> nn.Module | None:
    """The torch layer that computes a node from its first input; None where there is none of exactly that kind."""
    weights = [constants.get(name) if name else None for name in inputs[1:]]
    if node.outputs > 1:
        return None
    match node.operator:
        case "Relu":
            return nn.ReLU()
        case "LeakyRelu":
            return nn.LeakyReLU(float(node.get("alpha", 0.01)))
        case "Sigmoid":
            return nn.Sigmoid()
        case "Tanh":
            return nn.Tanh()
        case "Identity":
            return nn.Identity()
        case "Dropout" if len(inputs) == 1 and (node.since >= 7 or node.get("is_test", 0)):
            return nn.Identity()
        case "Flatten" if node.get("axis", 1) == 1:
            return nn.Flatten()
        case "MatMul" if weights and weights[0] is not None and weights[0].ndim == 2:
            return linear(weights[0].T, None)
        case "Gemm":
            return _gemm(node, weights, len(inputs))
        case "Conv":
            return _convolution(node, weights, len(inputs))
        case "AveragePool":
            return _pool(node)
    return None


def linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A Linear with these weights, `(n, d)` and `(n,)`."""
    built = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=weight.dtype)
    _fill(built, weight, bias)
    return built


def row_bias(bias: Tensor, width: int) -> Tensor | None:
    """A bias that is the same for every row, `(width,)`; None where it is another one for each."""
    if bias.numel() == 1 and bias.ndim <= 2:
        return bias.reshape(1).expand(width)
    return bias.reshape(width) if bias.shape in ((width,), (1, width)) else None


def convolution(weight: Tensor, bias: Tensor | None, *, groups: int, **window: Any) -> nn.Module | None:
    """A convolution with these weights, `(channels, channels / groups, *kernel)`; None for an unknown dimension.

    Args:
        weight: The kernels.
        bias: `(channels,)` or None.
        groups: How many groups of channels do not meet.
        window: `stride`, `padding` and `dilation`, as torch takes them.
    """
    kind = _CONVOLUTIONS.get(weight.ndim - 2)
    if kind is None:
        return None
    built: nn.Module = kind(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),
        groups=groups,
        bias=bias is not None,
        dtype=weight.dtype,
        **window,
    )
    _fill(built, weight, bias)
    return built


def _fill(built: Any, weight: Tensor, bias: Tensor | None) -> None:
    with torch.no_grad():
        built.weight.copy_(weight)
        if bias is not None:
            built.bias.copy_(bias)


def batch_norm(dimensions: int, epsilon: float, parameters: list[Tensor]) -> nn.Module:
    """A BatchNorm in eval mode from scale, bias, mean and variance, for inputs with so many dimensions."""
    scale, bias, mean, variance = parameters
    built = _NORMS[dimensions](len(scale), eps=epsilon, dtype=scale.dtype).eval()
    with torch.no_grad():
        built.weight.copy_(scale)
        built.bias.copy_(bias)
        assert built.running_mean is not None
        assert built.running_var is not None
        built.running_mean.copy_(mean)
        built.running_var.copy_(variance)
    return built


def is_in_eval_mode(node: Node) -> bool:
    """Whether a BatchNormalization keeps to the statistics that it is given, one a channel."""
    has_mode = node.since >= 7 or bool(node.get("is_test", 0))
    return has_mode and not node.get("training_mode", 0) and bool(node.get("spatial", 1))


def _gemm(node: Node, weights: list[Tensor | None], inputs: int) -> nn.Module | None:
    weight = weights[0] if weights else None
    bias = weights[1] if len(weights) > 1 else None
    if weight is None or weight.ndim != 2 or node.get("transA", 0) or (inputs > 2 and bias is None):
        return None
    weight = (weight if node.get("transB", 0) else weight.T) * float(node.get("alpha", 1.0))
    if bias is None:
        return linear(weight, None)
    added = row_bias(bias, len(weight))
    return None if added is None else linear(weight, added * float(node.get("beta", 1.0)))


def _convolution(node: Node, weights: list[Tensor | None], inputs: int) -> nn.Module | None:
    weight = weights[0] if weights else None
    bias = weights[1] if len(weights) > 1 else None
    spatial = 0 if weight is None else weight.ndim - 2
    padding = _symmetric_padding(node, spatial)
    if weight is None or (inputs > 2 and bias is None) or padding is None:
        return None
    return convolution(
        weight,
        bias,
        groups=int(node.get("group", 1)),
        stride=tuple(node.get("strides", [1] * spatial)),
        padding=tuple(padding),
        dilation=tuple(node.get("dilations", [1] * spatial)),
    )


def _pool(node: Node) -> nn.Module | None:
    kernel = node.get("kernel_shape")
    padding = _symmetric_padding(node, len(kernel))
    is_plain = not node.get("ceil_mode", 0) and all(d == 1 for d in node.get("dilations", []))
    if len(kernel) not in _POOLS or padding is None or not is_plain:
        return None
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        return None  # torch pads by half a window at most
    built: nn.Module = _POOLS[len(kernel)](
        tuple(kernel),
        tuple(node.get("strides", [1] * len(kernel))),
        tuple(padding),
        count_include_pad=bool(node.get("count_include_pad", 0)),
    )
    return built


def _symmetric_padding(node: Node, spatial: int) -> list[int] | None:
    """The padding at each end, where both ends have the same; None otherwise or where it is automatic."""
    if node.get("auto_pad", "NOTSET") == "VALID":
        return [0] * spatial
    if node.get("auto_pad", "NOTSET") != "NOTSET":
        return None
    pads = list(node.get("pads", [0] * 2 * spatial))
    return pads[:spatial] if pads[:spatial] == pads[spatial:] else None
