"""Interval arithmetic through a layer, with room for its own rounding: what it proves is true of the real numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.networks import Activation

UNIT = 2.0**-53  # relative rounding of one operation in double precision


def rounding(terms: int) -> float:
    """Relative error of a sum of so many products, with room to spare."""
    return 2.0 * (terms + 2) * UNIT


def affine_interval(weight: Tensor, bias: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds of W a + b for a between `lower` and `upper` `(m,)`, which may be infinite: `(n,)` each.

    Sums of terms of one sign are summed apart from those of the other, so that what cannot be negative is bounded by
    zero exactly, whatever the rounding.
    """
    right, left = weight.clamp_min(0.0), (-weight).clamp_min_(0.0)
    return _least(right, left, bias, lower, upper), -_least(left, right, -bias, lower, upper)


def _least(right: Tensor, left: Tensor, bias: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """The least value of (`right` − `left`) a + b."""
    gain, loss = bias.clamp_min(0.0), (-bias).clamp_min(0.0)
    is_open = torch.zeros_like(bias, dtype=torch.bool)
    for part, positive, negative in ((right, lower, -lower), (left, -upper, upper)):
        is_finite = torch.isfinite(positive)
        is_open |= ((part > 0) & ~is_finite).any(1)
        gain = gain + part @ torch.where(is_finite, positive, 0.0).clamp_min(0.0)
        loss = loss + part @ torch.where(is_finite, negative, 0.0).clamp_min(0.0)
    slack = rounding(2 * right.shape[1])
    return torch.where(is_open, -torch.inf, gain * (1.0 - slack) - loss * (1.0 + slack))


def activation_interval(activation: Activation, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds of σ(z) for z between `lower` and `upper`, outward by one rounding."""
    slope = activation.negative_slope
    ends = [_image(slope, end) for end in (lower, upper)]
    least, most = torch.minimum(*ends), torch.maximum(*ends)
    has_zero = (lower <= 0) & (upper >= 0)
    least = torch.where(has_zero, least.clamp_max(0.0), least)
    most = torch.where(has_zero, most.clamp_min(0.0), most)
    return least - 2 * UNIT * least.abs().nan_to_num(posinf=0.0), most + 2 * UNIT * most.abs().nan_to_num(posinf=0.0)


def _image(slope: float, z: Tensor) -> Tensor:
    if slope == 0.0:  # 0 · ∞ is no number
        return z.clamp_min(0.0)
    return torch.where(z > 0, z, slope * z)
