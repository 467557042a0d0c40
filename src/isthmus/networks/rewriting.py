"""The same function with another activation."""

from __future__ import annotations

from dataclasses import replace

import torch

from isthmus.errors import NotRepresentableError
from isthmus.networks.activations import Activation
from isthmus.networks.network import FullyConnected


def rewritten(network: FullyConnected, activation: Activation) -> FullyConnected:
    r"""The same function as a network with another activation, every hidden neuron written by two.

    With b the slope of the network and a the new one,
    $\sigma_b(z) = \frac{(1 - ab)\,\sigma_a(z) + (a - b)\,\sigma_a(-z)}{1 - a^2}$.

    Args:
        network: Any network.
        activation: The new σ. A network of depth 1, or one that has this σ already, keeps its weights.

    Returns:
        A network of the same depth, on all of R^n the same function up to rounding; hidden layers twice as wide.

    Raises:
        NotRepresentableError: If the new σ is the identity or the absolute value. The identity has no kink. With the
            absolute value not every network can be written: beyond depth 1 it grows alike towards both ends of a line.
    """
    if network.depth == 1 or network.activation == activation:
        return replace(network, activation=activation)
    a, b = activation.negative_slope, network.activation.negative_slope
    if abs(a) == 1.0:
        raise NotRepresentableError(
            f"A network of {network.activation.name} in general",
            activation.name,
            "two of its neurons do not span what one of the others computes",
            "Write the others with ReLU or a leaky ReLU instead.",
        )
    right, left = (1 - a * b) / (1 - a * a), (a - b) / (1 - a * a)
    weights = [torch.cat([w, -w]) for w in network.weights[:-1]] + [network.weights[-1]]
    biases = [torch.cat([c, -c]) for c in network.biases[:-1]] + [network.biases[-1]]
    for layer in range(1, network.depth):
        weights[layer] = torch.cat([right * weights[layer], left * weights[layer]], 1)
    return FullyConnected(tuple(weights), tuple(biases), activation)
