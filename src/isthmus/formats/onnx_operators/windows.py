"""ONNX operators that slide a window: convolutions and pooling with ONNX's ways of padding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, translated

_CONVOLUTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED: dict[int, Any] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX_POOLS: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_WINDOW = "auto_pad dilations kernel_shape pads strides"
_POOL = f"{_WINDOW} ceil_mode"


def _spatial(node: Node, x: Tensor, known: dict[int, Any]) -> int:
    if x.ndim - 2 not in known:
        raise node.refuse(f"it has {x.ndim - 2} spatial axes, torch's has 1 to 3")
    return x.ndim - 2


@dataclass(frozen=True)
class _Geometry:
    """Windows over the spatial axes of an input.

    Attributes:
        begin, end: What the file pads at each axis.
        beyond: How far the last window of each axis reaches past that padding (only with ceil_mode).
        kernel, strides, dilations: Sizes, each one number an axis.
    """

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    begin: list[int]
    end: list[int]
    beyond: list[int]

    @property
    def flat(self) -> list[int]:
        """The padding as torch takes it, last axis first."""
        return [p for pair in reversed(list(zip(self.begin, self.end, strict=True))) for p in pair]

    @property
    def flat_beyond(self) -> list[int]:
        """The further padding that lets the last windows fit."""
        return [p for more in reversed(self.beyond) for p in (0, more)]

    @property
    def is_plain(self) -> bool:
        """Whether both ends are padded alike and no window reaches beyond."""
        return self.begin == self.end and not any(self.beyond)


def _geometry(node: Node, sizes: list[int], kernel: list[int]) -> _Geometry:
    ones = [1] * len(sizes)
    strides, dilations = list(node.get("strides", ones)), list(node.get("dilations", ones))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    mode, ceil = node.get("auto_pad", "NOTSET"), bool(node.get("ceil_mode", 0))
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        totals = [max((-(-size // s) - 1) * s + r - size, 0) for size, s, r in zip(sizes, strides, reach, strict=True)]
        smaller = [t // 2 for t in totals]
        larger = [t - t // 2 for t in totals]
        begin, end = (smaller, larger) if mode == "SAME_UPPER" else (larger, smaller)
        return _Geometry(kernel, strides, dilations, begin, end, [0] * len(sizes))
    if mode not in ("NOTSET", "VALID"):
        raise node.refuse(f"its auto_pad {mode!r} is not known")
    pads = [0] * 2 * len(sizes) if mode == "VALID" else list(node.get("pads", [0] * 2 * len(sizes)))
    begin, end = pads[: len(sizes)], pads[len(sizes) :]
    beyond = []
    for size, b, e, r, s in zip(sizes, begin, end, reach, strides, strict=True):
        steps = (size + b + e - r) / s
        last = (math.ceil(steps) if ceil else math.floor(steps)) * s
        if ceil and last >= size + b:  # a window must begin in the input or before it
            last -= s
        beyond.append(max(last + r - (size + b + e), 0))
    return _Geometry(kernel, strides, dilations, begin, end, beyond)


def _conv(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    spatial = _spatial(node, x, _CONVOLUTIONS)
    how = _geometry(node, list(x.shape[2:]), list(weight.shape[2:]))
    padding = tuple(how.begin) if how.is_plain else 0
    x = x if how.is_plain else F.pad(x, how.flat)
    result: Tensor = _CONVOLUTIONS[spatial](
        x, weight, bias, tuple(how.strides), padding, tuple(how.dilations), node.get("group", 1)
    )
    return result


def _conv_transpose(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The full result, without padding, then cut to what the file asks for."""
    spatial = _spatial(node, x, _TRANSPOSED)
    ones = [1] * spatial
    strides, dilations = node.get("strides", ones), node.get("dilations", ones)
    more = list(node.get("output_padding", [0] * spatial))
    full: Tensor = _TRANSPOSED[spatial](x, weight, None, tuple(strides), 0, 0, node.get("group", 1), tuple(dilations))
    mode, wanted = node.get("auto_pad", "NOTSET"), node.get("output_shape")
    pads = list(node.get("pads", [0] * 2 * spatial))
    begin, end = pads[:spatial], pads[spatial:]
    if wanted is not None or mode in ("SAME_UPPER", "SAME_LOWER"):
        sizes = wanted or [size * s for size, s in zip(x.shape[2:], strides, strict=True)]
        totals = [have + m - want for have, m, want in zip(full.shape[2:], more, sizes[-spatial:], strict=True)]
        first = [t // 2 if mode == "SAME_UPPER" else t - t // 2 for t in totals]
        begin, end = first, [t - f for t, f in zip(totals, first, strict=True)]
    elif mode == "VALID":
        begin, end = [0] * spatial, [0] * spatial
    elif mode != "NOTSET":
        raise node.refuse(f"its auto_pad {mode!r} is not known")
    cut = [p for b, e, m in reversed(list(zip(begin, end, more, strict=True))) for p in (-b, m - e)]
    result = F.pad(full, cut)
    return result if bias is None else result + bias.reshape(-1, *ones)


def _max_pool(node: Node, x: Tensor) -> Tensor:
    kernel = node.get("kernel_shape")
    spatial = _spatial(node, x, _MAX_POOLS)
    how = _geometry(node, list(x.shape[2:]), list(kernel))
    padding: Any = 0
    if how.is_plain and all(2 * p <= k for p, k in zip(how.begin, kernel, strict=True)):
        padding = tuple(how.begin)
    else:
        x = F.pad(F.pad(x, how.flat, value=-math.inf), how.flat_beyond, value=-math.inf)
    result: Tensor = _MAX_POOLS[spatial](x, tuple(kernel), tuple(how.strides), padding, tuple(how.dilations))
    return result


def _window_sums(x: Tensor, how: _Geometry) -> Tensor:
    """The sum of each window of `x` `(n, c, …)`, which is padded already, channel by channel."""
    kernel = torch.ones(1, 1, *how.kernel, dtype=x.dtype, device=x.device)
    alone = x.flatten(0, 1).unsqueeze(1)
    sums: Tensor = _CONVOLUTIONS[len(how.kernel)](alone, kernel, None, tuple(how.strides), 0, tuple(how.dilations))
    return sums.reshape(*x.shape[:2], *sums.shape[2:])


def _average_pool(node: Node, x: Tensor) -> Tensor:
    _spatial(node, x, _CONVOLUTIONS)
    how = _geometry(node, list(x.shape[2:]), list(node.get("kernel_shape")))
    inside = torch.ones(1, 1, *x.shape[2:], dtype=x.dtype, device=x.device)
    counted = F.pad(inside, how.flat, value=float(bool(node.get("count_include_pad", 0))))
    counts = _window_sums(F.pad(counted, how.flat_beyond), how)
    return _window_sums(F.pad(F.pad(x, how.flat), how.flat_beyond), how) / counts


def _lp_pool(node: Node, x: Tensor) -> Tensor:
    _spatial(node, x, _CONVOLUTIONS)
    how = _geometry(node, list(x.shape[2:]), list(node.get("kernel_shape")))
    p = int(node.get("p", 2))
    return _window_sums(F.pad(F.pad(x.abs() ** p, how.flat), how.flat_beyond), how) ** (1.0 / p)


def _global_lp_pool(node: Node, x: Tensor) -> Tensor:
    p = int(node.get("p", 2))
    return (x.abs() ** p).sum(tuple(range(2, x.ndim)), keepdim=True) ** (1.0 / p)


WINDOWS: dict[str, Translation] = {
    "AveragePool": translated(_average_pool, f"{_POOL} count_include_pad"),
    "Conv": translated(_conv, f"{_WINDOW} group"),
    "ConvTranspose": translated(_conv_transpose, f"{_WINDOW} group output_padding output_shape"),
    "GlobalLpPool": translated(_global_lp_pool, "p", since=2),
    "LpPool": translated(_lp_pool, f"{_POOL} p", since=2),
    "MaxPool": translated(_max_pool, f"{_POOL} storage_order"),
}
"""By name."""
