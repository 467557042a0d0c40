"""All exact steps in order, from a chain to the smallest one they reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from isthmus.compression.affine_runs import Precision, with_short_runs
from isthmus.compression.backward_bounds import BackwardBounds
from isthmus.compression.domain import Domain
from isthmus.compression.fold import Fold
from isthmus.compression.neuron_folding import (
    Hidden,
    made_linear,
    with_shared_linear,
    without_constant,
    without_inactive,
    without_proportional,
)
from isthmus.compression.signs import LayerSigns, proved_signs
from isthmus.networks.chain import Chain, Layer


def folded(chain: Chain, domain: Domain, precision: Precision, generator: torch.Generator) -> tuple[Chain, list[Fold]]:
    """A smaller chain that computes the same on the domain up to rounding, and the folds that lead to it.

    A constant is one. Else runs of affine maps first, then neurons layer by layer, whose signs are proved on the chain
    as it is then, and the runs that come of it.

    Args:
        chain: The chain. What is computed is in float64; what is only left out keeps its precision.
        domain: Where f is kept.
        precision: What counts as rounding.
        generator: Draws points of the box that refute signs.
    """
    if chain.is_constant:
        return _constant(chain)
    chain, folds = with_short_runs(chain, precision)
    signs, bounds = proved_signs(chain, domain, precision.unit, generator)
    layers = list(chain.layers)
    for number in range(chain.depth - 1):
        if layers[number].activation.is_linear:
            continue
        start = Hidden(layers[number], layers[number + 1], torch.arange(len(layers[number].bias)), signs[number])
        hidden, found = _smaller(start, precision, _least(chain, number, domain, bounds), domain.is_box)
        layers[number], layers[number + 1] = hidden.layer, hidden.reader
        folds += found
    layers[-1], found = _open_end(layers[-1], signs[-1])
    chain, folds = Chain(tuple(layers)), [*folds, *found]
    shorter, more = _constant(chain) if chain.is_constant else with_short_runs(chain, precision)
    return shorter, [*folds, *more]


def _constant(chain: Chain) -> tuple[Chain, list[Fold]]:
    """A chain that holds a matrix of zeros, as a chain of nothing but its value."""
    value = chain.exact(torch.zeros(1, chain.d_in))[0]
    names = tuple(layer.name for layer in chain.layers)
    first = Layer(torch.zeros(1, chain.d_in).double(), torch.zeros(1).double(), name=names[0])
    last = Layer(torch.zeros(chain.d_out, 1).double(), value, name=names[-1])
    fold = Fold("constant", names, (), "a matrix of zeros lets nothing of the inputs pass")
    return Chain((first, last)), [fold]


def _smaller(
    hidden: Hidden, precision: Precision, least: Callable[[Tensor], Tensor], is_box: bool
) -> tuple[Hidden, list[Fold]]:
    folds: list[Fold] = []
    hidden, found = without_inactive(hidden)
    folds += found
    hidden, found = made_linear(hidden)
    folds += found
    if hidden.layer.activation.is_linear:
        return hidden, folds
    hidden, found = without_constant(hidden, precision)
    folds += found
    hidden, found = without_proportional(hidden, precision)
    folds += found
    hidden, found = with_shared_linear(hidden, precision, least, is_box)
    return hidden, [*folds, *found]


def _least(chain: Chain, number: int, domain: Domain, bounds: BackwardBounds) -> Callable[[Tensor], Tensor]:
    """Lower bounds on the domain of linear functions of one layer's pre-activations."""
    layer = chain.layers[number]

    def on_box(functions: Tensor) -> Tensor:
        return bounds.least(number, functions @ layer.exact.weight, functions @ layer.exact.bias)

    def on_rows(functions: Tensor) -> Tensor:
        a = domain.rows
        for before in chain.layers[:number]:
            a = before(a)
        return torch.addmm(functions @ layer.exact.bias, a, (functions @ layer.exact.weight).T).amin(0)

    def nowhere(functions: Tensor) -> Tensor:
        return torch.full_like(functions[:, 0], -torch.inf)

    return nowhere if domain.is_everywhere else on_box if domain.is_box else on_rows


def _open_end(last: Layer, signs: LayerSigns) -> tuple[Layer, list[Fold]]:
    """The last layer without its activation, where it has one and every neuron keeps its sign."""
    outputs = Layer(torch.eye(len(last.bias)), torch.zeros(len(last.bias)))
    hidden, folds = made_linear(Hidden(last, outputs, torch.arange(len(last.bias)), signs))
    return replace(last, weight=hidden.layer.weight, bias=hidden.layer.bias, activation=hidden.layer.activation), folds
