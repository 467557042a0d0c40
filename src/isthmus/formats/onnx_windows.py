"""ONNX operators that slide a window: convolutions and pooling with ONNX's ways of padding."""

from __future__ import annotations

import math
from typing import Any

import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_layers import symmetric_padding

Attributes = dict[str, Any]

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def _padded(attributes: Attributes, x: Tensor, spatial: int, value: float = 0.0) -> tuple[Tensor, Any]:
    """`x` and the padding that is left to the kernel; asymmetric padding is done first."""
    mode = attributes.get("auto_pad", b"NOTSET")
    mode = mode.decode() if isinstance(mode, bytes) else mode
    even = symmetric_padding(attributes, spatial)
    if even is not None:
        return x, tuple(even)
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1] * spatial)
        dilations = attributes.get("dilations", [1] * spatial)
        totals = [
            max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
            for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True)
        ]
        first = [t // 2 if mode == "SAME_UPPER" else t - t // 2 for t in totals]
        pads = [*first, *(t - f for t, f in zip(totals, first, strict=True))]
    else:
        pads = list(attributes["pads"])
    flat = [p for axis in reversed(range(spatial)) for p in (pads[axis], pads[axis + spatial])]
    return F.pad(x, flat, value=value), (0,) * spatial


def conv(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A convolution with any padding."""
    spatial = weight.ndim - 2
    attributes = {"kernel_shape": list(weight.shape[2:]), **attributes}
    x, padding = _padded(attributes, x, spatial)
    strides, dilations = attributes.get("strides", [1] * spatial), attributes.get("dilations", [1] * spatial)
    return _CONVOLUTIONS[spatial](x, weight, bias, strides, padding, dilations, attributes.get("group", 1))


def conv_transpose(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A transposed convolution with symmetric padding."""
    spatial = weight.ndim - 2
    padding = symmetric_padding(attributes, spatial)
    if padding is None or "output_shape" in attributes:
        raise NotImplementedError("ConvTranspose with asymmetric padding or a prescribed output shape")
    return _TRANSPOSED[spatial](
        x,
        weight,
        bias,
        attributes.get("strides", [1] * spatial),
        padding,
        attributes.get("output_padding", [0] * spatial),
        attributes.get("group", 1),
        attributes.get("dilations", [1] * spatial),
    )


def max_pool(attributes: Attributes, x: Tensor) -> Tensor:
    """The largest value of each window."""
    kernel = attributes["kernel_shape"]
    x, padding = _padded(attributes, x, len(kernel), -math.inf)
    strides, dilations = attributes.get("strides", [1] * len(kernel)), attributes.get("dilations", [1] * len(kernel))
    return _MAX_POOLS[len(kernel)](x, kernel, strides, padding, dilations, bool(attributes.get("ceil_mode", 0)))


def average_pool(attributes: Attributes, x: Tensor) -> Tensor:
    """The mean of each window."""
    kernel = attributes["kernel_shape"]
    even = symmetric_padding(attributes, len(kernel))
    counts = bool(attributes.get("count_include_pad", 0))
    if even is None and not counts:
        raise NotImplementedError("AveragePool with asymmetric padding that is not counted")
    x, padding = _padded(attributes, x, len(kernel))
    strides = attributes.get("strides", [1] * len(kernel))
    return _AVERAGE_POOLS[len(kernel)](x, kernel, strides, padding, bool(attributes.get("ceil_mode", 0)), counts)
