"""Signs of neurons over a box of few dimensions, bounded over parts of it that are halved until they are told."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.compression.backward_bounds import BackwardBounds, Interval
from isthmus.compression.domain import Domain
from isthmus.compression.interval import activation_interval, affine_interval
from isthmus.networks.chain import Chain

MOST_INPUTS = 6  # halving a box of more dimensions gets nowhere
_PARTS = 400  # bounded at most: some seconds for networks of a hundred neurons


@dataclass(frozen=True, eq=False)
class _Part:
    lower: Tensor
    upper: Tensor
    found: list[Interval]


def split_signs(chain: Chain, domain: Domain, wanted: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Lower and upper bounds over the box of the pre-activations of the `wanted` neurons of each layer.

    The part with the neuron that is farthest from being told is halved across its longest side, until all are told or
    so many parts have been bounded. A neuron that two points show both signs of is not asked for any longer. A bound
    over the box is the weakest over its parts.
    """
    seen = _Seen(chain, wanted)
    queue: list[tuple[float, int, _Part]] = []
    made = 0

    def push(lower: Tensor, upper: Tensor) -> None:
        nonlocal made
        part = _Part(lower, upper, _part_bounds(chain, lower, upper, wanted))
        seen.add(torch.stack([lower, upper, (lower + upper) / 2]))
        made += 1
        heapq.heappush(queue, (-seen.doubt(part.found), made, part))

    push(domain.lower, domain.upper)
    while made < _PARTS:
        before, number, part = heapq.heappop(queue)
        doubt = seen.doubt(part.found)
        if doubt < -before:  # neurons have been given up since
            heapq.heappush(queue, (-doubt, number, part))
            continue
        if doubt <= 0:
            heapq.heappush(queue, (before, number, part))
            break
        side = int((part.upper - part.lower).argmax())
        for is_upper in (False, True):
            lower, upper = part.lower.clone(), part.upper.clone()
            (lower if is_upper else upper)[side] = (part.lower[side] + part.upper[side]) / 2
            push(lower, upper)
    return [
        (
            torch.stack([part.found[layer].lower for _, _, part in queue]).amin(0),
            torch.stack([part.found[layer].upper for _, _, part in queue]).amax(0),
        )
        for layer in range(len(wanted))
    ]


class _Seen:
    """Which of the wanted neurons points have shown positive, and which negative."""

    def __init__(self, chain: Chain, wanted: Sequence[Tensor]) -> None:
        self._chain, self._wanted = chain, wanted
        self._above, self._below = ([torch.zeros(len(n), dtype=torch.bool) for n in wanted] for _ in range(2))

    def add(self, points: Tensor) -> None:
        a = points
        for index, (layer, neurons) in enumerate(zip(self._chain.layers, self._wanted, strict=True)):
            z = torch.addmm(layer.bias, a, layer.weight.T)
            self._above[index] |= (z[:, neurons] > 0).any(0)
            self._below[index] |= (z[:, neurons] < 0).any(0)
            a = layer.activation(z)

    def doubt(self, found: list[Interval]) -> float:
        """How far the neuron that is farthest from one sign may be from it; 0 where all are told."""
        worst = 0.0
        for interval, above, below in zip(found, self._above, self._below, strict=True):
            is_left = ~(above & below)
            if bool(is_left.any()):
                worst = max(worst, float(torch.minimum(-interval.lower, interval.upper)[is_left].max()))
        return worst


def _part_bounds(chain: Chain, lower: Tensor, upper: Tensor, wanted: Sequence[Tensor]) -> list[Interval]:
    back, a, found = BackwardBounds(chain, lower, upper), Interval(lower, upper), []
    for number, layer in enumerate(chain.layers):
        z = Interval(*affine_interval(layer.weight, layer.bias, a.lower, a.upper))
        if number:
            low, high = back.pre_activations(number, torch.arange(len(layer.bias)))
            z = z.within(Interval(low, -high))
        a = Interval(*activation_interval(layer.activation, z.lower, z.upper))
        back.append(z, a.size)
        found.append(Interval(z.lower[wanted[number]], z.upper[wanted[number]]))
    return found
