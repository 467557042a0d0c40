"""How the outputs change with the inputs, in the lengths that a loss gives them."""

from __future__ import annotations

from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.spectra.jacobian import jacobians
from isthmus.training import cross_entropy
from isthmus.training.loss import Loss


def output_slopes(network: FullyConnected, x: Tensor, loss: Loss) -> Tensor:
    r"""Derivatives `(n, d_out, d_in)` in float64 of f, or of $2\sqrt{p}$ where f gives the logits of classes.

    Lengths of the latter are those of the Fisher information: a direction along which the classes are as certain as
    before is none.

    Args:
        network: f.
        x: Rows `(n, d_in)` in the network's units.
        loss: That f was trained on.
    """
    slopes = jacobians(network, x).double()
    if loss is not cross_entropy:
        return slopes
    roots = network(x).double().softmax(1).sqrt()
    slopes = roots[:, :, None] * slopes
    # d(2√p) = (√p − √p √pᵀ √p) dz with dz the change of the logits
    return slopes - roots[:, :, None] * (roots[:, None, :] @ slopes)
