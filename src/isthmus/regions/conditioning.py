"""The same function in coordinates in which rounding is small: before anything is cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.networks import FullyConnected

Floats = NDArray[np.float64]

# A pre-activation within this share of ‖W_j‖‖a‖ + |b_j| of zero is rounding, and counts as zero: decision 0008.
ROUNDING = 1e-13
_EVEN = (1 / 8, 8.0)  # norms within these bounds are comparable enough


@dataclass(frozen=True, eq=False)
class Conditioned:
    r"""A network on a domain that is moved to the origin, with neurons of comparable size.

    Attributes:
        weights: $W_1, …, W_L$, float64.
        biases: $b_1, …, b_L$.
        negative_slope: a in σ(z) = max(z, 0) + a min(z, 0).
        reaches: For each hidden layer ‖W_j‖ and |b_j| times the relative rounding, `(2, n_ℓ)`: what counts as zero.
        centre: The middle of the domain, `(d,)`: the network here takes u where f takes centre + extent · u.
        extent: A power of two of about half the domain's size.
    """

    weights: list[Floats]
    biases: list[Floats]
    negative_slope: float
    reaches: list[Floats]
    centre: Floats
    extent: float

    def forward(self, x: Floats) -> Floats:
        """Points of the domain `(n, d)` in the coordinates u."""
        return np.asarray((x - self.centre) / self.extent)

    def backward(self, u: Floats) -> Floats:
        """Points `(n, d)` in the coordinates of the domain."""
        return np.asarray(self.centre + self.extent * u)


def conditioned(network: FullyConnected, lower: Floats, upper: Floats) -> Conditioned:
    r"""`network` on the box from `lower` to `upper` `(d,)`.

    What counts as rounding must not depend on how a function is written. Positive homogeneity allows every hidden
    neuron's incoming weights to be scaled to a norm near 1 and its outgoing ones inversely; a trained or rescaled
    network can have neurons whose sizes differ by many orders of magnitude. All factors are powers of two, so no
    digit is lost. A linear network becomes one affine map, since its neurons bend nothing.
    """
    weights = [w.numpy() for w in network.weights]
    biases = [b.numpy() for b in network.biases]
    centre = (lower + upper) / 2
    extent = float(_power_of_two(np.array([(upper - lower).max() / 2]))[0])
    biases[0] = biases[0] + weights[0] @ centre
    weights[0] = weights[0] * extent
    if network.activation.is_linear:
        w, b = weights[0], biases[0]
        for next_w, next_b in zip(weights[1:], biases[1:], strict=True):
            w, b = next_w @ w, next_w @ b + next_b
        weights, biases = [w], [b]
    reaches = []
    for layer in range(len(weights) - 1):
        norms = np.sqrt(np.einsum("ij,ij->i", weights[layer], weights[layer]))
        if not (norms.min() > _EVEN[0] and norms.max() < _EVEN[1]):
            size = _power_of_two(norms)
            weights[layer], biases[layer] = weights[layer] / size[:, None], biases[layer] / size
            weights[layer + 1] = weights[layer + 1] * size
            norms /= size
        reach = np.empty((2, len(norms)))
        reach[0], reach[1] = norms, np.abs(biases[layer])
        reaches.append(reach * ROUNDING)
    return Conditioned(weights, biases, network.activation.negative_slope, reaches, centre, extent)


def _power_of_two(sizes: Floats) -> Floats:
    """The powers of two next above `sizes`; 1 for 0."""
    return np.asarray(np.ldexp(1.0, np.frexp(np.where(sizes > 0.0, sizes, 0.5))[1]))
