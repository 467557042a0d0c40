"""All weights and biases in one vector, so that an optimiser sees one tensor and a layer sees its views."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.functions import Activation, FullyConnected


@dataclass(frozen=True, eq=False)
class Parameters:
    r"""The vector $w$ of a network and views of it as weights and biases.

    Attributes:
        vector: `(p,)`, contiguous; optimisers write into it.
        network: A `FullyConnected` whose tensors are views of `vector`: it follows every step.
    """

    vector: Tensor
    network: FullyConnected

    @staticmethod
    def of(network: FullyConnected) -> Parameters:
        """A copy of the network's weights and biases as one vector."""
        pairs = zip(network.weights, network.biases, strict=True)
        return Parameters.around(torch.cat([t.reshape(-1) for pair in pairs for t in pair]), network)

    @staticmethod
    def around(vector: Tensor, like: FullyConnected) -> Parameters:
        """The network with the shapes and activation of `like` whose tensors are views of `vector` `(p,)`."""
        weights, biases, start = [], [], 0
        for w in like.weights:
            rows, columns = w.shape
            weights.append(vector[start : start + rows * columns].view(rows, columns))
            start += rows * columns
            biases.append(vector[start : start + rows])
            start += rows
        return Parameters(vector, FullyConnected(tuple(weights), tuple(biases), like.activation))

    def assign(self, network: FullyConnected) -> None:
        """Copy the weights and biases of `network` into the vector."""
        for mine, other in zip(self._tensors(), Parameters._tensors_of(network), strict=True):
            mine.copy_(other)

    def _tensors(self) -> tuple[Tensor, ...]:
        return Parameters._tensors_of(self.network)

    @staticmethod
    def _tensors_of(network: FullyConnected) -> tuple[Tensor, ...]:
        return (*network.weights, *network.biases)


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
