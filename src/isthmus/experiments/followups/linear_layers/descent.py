r"""Networks $V \sigma(W_m \cdots W_1 x + b) + c$ trained with weight decay on the weights, the biases left free."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.foundation.denormals import flushed_denormals
from isthmus.networks import RELU, FullyConnected
from isthmus.training import Parameters, lbfgs, random_network
from isthmus.training.soap import Soap

_RATE, _LAST = 0.01, 0.01  # of the descent; of it at the end
_MEMORY = 30  # pairs of L-BFGS


def train(x: Tensor, y: Tensor, layers: int, width: int, weight_decay: float, *, descent: int, seed: int) -> Parameters:
    """$W_1, …, W_m, V$ as the weights of one `Parameters`, float64; of the biases only b and c are not 0."""
    widths = (x.shape[1], *[width] * layers, y.shape[1])
    at = Parameters.of(random_network(widths, RELU, torch.Generator().manual_seed(seed), dtype=torch.float64))
    slope = at.like(torch.zeros_like(at.vector))
    soap = Soap(at, slope, refresh=5)
    with torch.no_grad(), flushed_denormals():
        for step in range(descent):
            value_and_gradient(at, slope, x, y, weight_decay)
            soap.step(_RATE * _LAST ** (step / descent))
        lbfgs(
            at.vector[0],
            slope.vector[0],
            lambda: value_and_gradient(at, slope, x, y, weight_decay),
            evaluations=max(1, descent),
            memory=_MEMORY,
        )
    return at


def value_and_gradient(at: Parameters, out: Parameters, x: Tensor, y: Tensor, weight_decay: float) -> Tensor:
    r"""$\frac1N \sum \|f(x_i) - y_i\|^2 + \lambda \|w\|^2$; its gradient is written into `out`."""
    vector = at.vector.detach().clone().requires_grad_()
    with torch.enable_grad():
        free = at.like(vector)
        w, b, v, c = _neurons(free)
        loss = ((x @ w.T + b).relu() @ v.T + c - y).square().sum(1).mean()
        norm = torch.stack([factor.square().sum() for factor in free.weights]).sum()
        value = loss + weight_decay * norm
        (gradient,) = torch.autograd.grad(value, vector)
    out.vector.copy_(gradient)
    for bias in out.biases[:-2]:  # of the linear layers in front: they would be a second way to b
        bias.zero_()
    return value.detach()


def shallow(at: Parameters) -> FullyConnected:
    """The same function as a network of depth 2."""
    w, b, v, c = (t.clone() for t in _neurons(at))
    return FullyConnected((w, v), (b, c), RELU)


def _neurons(at: Parameters) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W = W_m ⋯ W_1, b, V, c."""
    product = at.weights[0][0]
    for w in at.weights[1:-1]:
        product = w[0] @ product
    return product, at.biases[-2][0], at.weights[-1][0], at.biases[-1][0]
