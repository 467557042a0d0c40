"""The trace of the neural tangent kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.spectra.product import ThinChain


def tangent_kernel_traces(network: FullyConnected, x: Tensor) -> Tensor:
    r"""$\operatorname{Tr} \Theta(x_i, x_i) = \sum_w \|\partial f(x_i) / \partial w\|^2$ with the biases, `(n,)`.

    $$\operatorname{Tr} \Theta(x, x) = \sum_{\ell=1}^L \Big\|\frac{\partial f}{\partial \tilde z_\ell}\Big\|_F^2
      \big(\|a_{\ell-1}(x)\|^2 + 1\big)$$

    At minima with the rank of the data it stays of order L; fits that underestimate the rank have a larger one, so
    that large learning rates leave them.

    Args:
        network: f.
        x: `(n, d_in)`.

    Source:
        Jacot (2023), arXiv 2305.19008, abstract; the formula is the chain rule.
    """
    activations, z = network.trace(x)
    sizes = [a.double().square().sum(1) + 1.0 for a in activations]
    total = network.d_out * sizes[-1]  # each output by its own row of the last weight
    # Behind it, an orthogonal factor of the last weight moves no norm.
    weights = ThinChain(network, torch.float64).weights
    back = torch.eye(len(weights[-1]), dtype=torch.float64, device=x.device).expand(len(x), -1, -1)
    for layer in range(network.depth - 1, 0, -1):
        back = (back @ weights[layer]) * network.activation.derivative(z[layer - 1]).double()[:, None, :]
        total = total + back.square().sum((1, 2)) * sizes[layer - 1]
    return total
