"""How noisy the values of a function are, from differences of a few of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

POINTS = 8  # values on a line; six differences of them
_AGREE = 4.0  # estimates of three orders in a row agree within this factor


def noise_level(values: Tensor) -> tuple[Tensor, Tensor]:
    r"""ECnoise: the standard deviation of the noise in each output, from values at equally spaced points of a line.

    Differences of order k of a smooth function shrink quickly; those of noise of deviation ε have the variance
    $\binom{2k}{k} ε^2$. An estimate is taken where three orders in a row agree and the differences change sign.

    Args:
        values: `(8, m)`, f at the points.

    Returns:
        The noise `(m,)`, 0 where none was found, and why: 1 found, 2 the points are too far apart, 3 they are too
        close (half of the values are equal).

    Source:
        Moré and Wild (2011), Estimating computational noise, algorithm ECnoise.
    """
    ordered = values.sort(0).values
    equal = (ordered[1:] == ordered[:-1]).sum(0)
    level, orders, changes = values, [], []
    for k in range(1, len(values) - 1):
        level = level[1:] - level[:-1]
        orders.append((level.square().mean(0) / math.comb(2 * k, k)).sqrt())
        changes.append((level.amin(0) < 0) & (level.amax(0) > 0))
    noise = torch.zeros_like(values[0])
    why = torch.full_like(values[0], 2.0)
    for k in reversed(range(len(orders) - 2)):
        three = torch.stack(orders[k : k + 3])
        agree = (three.amax(0) <= _AGREE * three.amin(0)) & changes[k]
        noise = torch.where(agree, orders[k], noise)
        why = torch.where(agree, torch.ones_like(why), why)
    too_close = 2 * equal >= len(values)
    return torch.where(too_close, 0.0, noise), torch.where(too_close, 3.0, why)
