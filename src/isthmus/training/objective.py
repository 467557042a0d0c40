"""The regularised loss and its gradient, by backpropagation written out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.functions import FullyConnected
from isthmus.training.loss import Loss
from isthmus.training.parameters import Parameters

_CHUNK = 8192  # rows whose activations are held at a time; the sum over chunks is the exact full-batch gradient


@dataclass(frozen=True, eq=False)
class Objective:
    r"""$\mathcal L_\lambda(w) = \frac1N \sum_{i=1}^N \ell(f_w(x_i), y_i) + \frac{\lambda}{L} \|w\|^2$.

    Attributes:
        x: `(n, d_in)`.
        y: `(n, d_out)`, or class indices `(n,)`.
        loss: Sum of the losses of some rows and its gradient.
        ridge: λ; biases are counted in ‖w‖².

    Source:
        Jacot (2023), problem setting.
    """

    x: Tensor
    y: Tensor
    loss: Loss
    ridge: float

    def with_ridge(self, ridge: float) -> Objective:
        """The same data and loss under another λ."""
        return Objective(self.x, self.y, self.loss, ridge)

    def on(self, rows: Tensor | slice) -> Objective:
        """The same loss over some of the rows (a minibatch)."""
        return Objective(self.x[rows], self.y[rows], self.loss, self.ridge)

    def error(self, network: FullyConnected) -> float:
        """The data term alone, $(1/N) Σ ℓ$, summed in float64."""
        total = 0.0
        for x, y in self._chunks():
            outputs = network(x).double()
            total += float(self.loss(outputs, y.double() if y.is_floating_point() else y)[0])
        return total / len(self.x)

    def value(self, network: FullyConnected) -> float:
        """The whole objective, in float64."""
        return self.error(network) + self.ridge * network.norm_per_depth

    def gradient(self, parameters: Parameters, out: Parameters) -> Tensor:
        """Write ∇ of the objective at `parameters` into `out`, which has the same shapes; return the objective.

        Autograd gives the same numbers; written out it allocates no graph and writes straight into one vector,
        which matters when a step takes milliseconds.
        """
        out.vector.zero_()
        total = torch.zeros((), dtype=self.x.dtype, device=self.x.device)
        for x, y in self._chunks():
            total += self._backpropagated(parameters.network, x, y, out.network)
        scale = self.ridge / parameters.network.depth
        out.vector.add_(parameters.vector, alpha=2.0 * scale)
        return total / len(self.x) + scale * parameters.vector.square().sum()

    def _chunks(self) -> list[tuple[Tensor, Tensor]]:
        if len(self.x) <= _CHUNK:
            return [(self.x, self.y)]
        return list(zip(self.x.split(_CHUNK), self.y.split(_CHUNK), strict=True))

    def _backpropagated(self, network: FullyConnected, x: Tensor, y: Tensor, out: FullyConnected) -> Tensor:
        a, z = network.trace(x)
        value, delta = self.loss(z[-1], y)
        delta = delta / len(self.x)
        for layer in reversed(range(network.depth)):
            out.weights[layer].addmm_(delta.T, a[layer])
            out.biases[layer].add_(delta.sum(0))
            if layer:
                delta = network.activation.pulled_back(delta @ network.weights[layer], z[layer - 1])
        return value
