"""ONNX nodes with constant weights as torch's own layers, so that hooks find them and conversion recognises them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

Constants = dict[str, Tensor]

_CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_POOLS: dict[int, Any] = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
_NORMS = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


def layer(operator: str, attributes: dict[str, Any], inputs: list[str], constants: Constants) -> nn.Module | None:
    """The torch layer that computes a node from its first input; None where there is none of exactly that kind."""
    weights = [constants.get(name) if name else None for name in inputs[1:]]
    match operator:
        case "Relu":
            return nn.ReLU()
        case "LeakyRelu":
            return nn.LeakyReLU(float(attributes.get("alpha", 0.01)))
        case "Sigmoid":
            return nn.Sigmoid()
        case "Tanh":
            return nn.Tanh()
        case "Identity" | "Dropout":
            return nn.Identity()
        case "Flatten" if attributes.get("axis", 1) == 1:
            return nn.Flatten()
        case "MatMul" if weights and weights[0] is not None and weights[0].ndim == 2:
            return linear(weights[0].T, None)
        case "Gemm":
            return _gemm(attributes, weights, len(inputs))
        case "Conv":
            return _convolution(attributes, weights, len(inputs))
        case "AveragePool":
            return _pool(attributes)
    return None


def linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A Linear with these weights, `(n, d)` and `(n,)`."""
    built = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=weight.dtype)
    _fill(built, weight, bias)
    return built


def convolution(weight: Tensor, bias: Tensor | None, *, groups: int, **window: Any) -> nn.Module | None:
    """A convolution with these weights, `(channels, channels / groups, *kernel)`; None for an unknown dimension.

    Args:
        weight: The kernels.
        bias: `(channels,)` or None.
        groups: Into how many groups the channels are divided.
        **window: Stride, padding, dilation, as torch takes them.
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


def _gemm(attributes: dict[str, Any], weights: list[Tensor | None], inputs: int) -> nn.Module | None:
    weight = weights[0] if weights else None
    bias = weights[1] if len(weights) > 1 else None
    if weight is None or attributes.get("transA", 0) or (inputs > 2 and bias is None):
        return None
    weight = (weight if attributes.get("transB", 0) else weight.T) * float(attributes.get("alpha", 1.0))
    if bias is None:
        return linear(weight, None)
    if bias.numel() not in (1, len(weight)):
        return None
    return linear(weight, (bias.flatten() * float(attributes.get("beta", 1.0))).expand(len(weight)))


def _convolution(attributes: dict[str, Any], weights: list[Tensor | None], inputs: int) -> nn.Module | None:
    weight = weights[0] if weights else None
    bias = weights[1] if len(weights) > 1 else None
    spatial = 0 if weight is None else weight.ndim - 2
    padding = symmetric_padding(attributes, spatial)
    if weight is None or (inputs > 2 and bias is None) or padding is None:
        return None
    return convolution(
        weight,
        bias,
        groups=int(attributes.get("group", 1)),
        stride=tuple(attributes.get("strides", [1] * spatial)),
        padding=tuple(padding),
        dilation=tuple(attributes.get("dilations", [1] * spatial)),
    )


def _pool(attributes: dict[str, Any]) -> nn.Module | None:
    kernel = attributes["kernel_shape"]
    padding = symmetric_padding(attributes, len(kernel))
    if len(kernel) not in _POOLS or padding is None or any(d != 1 for d in attributes.get("dilations", [])):
        return None
    built: nn.Module = _POOLS[len(kernel)](
        tuple(kernel),
        tuple(attributes.get("strides", [1] * len(kernel))),
        tuple(padding),
        ceil_mode=bool(attributes.get("ceil_mode", 0)),
        count_include_pad=bool(attributes.get("count_include_pad", 0)),
    )
    return built


def symmetric_padding(attributes: dict[str, Any], spatial: int) -> list[int] | None:
    """The padding at each end, where both ends have the same; None otherwise or where it is automatic."""
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID", "NOTSET", "VALID"):
        return None
    pads = list(attributes.get("pads", [0] * 2 * spatial))
    return pads[:spatial] if pads[:spatial] == pads[spatial:] else None
