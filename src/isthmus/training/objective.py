"""The regularised loss and its gradient, by backpropagation written out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.foundation.likelihood import Likelihood
from isthmus.networks import FullyConnected
from isthmus.training.parameters import Parameters
from isthmus.training.stored import StoredRows

_CHUNK = 8192  # rows whose activations are held at a time; the sum over chunks is the exact full-batch gradient
SAMPLE = 8192  # rows on which the shape of a network is judged


@dataclass(frozen=True, eq=False)
class Objective:
    r"""$\mathcal L_\lambda(w) = \frac1N \sum_{i=1}^N v_i\, \ell(f_w(x_i), y_i) + \frac{\lambda}{L} \|w\|^2$.

    Attributes:
        x: `(n, d_in)`; a tensor, or rows that stay in their file.
        y: `(n, d_out)`, a tensor or stored as x; or class indices `(n,)`. An autoencoder's y is its x.
        likelihood: Whose loss ℓ is.
        ridge: λ; biases are counted in ‖w‖².
        weights: v, `(n,)` in float64, positive and of mean 1 over the training rows; None where all are 1. The mean
            over a minibatch or a sample of the rows is an unbiased estimate of the mean over all.

    Source:
        Jacot (2023), problem setting.
    """

    x: Tensor | StoredRows
    y: Tensor | StoredRows
    likelihood: Likelihood
    ridge: float
    weights: Tensor | None = None

    def with_ridge(self, ridge: float) -> Objective:
        """The same data and loss under another λ."""
        return replace(self, ridge=ridge)

    def on(self, rows: Tensor | slice) -> Objective:
        """The same loss over some of the rows (a minibatch), in memory."""
        return Objective(*self._at(rows), self.likelihood, self.ridge, self._weights_at(rows))

    def sample(self, count: int = SAMPLE) -> tuple[Tensor, Tensor]:
        """x and y in memory: all rows if they are there; of rows in a file at most `count`, evenly spaced."""
        is_stored = isinstance(self.x, StoredRows) or isinstance(self.y, StoredRows)
        return self._at(slice(None, None, -(-len(self.x) // count) if is_stored else 1))

    def error(self, network: FullyConnected, *, every: int = 1) -> float:
        """The data term alone, $(1/N) Σ v ℓ$ over every `every`-th row, summed in float64."""
        total, rows = 0.0, 0
        for x, y, weights in self._chunks(every):
            outputs = network(x).double()
            total += float(self.likelihood.gradient(outputs, y.double() if y.is_floating_point() else y, weights)[0])
            rows += len(x)
        return total / rows

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
        like = parameters.vector
        shared = torch.full((parameters.count,), self.ridge, dtype=like.dtype, device=like.device)
        scale = (shared if ridges is None else ridges.to(shared)) / parameters.depth
        torch.mul(parameters.vector, 2.0 * scale[:, None], out=out.vector)
        total = torch.zeros_like(shared)
        for x, y, weights in self._chunks():
            y = y.to(like.dtype) if y.is_floating_point() else y
            weights = None if weights is None else weights.to(like.dtype)
            total += self._backpropagated(parameters, x.to(like.dtype), y, weights, out)
        return total / len(self.x) + scale * parameters.vector.square().sum(1)

    def _at(self, rows: Tensor | slice) -> tuple[Tensor, Tensor]:
        x = self.x[rows]
        return x, x if self.y is self.x else self.y[rows]

    def _weights_at(self, rows: Tensor | slice) -> Tensor | None:
        return None if self.weights is None else self.weights[rows]

    def _chunks(self, every: int = 1) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        for begin in range(0, len(self.x), _CHUNK * every):
            rows = slice(begin, begin + _CHUNK * every, every)
            yield *self._at(rows), self._weights_at(rows)

    def _backpropagated(
        self, parameters: Parameters, x: Tensor, y: Tensor, v: Tensor | None, out: Parameters
    ) -> Tensor:
        weights, biases, sigma = parameters.weights, parameters.biases, parameters.activation
        a = [x.expand(parameters.count, *x.shape)]
        z: list[Tensor] = []
        for w, b in zip(weights, biases, strict=True):
            if z:
                a.append(sigma(z[-1]))
            z.append(torch.baddbmm(b[:, None, :], a[-1], w.mT))
        value, delta = self.likelihood.gradient(z[-1], y, v)
        delta = delta / len(self.x)
        for layer in reversed(range(parameters.depth)):
            out.weights[layer].baddbmm_(delta.mT, a[layer])
            out.biases[layer].add_(delta.sum(1))
            if layer:
                delta = sigma.pulled_back(torch.bmm(delta, weights[layer]), z[layer - 1])
        return value
