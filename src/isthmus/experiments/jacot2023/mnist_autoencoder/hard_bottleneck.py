"""What people train instead: an autoencoder that is k wide in the middle, by Adam, without any ridge."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.networks import RELU, FullyConnected
from isthmus.training import random_network

_RATE, _BATCH = 1e-3, 128  # Adam's usual step size, and a usual minibatch


@dataclass(frozen=True, eq=False)
class BottleneckAutoencoder:
    """h ∘ g with ReLUs in both halves and none on the code between them.

    Attributes:
        encoder: g, from the inputs to k numbers.
        decoder: h, from these to the outputs.
    """

    encoder: FullyConnected
    decoder: FullyConnected

    def __call__(self, x: Tensor) -> Tensor:
        """h(g(x)) at the rows of `x`."""
        return self.decoder(self.encoder(x))

    @property
    def parameter_count(self) -> int:
        """Weights and biases of both halves."""
        return self.encoder.parameter_count + self.decoder.parameter_count


def bottleneck_autoencoder(
    x: Tensor, validation: Tensor, *, depth: int, width: int, rank: int, epochs: int, seed: int
) -> BottleneckAutoencoder:
    r"""The autoencoder of least error on `validation` after any of the epochs of Adam on $\frac1N \sum \|f(x) - x\|^2$.

    Args:
        x: Training rows `(n, d)`.
        validation: Rows that decide when to stop.
        depth: Weight matrices of both halves together, at least 2; the encoder has half of them, rounded down.
        width: Of all hidden layers but the code.
        rank: k.
        epochs: Passes over the training rows.
        seed: Draws the start and the minibatches.
    """
    generator = torch.Generator().manual_seed(seed)
    d, half = x.shape[1], depth // 2
    shapes = (d, *[width] * (half - 1), rank), (rank, *[width] * (depth - half - 1), d)
    encoder, decoder = (random_network(s, RELU, generator, device=x.device) for s in shapes)
    layers = [
        (w.requires_grad_(), b.requires_grad_())
        for network in (encoder, decoder)
        for w, b in zip(network.weights, network.biases, strict=True)
    ]
    adam = torch.optim.Adam([tensor for layer in layers for tensor in layer], lr=_RATE)
    best, lowest = _copied(layers, half), float("inf")
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(_BATCH):
            batch = x[rows.to(x.device)]
            adam.zero_grad()
            (_applied(layers, half, batch) - batch).square().sum(1).mean().backward()
            adam.step()
        with torch.no_grad():
            error = float((_applied(layers, half, validation) - validation).square().sum())
        if error < lowest:
            best, lowest = _copied(layers, half), error
    return best


def _applied(layers: list[tuple[Tensor, Tensor]], code: int, a: Tensor) -> Tensor:
    for layer, (w, b) in enumerate(layers, start=1):
        a = torch.addmm(b, a, w.T)
        if layer not in (code, len(layers)):
            a = a.relu()
    return a


def _copied(layers: list[tuple[Tensor, Tensor]], code: int) -> BottleneckAutoencoder:
    halves = (
        FullyConnected(tuple(w.detach().clone() for w, _ in part), tuple(b.detach().clone() for _, b in part))
        for part in (layers[:code], layers[code:])
    )
    return BottleneckAutoencoder(*halves)
