"""Which neurons keep one sign on the whole domain, each with the proof; cheap proofs first."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from isthmus.compression.backward_bounds import BackwardBounds, Interval
from isthmus.compression.domain import Domain
from isthmus.compression.interval import activation_interval, affine_interval
from isthmus.compression.splitting import MOST_INPUTS, split_signs
from isthmus.networks.chain import Chain

EVERYWHERE, INTERVALS, LINES, SLOPES, SPLITTING, ROWS = (
    "intervals, for every input",
    "intervals over the box",
    "linear bounds over the box",
    "linear bounds over the box with optimised slopes",
    "linear bounds over parts of the box",
    "seen on the given rows only",
)
_FLOPS = 4 * 10**12  # beyond it only neurons that no point has shown both signs of are bounded backwards
_OPTIMISED = 400  # neurons of a layer whose slopes are optimised at most: a second or two for 100 of a layer


@dataclass(eq=False)
class LayerSigns:
    """What is known of one layer's pre-activations on the domain.

    Attributes:
        sign: 1 where z ≥ 0 throughout, −1 where z ≤ 0 throughout, 0 where neither is proved, `(n,)`.
        method: Index into `METHODS` of the proof, `(n,)`; −1 where there is none.
        bounds: Of z on the domain, as far as they are known.
    """

    sign: Tensor
    method: Tensor
    bounds: Interval
    _both: Tensor = field(repr=False)

    @staticmethod
    def of(bounds: Interval, has_both: Tensor) -> LayerSigns:
        """Nothing proved yet; `has_both` where a point of the domain shows each sign."""
        n = len(has_both)
        return LayerSigns(torch.zeros(n, dtype=torch.long), torch.full((n,), -1), bounds, has_both)

    @property
    def open(self) -> Tensor:
        """Neurons that are not proved and that no point refutes."""
        return ((self.sign == 0) & ~self._both).nonzero().flatten()

    def prove(self, bounds: Interval, method: str) -> None:
        """Take in bounds; what they settle is settled by `method`."""
        self.bounds = self.bounds.within(bounds)
        for sign, holds in ((1, bounds.lower >= 0), (-1, bounds.upper <= 0)):
            is_new = holds & (self.sign == 0)
            self.sign[is_new] = sign
            self.method[is_new] = METHODS.index(method)

    def prove_some(self, neurons: Tensor, lower: Tensor, upper: Tensor, method: str) -> None:
        """As `prove`, with bounds of some neurons."""
        low, high = self.bounds.lower.clone(), self.bounds.upper.clone()
        low[neurons], high[neurons] = torch.maximum(low[neurons], lower), torch.minimum(high[neurons], upper)
        self.prove(Interval(low, high), method)


METHODS = (EVERYWHERE, INTERVALS, LINES, SLOPES, SPLITTING, ROWS)


def proved_signs(
    chain: Chain, domain: Domain, unit: float, generator: torch.Generator
) -> tuple[list[LayerSigns], BackwardBounds]:
    """The signs of the pre-activations of every layer of a chain on the domain, in float64.

    Points of the domain refute first; then intervals for every input, intervals over the box, linear bounds, linear
    bounds with optimised slopes, and for few inputs linear bounds over parts of the box. Where only rows were given,
    what is not proved for every input is looked up on the rows, where a share `unit` of a layer's largest
    pre-activation is rounding.
    """
    seen = _seen(chain, domain.points(generator) if domain.is_box else domain.rows)
    back = BackwardBounds(chain, domain.lower, domain.upper)
    found: list[LayerSigns] = []
    free = Interval(*(torch.full_like(domain.lower, side) for side in (-torch.inf, torch.inf)))
    values = Interval(domain.lower, domain.upper)
    is_cheap = 2 * chain.depth * sum(layer.weight.numel() for layer in chain.layers) * max(chain.widths) < _FLOPS
    for number, layer in enumerate(each.exact for each in chain.layers):
        z = Interval(*affine_interval(layer.weight, layer.bias, free.lower, free.upper))
        signs = LayerSigns.of(z, seen[number].lower.lt(0) & seen[number].upper.gt(0))
        found.append(signs)
        signs.prove(z, EVERYWHERE)
        if domain.is_box:
            _bounded(signs, back, number, values, layer.weight, layer.bias, is_cheap)
        elif not layer.activation.is_linear and not domain.is_everywhere:
            signs.prove(settled(seen[number], unit), ROWS)
        free = Interval(*activation_interval(layer.activation, z.lower, z.upper))
        values = Interval(*activation_interval(layer.activation, signs.bounds.lower, signs.bounds.upper))
        back.append(signs.bounds, values.size)
    if domain.is_box and chain.d_in <= MOST_INPUTS:
        _split(chain, domain, found)
    return found, back


def _bounded(
    signs: LayerSigns, back: BackwardBounds, number: int, a: Interval, weight: Tensor, bias: Tensor, is_cheap: bool
) -> None:
    signs.prove(Interval(*affine_interval(weight, bias, a.lower, a.upper)), INTERVALS)
    if number == 0:
        return  # of the first layer the box's own bounds are the best there are
    asked = torch.arange(len(bias)) if is_cheap else signs.open
    if len(asked):
        low, high = back.pre_activations(number, asked)
        signs.prove_some(asked, low, -high, LINES)
    open_ = signs.open[:_OPTIMISED]
    if len(open_) and is_cheap:
        size = signs.bounds.lower + signs.bounds.upper
        towards = torch.where(size[open_] >= 0, 1.0, -1.0).to(bias)
        best = back.optimised(number, open_, towards)
        least = torch.where(towards > 0, best, -torch.inf)
        signs.prove_some(open_, least, torch.where(towards < 0, -best, torch.inf), SLOPES)


def _split(chain: Chain, domain: Domain, found: list[LayerSigns]) -> None:
    """Prove over parts of the box what is left."""
    wanted = [
        signs.open if not layer.activation.is_linear else signs.open[:0]
        for signs, layer in zip(found, chain.layers, strict=True)
    ]
    if not any(len(each) for each in wanted):
        return
    for signs, neurons, (low, high) in zip(
        found, wanted, split_signs(chain.to(torch.float64), domain, wanted), strict=True
    ):
        if len(neurons):
            signs.prove_some(neurons, low, high, SPLITTING)


def _seen(chain: Chain, points: Tensor) -> list[Interval]:
    """Least and largest pre-activation of each neuron over some points of the domain."""
    found = []
    a = points
    for layer in (each.exact for each in chain.layers):
        z = torch.addmm(layer.bias, a, layer.weight.T)
        found.append(Interval(z.amin(0), z.amax(0)))
        a = layer.activation(z)
    return found


def settled(seen: Interval, unit: float) -> Interval:
    """Bounds over the rows, without what is no more than rounding beside the layer's largest value."""
    slack = unit * float(seen.size.max())
    lower = torch.where((seen.lower < 0) & (seen.lower >= -slack), 0.0, seen.lower)
    return Interval(lower, torch.where((seen.upper > 0) & (seen.upper <= slack), 0.0, seen.upper))
