"""Give each hidden neuron's two sides the same norm; the function does not notice."""

from __future__ import annotations

import torch

from isthmus.networks import FullyConnected


def rebalance(network: FullyConnected, *, sweeps: int = 100, precision: float = 1e-6) -> FullyConnected:
    r"""The network of least ‖w‖² among those that differ from `network` by positive rescaling of neurons.

    As σ is positively homogeneous, a hidden neuron may scale its incoming row and bias by c > 0 and its outgoing
    column by 1/c without changing f anywhere. ‖w‖² is convex in log c and minimal where
    $c^2 = \|w_{out}\| / \|(w_{in}, b)\|$ for every neuron; layers are swept in turn until no factor moves by more than
    `precision`. A neuron with a zero side contributes nothing and is set to zero on the outgoing side; its bias
    alone, if any, is what remains of a neuron without inputs and is balanced like any other.

    Args:
        network: Any network.
        sweeps: At most so many passes over the layers.
        precision: Stop when every |c − 1| is below.

    Source:
        Positive homogeneity; see `docs/theory.md`.
    """
    weights = [w.clone() for w in network.weights]
    biases = [b.clone() for b in network.biases]
    for _ in range(sweeps):
        largest = 0.0
        for layer in range(network.depth - 1):
            incoming = (weights[layer].double().square().sum(1) + biases[layer].double().square()).sqrt()
            outgoing = weights[layer + 1].double().square().sum(0).sqrt()
            is_alive = (incoming > 0) & (outgoing > 0)
            c = torch.where(is_alive, (outgoing / incoming.where(is_alive, 1.0)).sqrt(), torch.zeros_like(incoming))
            weights[layer] *= c[:, None].to(weights[layer])
            biases[layer] *= c.to(biases[layer])
            weights[layer + 1] *= torch.where(is_alive, 1.0 / c.where(is_alive, 1.0), c).to(weights[layer + 1])
            if is_alive.any():
                largest = max(largest, float((c[is_alive] - 1.0).abs().max()))
        if largest <= precision:
            break
    return FullyConnected(tuple(weights), tuple(biases), network.activation)
