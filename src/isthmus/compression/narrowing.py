"""Layers with fewer neurons: those from which the next layer can best tell what the others would have said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.compression.layer_statistics import LayerStatistics
from isthmus.networks.chain import Chain, Layer
from isthmus.spectra.running_covariance import Moments

_RIDGE = 1e-10  # of the mean variance, where kept neurons are combinations of each other


@dataclass(frozen=True, eq=False)
class NeuronOrder:
    r"""The neurons of a layer in the order in which they are kept.

    With R the covariance of the neurons' values that the kept ones leave unexplained and G what an error of the values
    does to the outputs, the next one kept is that which lowers $\operatorname{tr}(G R)$ most.

    Attributes:
        moments: Of the values of all neurons.
        order: Numbers of the neurons, `(n,)`.
        gains: By how much each lowers the mean square error of the outputs, to first order, `(n,)`.
    """

    moments: Moments
    order: Tensor
    gains: Tensor

    @staticmethod
    def of(moments: Moments, effect: Tensor) -> NeuronOrder:
        """The greedy order for values with these moments and G = `effect` `(n, n)`."""
        rest = moments.covariance.clone()
        pull = rest @ effect  # R G
        scores = (pull * rest).sum(1)  # diagonal of R G R
        order, gains = [], []
        is_left = torch.ones(len(rest), dtype=torch.bool)
        floor = _RIDGE * float(rest.diagonal().mean()) + torch.finfo(rest.dtype).tiny
        for _ in range(len(rest)):
            variances = rest.diagonal().clamp_min(0.0)
            worth = torch.where(is_left & (variances > floor), scores.clamp_min(0.0) / variances.clamp_min(floor), -1.0)
            chosen = int(worth.argmax())
            if float(worth[chosen]) < 0.0:
                break  # the others are combinations of these
            order.append(chosen)
            gains.append(float(worth[chosen]))
            is_left[chosen] = False
            column, pivot = rest[:, chosen].clone(), float(variances[chosen])
            weighed = effect @ column
            turned = rest @ weighed
            inner = float(column @ weighed)
            scores = scores - 2.0 * column * turned / pivot + column.square() * (inner / pivot**2)
            rest.addr_(column, column, alpha=-1.0 / pivot)
        left = is_left.nonzero().flatten().tolist()
        return NeuronOrder(moments, torch.tensor(order + left), torch.tensor(gains + [0.0] * len(left)).double())

    def kept(self, layer: Layer, reader: Layer, count: int) -> tuple[Layer, Layer]:
        """The layer with `count` neurons, and its reader told by them what the others are by least squares."""
        chosen = self.order[:count].sort().values
        covariance = self.moments.covariance
        inner = covariance[chosen][:, chosen]
        ridge = _RIDGE * float(inner.diagonal().mean()) + torch.finfo(inner.dtype).tiny
        inner = inner + ridge * torch.eye(len(chosen), dtype=inner.dtype)
        told = torch.linalg.solve(inner, covariance[chosen]).T
        weight = reader.weight @ told
        bias = reader.bias + reader.weight @ (self.moments.mean - told @ self.moments.mean[chosen])
        return (
            replace(layer, weight=layer.weight[chosen], bias=layer.bias[chosen]),
            replace(reader, weight=weight, bias=bias),
        )


def neuron_orders(chain: Chain, statistics: Sequence[LayerStatistics]) -> list[NeuronOrder | None]:
    """One for each layer that has an activation and a reader, else None."""
    orders: list[NeuronOrder | None] = []
    for number, layer in enumerate(chain.layers):
        if number + 1 == chain.depth or layer.activation.is_linear:
            orders.append(None)
            continue
        reader = chain.layers[number + 1].weight
        effect = reader.T @ statistics[number + 1].sensitivity @ reader
        orders.append(NeuronOrder.of(statistics[number + 1].inputs, effect))
    return orders


def narrowed(chain: Chain, orders: Sequence[NeuronOrder | None], parameters: int) -> Chain:
    """The chain with at most so many parameters, where one neuron a layer leaves no more, all worth a common price."""
    costs = [
        layer.weight.shape[1] + 1 + (len(chain.layers[number + 1].bias) if number + 1 < chain.depth else 0)
        for number, layer in enumerate(chain.layers)
    ]
    worth = [None if order is None else order.gains / cost for order, cost in zip(orders, costs, strict=True)]
    counts = common_price(worth, lambda kept: _size(chain, kept), parameters)
    layers = list(chain.layers)
    for number, (order, count) in enumerate(zip(orders, counts, strict=True)):
        if order is not None and count is not None:
            layers[number], layers[number + 1] = order.kept(layers[number], layers[number + 1], count)
    return Chain(tuple(layers))


def common_price(
    worth: Sequence[Tensor | None], size: Callable[[Sequence[int | None]], int], wanted: int
) -> list[int | None]:
    """How many neurons of each layer are kept if all that are worth a price are: the lowest that is small enough.

    Args:
        worth: Of each neuron, in descending order, for each number that it takes; None of a layer that keeps all.
        size: Numbers in the network with so many neurons.
        wanted: Most numbers, where one neuron a layer leaves no more.
    """
    prices = torch.cat([each for each in worth if each is not None]).sort().values

    def counts(price: float) -> list[int | None]:
        return [None if each is None else max(1, int((each >= price).sum())) for each in worth]

    low, high = 0, len(prices) - 1
    while low < high:
        middle = (low + high) // 2
        if size(counts(float(prices[middle]))) <= wanted:
            high = middle
        else:
            low = middle + 1
    return counts(float(prices[high]))


def _size(chain: Chain, counts: Sequence[int | None]) -> int:
    widths = list(chain.widths)
    for number, count in enumerate(counts):
        widths[number + 1] = widths[number + 1] if count is None else count
    return sum(after * (before + 1) for before, after in pairwise(widths))
