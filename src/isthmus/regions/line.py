"""Where a function of one number is affine."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.networks import FullyConnected

Floats = NDArray[np.float64]


def knots(network: FullyConnected, lower: float, upper: float) -> Floats:
    r"""Points of [lower, upper] between whose neighbours f is affine, `(m + 1,)`, ascending, with both ends.

    Layer by layer: between neighbours all pre-activations are affine, so those that change their sign there do so at
    one point, which joins the knots. Their number is at most one a neuron and piece of the layers before.

    Args:
        network: f, of one input, in float64 on the CPU.
        lower: One end.
        upper: The other, not below `lower`.
    """
    at = np.unique(np.array([lower, upper]))
    values = at[:, None]
    for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        z = values @ w.numpy().T + b.numpy()
        if not network.activation.is_linear:
            at, z = _cut(at, z)
        values = network.activation(torch.from_numpy(z)).numpy()
    return at


def _cut(at: Floats, z: Floats) -> tuple[Floats, Floats]:
    """The knots with the zeros of the columns of `z` `(m + 1, n)` between them, and `z` there."""
    left, right = z[:-1], z[1:]
    piece, neuron = np.nonzero((left < 0) & (right > 0) | (left > 0) & (right < 0))
    share = left[piece, neuron] / (left[piece, neuron] - right[piece, neuron])
    crossing = at[piece] + share * (at[piece + 1] - at[piece])
    fresh = left[piece] + share[:, None] * (right[piece] - left[piece])
    found, first = np.unique(np.concatenate([at, crossing]), return_index=True)
    return found, np.concatenate([z, fresh])[first]
