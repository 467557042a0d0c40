r"""The given network as shallow and as light as exact steps make it, where it still computes f."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.costs.constants import with_constant_neurons
from isthmus.costs.construction import StretchedNetwork
from isthmus.costs.levelling import lightened
from isthmus.costs.linear_runs import constant_slopes, reduce_norm_and_balance
from isthmus.costs.patches import Patches
from isthmus.networks import FullyConnected
from isthmus.training import prune_neurons

_SLACK = 1e-9  # signs within this of the largest are rounding


@dataclass(frozen=True, eq=False)
class Written:
    r"""f on Ω as a network that is as shallow and as light as exact steps make it.

    Attributes:
        network: f, without layers on which σ acts linearly on all of Ω, of reduced norm.
        what: Which exact steps were taken, in words.
    """

    network: FullyConnected
    what: str


def rewritings(patches: Patches) -> list[Written]:
    """The given network and what exact norm reduction makes of it; only those that compute f on Ω."""
    given = patches.network
    found = [Written(_light(given), "rebalanced")]
    for network, what in (
        (given, "of reduced norm"),
        (folded(given, patches.corners), "without its linear layers, of reduced norm"),
    ):
        for light in (
            reduce_norm_and_balance(network, patches.corners),
            reduce_norm_and_balance(prune_neurons(network, patches.corners), patches.corners),
        ):
            # Pruning keeps neurons by their pattern at the corners, where kinks of neighbours meet: checked.
            if patches.is_computed_by(light):
                found.append(Written(_light(light), what))
    return found


def _light(network: FullyConnected) -> FullyConnected:
    return _levelled(with_constant_neurons(_levelled(network)))


def _levelled(network: FullyConnected) -> FullyConnected:
    if network.depth == 1:
        return network
    head = replace(network, weights=network.weights[:1], biases=network.biases[:1])
    tail = replace(network, weights=network.weights[1:], biases=network.biases[1:])
    return lightened(StretchedNetwork(head, torch.ones_like(head.biases[0]), 0, tail)).dense()


def folded(network: FullyConnected, corners: Tensor) -> FullyConnected:
    """The network without the hidden layers on which no neuron has a kink between the corners."""
    weights, biases = [network.weights[0]], [network.biases[0]]
    for layer, z in enumerate(network.pre_activations(corners)[:-1]):
        slopes = constant_slopes(z, network.activation, _SLACK)
        w, b = network.weights[layer + 1], network.biases[layer + 1]
        if slopes is None:
            weights.append(w)
            biases.append(b)
        else:
            weights[-1], biases[-1] = (w * slopes) @ weights[-1], torch.addmv(b, w * slopes, biases[-1])
    return replace(network, weights=tuple(weights), biases=tuple(biases))
