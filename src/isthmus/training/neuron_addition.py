"""Fewer neurons in one layer, fresh ones in the others: where the search over the rank goes on from."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.spectra import BalancedTruncation, balanced_truncations
from isthmus.training.objective import Objective
from isthmus.training.rebalancing import rebalance

_ROOM = 8  # neurons that a layer gets at least, beside as many as it has


def layer_projections(network: FullyConnected, objective: Objective, rank: int) -> list[tuple[int, FullyConnected]]:
    r"""(ℓ, the network with `rank` neurons in hidden layer ℓ): one ℓ in each third of the depth, where it costs least.

    Layer ℓ's k coordinates $E (a_\ell - \bar a)$ are computed as if σ let its pre-activations pass, which the middle
    layers of a trained network do, and shifted by the least bias that makes them nonnegative on the data.
    """
    x = objective.sample()[0]
    thirds: dict[int, tuple[float, int, FullyConnected]] = {}
    for truncation in balanced_truncations(network, x):
        if truncation.layer < 1 or truncation.rank < rank:
            continue
        candidate = _through(network, truncation, x, rank)
        third, value = 3 * truncation.layer // network.depth, objective.value(candidate)
        if third not in thirds or value < thirds[third][0]:
            thirds[third] = (value, truncation.layer, candidate)
    return [(layer, candidate) for _, layer, candidate in thirds.values()]


def _through(network: FullyConnected, truncation: BalancedTruncation, x: Tensor, rank: int) -> FullyConnected:
    layer = truncation.layer
    weights, biases = [w.double() for w in network.weights], [b.double() for b in network.biases]
    encode, decode = truncation.encode[:rank], truncation.decode[:, :rank]
    a = network.trace(x)[0][layer - 1].double()
    mean = truncation.mean
    # The layer as an affine map: what it would compute if every neuron that fires anywhere fired everywhere.
    z = torch.addmm(biases[layer - 1], a, weights[layer - 1].T)
    fires = (network.activation(z) != 0).any(0).double()
    w, b = fires[:, None] * weights[layer - 1], fires * biases[layer - 1]
    latent = (torch.addmm(b, a, w.T) - mean) @ encode.T
    shift = -latent.min(0).values
    after = weights[layer] @ decode
    biases[layer] = biases[layer] + weights[layer] @ mean - after @ shift
    weights[layer - 1], biases[layer - 1], weights[layer] = encode @ w, encode @ (b - mean) + shift, after
    kind = network.dtype
    return rebalance(
        FullyConnected(tuple(w.to(kind) for w in weights), tuple(b.to(kind) for b in biases), network.activation)
    )


def add_neurons(network: FullyConnected, width: int, seed: int, *, narrow: int | None = None) -> FullyConnected:
    """The same function with room to change: neurons of random incoming and zero outgoing weights in hidden layers.

    About as many neurons are added as there are, up to `width`; layer `narrow` keeps its own.
    """
    generator = torch.Generator().manual_seed(seed)
    weights, biases = list(network.weights), list(network.biases)
    for layer in range(network.depth - 1):
        w, b = weights[layer], biases[layer]
        count = 0 if layer + 1 == narrow else max(0, min(width, 2 * len(b) + _ROOM) - len(b))
        # As long as the layer's own neurons are on average, in a random direction, bias included.
        size = float((w.square().sum() + b.square().sum()) / (len(b) * (w.shape[1] + 1))) ** 0.5
        fresh = size * torch.randn(count, w.shape[1] + 1, generator=generator, dtype=torch.float64).to(w)
        weights[layer] = torch.cat([w, fresh[:, :-1]])
        biases[layer] = torch.cat([b, fresh[:, -1]])
        weights[layer + 1] = torch.nn.functional.pad(weights[layer + 1], (0, count))
    return FullyConnected(tuple(weights), tuple(biases), network.activation)
