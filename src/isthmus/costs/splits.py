r"""The places at which f can be split into h ∘ g, and the coordinates that meet there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.costs.construction import StretchedNetwork
from isthmus.costs.coordinates import in_coordinates
from isthmus.networks import FullyConnected

MOST_COORDINATES = 64  # beyond, coordinates are not sought: the middle would cost more than anything known
_SLACK = 1e-9  # directions within this of the largest are rounding
_CUTS = (0.01, 0.1, 1.0)  # directions below so many tolerances are tried to be left out


@dataclass(frozen=True, eq=False)
class Split:
    """f as two halves that meet in R^k.

    Attributes:
        layer: ℓ, behind which they meet; 0 for the inputs.
        network: Both halves, nothing between.
        latent: The values that meet there at the corners of Ω's patches, `(V, k)`.
        is_open: Whether their coordinates are free; they are not where they are the neurons of a layer.
    """

    layer: int
    network: StretchedNetwork
    latent: Tensor
    is_open: bool


def splits_of(network: FullyConnected, corners: Tensor, tolerance: float) -> Iterator[Split]:
    """f through the affine hull of Ω, of each layer's pre-activations, and through the neurons of each layer.

    Where directions of a hull are near the tolerance several dimensions are tried: the comparison with f decides.
    """
    activations, z = network.trace(corners)
    for layer, values in enumerate([corners, *z]):
        for basis, mean in _hulls(values, tolerance):
            yield _through(network, layer, values, basis, mean)
    for layer, a in enumerate(activations[1:], start=1):
        if a.shape[1] <= MOST_COORDINATES and bool((a >= 0).all()):
            head = replace(network, weights=network.weights[:layer], biases=network.biases[:layer])
            tail = replace(network, weights=network.weights[layer:], biases=network.biases[layer:])
            yield Split(layer, StretchedNetwork(head, torch.ones_like(a[0]), 0, tail), a, False)


def _hulls(values: Tensor, tolerance: float) -> Iterator[tuple[Tensor, Tensor]]:
    """(an orthonormal basis of directions `(n, k)`, the mean), for the dimensions k that count as the hull's."""
    mean = values.mean(0)
    _, s, vt = torch.linalg.svd(values - mean, full_matrices=False)
    scale = max(float(s[0]), _SLACK * float(values.abs().max()) * len(values) ** 0.5)
    for k in sorted({max(1, int((s > cut * scale).sum())) for cut in (_SLACK, *(tolerance * c for c in _CUTS))}):
        if k <= MOST_COORDINATES:
            yield vt[:k].T, mean


def _through(network: FullyConnected, layer: int, values: Tensor, basis: Tensor, mean: Tensor) -> Split:
    r"""f through $z = B^\top(\tilde Z_\ell - \text{mean})$, σ left to the decoder; ℓ = 0: the inputs."""
    w, b = network.weights, network.biases
    inward, offset = basis.T, -basis.T @ mean
    if layer == 0:
        encoder = replace(network, weights=(inward,), biases=(offset,))
        first = torch.addmv(b[0], w[0], mean)
        decoder = replace(network, weights=(w[0] @ basis, *w[1:]), biases=(first, *b[1:]))
    else:
        own = torch.addmv(offset, inward, b[layer - 1])
        encoder = replace(network, weights=(*w[: layer - 1], inward @ w[layer - 1]), biases=(*b[: layer - 1], own))
        decoder = replace(network, weights=(basis, *w[layer:]), biases=(mean, *b[layer:]))
    latent = (values - mean) @ basis
    return Split(layer, StretchedNetwork(encoder, torch.ones_like(latent[0]), 0, decoder), latent, True)


def in_orthant(split: Split) -> StretchedNetwork:
    """The split with its coordinates as they are, shifted to where σ lets them pass."""
    if not split.is_open:
        return split.network
    eye = torch.eye(split.latent.shape[1]).double()
    return in_coordinates(split.network, split.latent, eye)
