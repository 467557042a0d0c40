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

    def double(self) -> Objective:
        """The same in float64."""
        return Objective(
            self.x.double(), self.y.double() if self.y.is_floating_point() else self.y, self.loss, self.ridge
        )

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

    def gradient(self, parameters: Parameters, out: Parameters, ridges: Tensor | None = None) -> Tensor:
        """Write ∇ of the objective at each of S networks into `out`, of the same shape; return the S objectives `(S,)`.

        Autograd gives the same numbers; written out it allocates no graph and writes straight into one vector,
        which matters when a step takes milliseconds.

        Args:
            parameters: The networks.
            out: Receives the gradients.
            ridges: λ of each network, `(S,)`; None for this objective's own.
        """
        shared = torch.full((parameters.count,), self.ridge, dtype=self.x.dtype, device=self.x.device)
        scale = (shared if ridges is None else ridges.to(shared)) / parameters.depth
        torch.mul(parameters.vector, 2.0 * scale[:, None], out=out.vector)
        total = torch.zeros_like(shared)
        for x, y in self._chunks():
            total += self._backpropagated(parameters, x, y, out)
        return total / len(self.x) + scale * parameters.vector.square().sum(1)

    def _chunks(self) -> list[tuple[Tensor, Tensor]]:
        if len(self.x) <= _CHUNK:
            return [(self.x, self.y)]
        return list(zip(self.x.split(_CHUNK), self.y.split(_CHUNK), strict=True))

    def _backpropagated(self, parameters: Parameters, x: Tensor, y: Tensor, out: Parameters) -> Tensor:
        weights, biases, sigma = parameters.weights, parameters.biases, parameters.activation
        a = [x.expand(parameters.count, *x.shape)]
        z: list[Tensor] = []
        for w, b in zip(weights, biases, strict=True):
            if z:
                a.append(sigma(z[-1]))
            z.append(torch.baddbmm(b[:, None, :], a[-1], w.mT))
        value, delta = self.loss(z[-1], y)
        delta = delta / len(self.x)
        for layer in reversed(range(parameters.depth)):
            out.weights[layer].baddbmm_(delta.mT, a[layer])
            out.biases[layer].add_(delta.sum(1))
            if layer:
                delta = sigma.pulled_back(torch.bmm(delta, weights[layer]), z[layer - 1])
        return value
