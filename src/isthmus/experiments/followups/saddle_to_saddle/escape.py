r"""Directions along which gradient descent leaves zero, for networks without biases.

Near zero the loss is $\text{const} - h(w)$ to first order in f, $h(w) = \frac2N \sum_i \langle y_i, f_w(x_i)\rangle$,
and f is homogeneous of degree L in w. So descent follows $\dot w = \nabla h$, whose direction ascends h on the unit
sphere: the escape directions are its critical points there, the optimal one its maximum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.training import Parameters


def escape_direction(starts: Sequence[FullyConnected], x: Tensor, y: Tensor, *, steps: int) -> FullyConnected:
    """The best critical point of h on the sphere of the weights that ascent from the starts finds."""
    at = Parameters.of(list(starts))
    for bias in at.biases:
        bias.zero_()
    at.vector.div_(at.vector.norm(dim=1, keepdim=True))
    for step in range(steps):
        gradient = alignment(at, x, y)[1]
        size = 0.2 * 0.5 * (1.0 + math.cos(math.pi * step / steps)) + 1e-3
        at.vector.add_(size * gradient / gradient.norm(dim=1, keepdim=True).clamp_min(1e-300))
        at.vector.div_(at.vector.norm(dim=1, keepdim=True))
    best = int(alignment(at, x, y)[0].argmax())
    return at.network(best)


def alignment(at: Parameters, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """h of S networks `(S,)` and its gradient by the weights `(S, p)`; that by the biases is left 0."""
    vector = at.vector.detach().clone().requires_grad_()
    with torch.enable_grad():
        free = at.like(vector)
        a = x.expand(at.count, *x.shape)
        for layer, w in enumerate(free.weights):
            a = torch.bmm(a if layer == 0 else free.activation(a), w.mT)
        values = 2.0 * (a * y).sum((1, 2)) / len(x)
        (gradient,) = torch.autograd.grad(values.sum(), vector)
    return values.detach(), gradient
