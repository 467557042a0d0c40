r"""Networks whose last matrices have no activation between them, trained with weight decay on all parameters."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.likelihood import Likelihood
from isthmus.networks import IDENTITY
from isthmus.networks.chain import Chain, Layer
from isthmus.training import Parameters


@dataclass(frozen=True, eq=False)
class LinearEnd:
    r"""$\frac1N \sum_i \ell(f(x_i), y_i) + \frac\lambda L \|w\|^2$ of networks that end in linear layers.

    Attributes:
        x: `(n, d_in)`.
        y: What the likelihood takes.
        likelihood: Whose loss ℓ is.
        ridge: λ.
        linear_layers: m: the activation follows the first L − m matrices only.
    """

    x: Tensor
    y: Tensor
    likelihood: Likelihood
    ridge: float
    linear_layers: int

    def gradient(self, at: Parameters, out: Parameters) -> Tensor:
        """The objective at one network; its gradient is written into `out`."""
        vector = at.vector.detach().clone().requires_grad_()
        with torch.enable_grad():
            free, a = at.like(vector), self.x
            for index, (w, b) in enumerate(zip(free.weights, free.biases, strict=True)):
                a = torch.addmm(b[0], a, w[0].T)
                a = at.activation(a) if self._is_bent(index, at.depth) else a
            loss = self.likelihood.gradient(a, self.y)[0] / len(self.x)
            value = loss + self.ridge / at.depth * vector.square().sum()
            (gradient,) = torch.autograd.grad(value, vector)
        out.vector.copy_(gradient)
        return value.detach()

    def chain(self, at: Parameters) -> Chain:
        """The network with its linear layers as they are."""
        return Chain(
            tuple(
                Layer(w[0].clone(), b[0].clone(), at.activation if self._is_bent(index, at.depth) else IDENTITY)
                for index, (w, b) in enumerate(zip(at.weights, at.biases, strict=True))
            )
        )

    def _is_bent(self, index: int, depth: int) -> bool:
        return index < depth - self.linear_layers
