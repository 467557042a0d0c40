"""The weights and biases of one network, or of several of one shape, in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.networks import Activation, FullyConnected


@dataclass(frozen=True, eq=False)
class Parameters:
    r"""S networks of one shape, as vectors $w$ and as weights and biases that are views of them.

    An optimiser sees one tensor, a layer its matrices, and S networks cost one call a layer instead of S.

    Attributes:
        vector: `(S, p)`, contiguous; optimisers write into it.
        weights: $W_\ell$, `(S, n_ℓ, n_{ℓ-1})` each.
        biases: $b_\ell$, `(S, n_ℓ)` each.
        activation: σ.
    """

    vector: Tensor
    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    activation: Activation

    @staticmethod
    def of(networks: FullyConnected | Sequence[FullyConnected]) -> Parameters:
        """A copy of the weights and biases of one network or of several of one shape."""
        several = [networks] if isinstance(networks, FullyConnected) else list(networks)
        like = several[0]
        vector = torch.empty(len(several), like.parameter_count, dtype=like.dtype, device=like.device)
        made = Parameters.around(vector, like.widths, like.activation)
        for index, network in enumerate(several):
            made.assign(network, index)
        return made

    @staticmethod
    def around(vector: Tensor, widths: tuple[int, ...], activation: Activation) -> Parameters:
        """The networks of `widths` whose weights and biases are `vector` `(S, p)`."""
        weights, biases, start = [], [], 0
        for fan_in, fan_out in pairwise(widths):
            end = start + fan_out * fan_in
            weights.append(vector[:, start:end].view(len(vector), fan_out, fan_in))
            start = end + fan_out
            biases.append(vector[:, end:start])
        return Parameters(vector, tuple(weights), tuple(biases), activation)

    def like(self, vector: Tensor) -> Parameters:
        """Other values of the same shape, `vector` `(S', p)`."""
        return Parameters.around(vector, self.widths, self.activation)

    @property
    def count(self) -> int:
        """S."""
        return len(self.vector)

    @property
    def depth(self) -> int:
        """L."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """$(n_0, …, n_L)$."""
        return (self.weights[0].shape[2], *(w.shape[1] for w in self.weights))

    def network(self, index: int = 0) -> FullyConnected:
        """One of the networks; its tensors are views that follow every step."""
        return FullyConnected(
            tuple(w[index] for w in self.weights), tuple(b[index] for b in self.biases), self.activation
        )

    def joined(self) -> list[Tensor]:
        r"""$[W_\ell, b_\ell]$ of the first network, `(n_ℓ, n_{ℓ-1} + 1)` each; copies."""
        return [torch.cat([w[0], b[0][:, None]], 1) for w, b in zip(self.weights, self.biases, strict=True)]

    def assign_joined(self, matrices: Sequence[Tensor]) -> None:
        """Copy such matrices into the first network."""
        for w, b, each in zip(self.weights, self.biases, matrices, strict=True):
            w[0], b[0] = each[:, :-1], each[:, -1]

    def assign(self, network: FullyConnected, index: int = 0) -> None:
        """Copy the weights and biases of `network`, of this shape, into one of the networks."""
        for mine, w in zip(self.weights, network.weights, strict=True):
            mine[index] = w
        for mine, b in zip(self.biases, network.biases, strict=True):
            mine[index] = b


def random_network(
    widths: tuple[int, ...],
    activation: Activation,
    generator: torch.Generator,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> FullyConnected:
    r"""A network with He-initialised weights, $\mathcal N(0, 2 / ((1 + a^2)\, n_{\ell-1}))$, and zero biases.

    The variance keeps the size of the signal through every layer whose activation has negative slope a, so a deep
    net starts neither dead nor exploding. Drawn on the CPU: a seed gives the same network on every device.
    """
    gain = (2.0 / (1.0 + activation.negative_slope**2)) ** 0.5
    weights, biases = [], []
    for fan_in, fan_out in pairwise(widths):
        w = torch.randn(fan_out, fan_in, generator=generator, dtype=torch.float64) * gain * fan_in**-0.5
        weights.append(w.to(dtype=dtype, device=device))
        biases.append(torch.zeros(fan_out, dtype=dtype, device=device))
    return FullyConnected(tuple(weights), tuple(biases), activation)
