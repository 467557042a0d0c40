"""ONNX's quantised weights as the real numbers that they stand for."""

from __future__ import annotations

from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, translated


def _dequantize(node: Node, x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    block = node.get("block_size", 0)
    axis = node.get("axis", 1)
    parts = [scale] if zero is None else [scale, zero.to(scale.dtype)]
    if block:
        parts = [p.repeat_interleave(block, axis).narrow(axis, 0, x.shape[axis]) for p in parts]
    elif scale.numel() > 1:
        shape = [1] * x.ndim
        shape[axis] = -1
        parts = [p.reshape(shape) for p in parts]
    number = x.to(scale.dtype)
    return (number if zero is None else number - parts[1]) * parts[0]


QUANTIZATION: dict[str, Translation] = {
    "DequantizeLinear": translated(_dequantize, "axis block_size output_dtype", since=10),
}
"""By name."""
