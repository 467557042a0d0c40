r"""The regularised loss of a leaky ResNet and its gradient.

Optimisers see $U_\ell = \sqrt{c_\ell}\, T_\ell$, of which the cost is $\sum \|U_\ell\|^2$: a step then pulls every
layer alike, however short it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.networks import FullyConnected, LeakyResNet
from isthmus.training.parameters import Parameters


@dataclass(frozen=True, eq=False)
class LeakyObjective:
    r"""$\frac1N \sum_i \|f(x_i) - y_i\|^2 + \lambda\, \text{cost}$ for layer steps c.

    Attributes:
        x: `(n, d_in)`.
        y: `(n, d_out)`.
        ridge: λ, of the cost and not of the cost over a depth.
        steps: $c_1, …, c_m$.
    """

    x: Tensor
    y: Tensor
    ridge: float
    steps: tuple[float, ...]

    @property
    def _factors(self) -> tuple[float, ...]:
        return (1.0, *(step**0.5 for step in self.steps), 1.0)

    def scaled(self, network: LeakyResNet) -> FullyConnected:
        """$U$ of a network with these steps."""
        return _times(network.layers, self._factors)

    def network(self, scaled: FullyConnected) -> LeakyResNet:
        """The network of such U."""
        return LeakyResNet(_times(scaled, [1.0 / factor for factor in self._factors]), self.steps)

    def value(self, network: LeakyResNet) -> float:
        """The whole objective."""
        return float((network(self.x) - self.y).square().sum(1).mean()) + self.ridge * network.cost

    def gradient(self, at: Parameters, out: Parameters, ridge: float | None = None) -> Tensor:
        """Write ∇ at U of S networks into `out`; return the S objectives `(S,)`."""
        scale = self.ridge if ridge is None else ridge
        torch.mul(at.vector, 2.0 * scale, out=out.vector)
        return self._backward(at, out) + scale * at.vector.square().sum(1)

    def _backward(self, at: Parameters, out: Parameters) -> Tensor:
        """Add the gradient of the loss to `out`, and return the loss."""
        sigma, factors = at.activation, self._factors
        alphas = [torch.baddbmm(at.biases[0][:, None], self.x.expand(at.count, *self.x.shape), at.weights[0].mT)]
        for index, step in enumerate(self.steps, start=1):
            added = torch.baddbmm(at.biases[index][:, None], sigma(alphas[-1]), at.weights[index].mT)
            alphas.append((1.0 - step) * alphas[-1] + factors[index] * added)
        outputs = torch.baddbmm(at.biases[-1][:, None], sigma(alphas[-1]), at.weights[-1].mT)
        value, delta = GAUSSIAN.gradient(outputs, self.y)
        delta = delta / len(self.x)
        for index in range(at.depth - 1, 0, -1):
            added, before = factors[index] * delta, alphas[index - 1]
            out.weights[index].baddbmm_(added.mT, sigma(before))
            out.biases[index].add_(added.sum(1))
            arriving = sigma.pulled_back(torch.bmm(added, at.weights[index]), before)
            delta = arriving if index > len(self.steps) else (1.0 - self.steps[index - 1]) * delta + arriving
        out.weights[0].baddbmm_(delta.mT, self.x.expand(at.count, *self.x.shape))
        out.biases[0].add_(delta.sum(1))
        return value / len(self.x)


def _times(network: FullyConnected, factors: Sequence[float]) -> FullyConnected:
    weights = tuple(factor * w for factor, w in zip(factors, network.weights, strict=True))
    biases = tuple(factor * b for factor, b in zip(factors, network.biases, strict=True))
    return FullyConnected(weights, biases, network.activation)
