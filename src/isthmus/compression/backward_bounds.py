"""Bounds of neurons over a box by linear bounds that are passed backwards to the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.compression.interval import rounding
from isthmus.networks import Activation
from isthmus.networks.chain import Chain

_STEPS = 40  # of Adam on the slopes
_RATE = 0.2


@dataclass(frozen=True, eq=False)
class Interval:
    """Lower and upper bounds, `(n,)` each."""

    lower: Tensor
    upper: Tensor

    @property
    def size(self) -> Tensor:
        """Largest magnitude."""
        return torch.maximum(self.lower.abs(), self.upper.abs())

    def within(self, other: Interval) -> Interval:
        """What both say together."""
        return Interval(torch.maximum(self.lower, other.lower), torch.minimum(self.upper, other.upper))


@dataclass(frozen=True, eq=False)
class Relaxation:
    r"""Two lines that hold σ between them: $s z + t$ below and above, for z in an interval.

    On one side it is the chord; on the other any slope between a and 1 through the origin, where `is_free`.

    Attributes:
        low_slope, low_shift, high_slope, high_shift: `(n,)` each.
        is_free: Where the slope through the origin is free to be chosen, `(n,)`.
        is_convex: Whether that side is the lower one.
    """

    low_slope: Tensor
    low_shift: Tensor
    high_slope: Tensor
    high_shift: Tensor
    is_free: Tensor
    is_convex: bool

    @staticmethod
    def of(activation: Activation, z: Interval) -> Relaxation:
        """The lines for pre-activations in the interval, the free slope as its ends suggest."""
        a = activation.negative_slope
        is_bent = (z.lower < 0) & (z.upper > 0) & (a != 1.0)
        fixed = torch.where(z.lower >= 0, 1.0, a).to(z.lower)
        width = torch.where(is_bent, z.upper - z.lower, 1.0)
        chord = torch.where(is_bent, (z.upper - a * z.lower) / width, fixed)
        shift = torch.where(is_bent, (a - chord) * z.lower, 0.0)
        through = torch.where(is_bent, torch.where(z.upper > -z.lower, 1.0, a), fixed)
        zero = torch.zeros_like(shift)
        # The chord's own rounding: it must not cut into σ.
        room = 8 * rounding(1) * (1.0 + abs(a)) * z.size * is_bent
        if a <= 1.0:
            return Relaxation(through, zero, chord, shift + room, is_bent, True)
        return Relaxation(chord, shift - room, through, zero, is_bent, False)


class BackwardBounds:
    r"""Linear bounds of linear functions of a chain's layers over a box.

    A lower bound $A a_\ell + c$ is carried back through σ by the line that holds it on the side that the sign of A
    asks for, and through $z = W a + b$ exactly, down to the inputs, where the box gives its least value. Each step
    subtracts a bound of its own rounding, so the result holds in the real numbers.

    Args:
        chain: The chain.
        lower, upper: The box, `(d,)`.

    Source:
        Zhang et al. (2018), CROWN; with slopes that are optimised, Xu et al. (2021).
    """

    def __init__(self, chain: Chain, lower: Tensor, upper: Tensor) -> None:
        self._layers = chain.layers
        self._lower, self._upper = lower, upper
        self._relaxations: list[Relaxation] = []
        self._z_sizes: list[Tensor] = []
        self._a_sizes = [torch.maximum(lower.abs(), upper.abs())]

    def append(self, z: Interval, a_size: Tensor) -> None:
        """Take in bounds of the next layer's pre-activations, and of the magnitude of its values."""
        self._relaxations.append(Relaxation.of(self._layers[len(self._relaxations)].activation, z))
        self._z_sizes.append(z.size)
        self._a_sizes.append(a_size)

    def pre_activations(self, layer: int, neurons: Tensor, *, sides: Sequence[int] = (1, -1)) -> list[Tensor]:
        """Lower bounds of z (side 1) and of −z (side −1) of some neurons of a layer, counted from 0."""
        weight, bias = self._layers[layer].weight[neurons].double(), self._layers[layer].bias[neurons].double()
        return [self.least(layer, side * weight, side * bias) for side in sides]

    def optimised(self, layer: int, neurons: Tensor, signs: Tensor) -> Tensor:
        """Lower bounds of `signs` · z of some neurons, the free slopes chosen for each by gradient ascent."""
        weight = signs[:, None] * self._layers[layer].weight[neurons].double()
        bias = signs * self._layers[layer].bias[neurons].double()
        slopes = []
        for relaxation in self._relaxations[:layer]:
            start = relaxation.low_slope if relaxation.is_convex else relaxation.high_slope
            slopes.append(start.repeat(len(neurons), 1).requires_grad_())
        if not any(bool(r.is_free.any()) for r in self._relaxations[:layer]):
            return self.least(layer, weight, bias)
        best = torch.full_like(bias, -torch.inf)
        moments = [(torch.zeros_like(slope), torch.zeros_like(slope)) for slope in slopes]
        for step in range(1, _STEPS + 1):
            with torch.enable_grad():
                found = self.least(layer, weight, bias, slopes)
                gradients = torch.autograd.grad(found.sum(), slopes)
            best = torch.maximum(best, found.detach())
            for index, (slope, gradient, (first, second)) in enumerate(zip(slopes, gradients, moments, strict=True)):
                # Adam, written out: torch's imports its compiler, which takes longer than all of this.
                first.mul_(0.9).add_(gradient, alpha=0.1)
                second.mul_(0.99).addcmul_(gradient, gradient, value=0.01)
                change = first / (1 - 0.9**step) / ((second / (1 - 0.99**step)).sqrt() + 1e-12)
                a, relaxation = self._layers[index].activation.negative_slope, self._relaxations[index]
                moved = (slope.detach() + _RATE * change).clamp(min(a, 1.0), max(a, 1.0))
                slope.data.copy_(torch.where(relaxation.is_free, moved, slope.detach()))
        return best

    def least(self, layer: int, a: Tensor, c: Tensor, slopes: Sequence[Tensor] | None = None) -> Tensor:
        r"""Lower bounds `(m,)` of $A a_\ell + c$ over the box, $a_\ell$ what layer `layer` reads, A `(m, n)`."""
        slack = rounding(a.shape[1] + 1) * (a.abs() @ self._a_sizes[layer] + c.abs())
        for index in reversed(range(layer)):
            relaxation, source = self._relaxations[index], self._layers[index].exact
            low, high = relaxation.low_slope, relaxation.high_slope
            if slopes is not None and relaxation.is_convex:
                low = slopes[index]
            elif slopes is not None:
                high = slopes[index]
            positive, negative = a.clamp_min(0.0), a.clamp_max(0.0)
            c = c + positive @ relaxation.low_shift + negative @ relaxation.high_shift
            steepest = torch.maximum(low.abs(), high.abs())
            slack = slack + rounding(4) * ((a.abs() * steepest) @ self._z_sizes[index])
            slack = slack + rounding(a.shape[1]) * (
                positive @ relaxation.low_shift.abs() - negative @ relaxation.high_shift.abs()
            )
            a = positive * low + negative * high
            reach = source.weight.abs() @ self._a_sizes[index] + source.bias.abs()
            slack = slack + rounding(sum(source.weight.shape)) * (a.abs() @ reach)
            c = c + a @ source.bias
            a = a @ source.weight
        value = c + a.clamp_min(0.0) @ self._lower + a.clamp_max(0.0) @ self._upper
        return value - slack - rounding(a.shape[1] + 4 * layer) * (a.abs() @ self._a_sizes[0] + c.abs())
