"""What is minimised over the data: mean squared error, or cross-entropy."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Loss(Protocol):
    """Outputs `(…, n, d_out)`, targets and weights -> the sum of the rows' losses `(…)` and its gradient by outputs."""

    def __call__(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None, /) -> tuple[Tensor, Tensor]:
        """The sum and the gradient; `weights` `(n,)` multiply the losses of the rows."""


def squared_error(outputs: Tensor, targets: Tensor, weights: Tensor | None = None, /) -> tuple[Tensor, Tensor]:
    r"""$\sum_i v_i \|f(x_i) - y_i\|^2$ and its gradient $2 v_i (f(x_i) - y_i)$; `targets` are `(n, d_out)`.

    Source:
        Jacot (2023), problem setting: MSE with 1/N over the samples and no 1/d over the outputs.
    """
    residual = outputs - targets
    if weights is None:
        return residual.square().sum((-2, -1)), 2.0 * residual
    weighted = weights[:, None] * residual
    return (weighted * residual).sum((-2, -1)), 2.0 * weighted


def cross_entropy(outputs: Tensor, targets: Tensor, weights: Tensor | None = None, /) -> tuple[Tensor, Tensor]:
    r"""$-\sum_i v_i \log \operatorname{softmax}(f(x_i))_{y_i}$ and its gradient; `targets` are classes `(n,)`."""
    logs = outputs.log_softmax(-1)
    chosen = torch.nn.functional.one_hot(targets, outputs.shape[-1])
    if weights is None:
        return -(logs * chosen).sum((-2, -1)), logs.exp() - chosen
    weighted = weights[:, None] * chosen
    return -(logs * weighted).sum((-2, -1)), weights[:, None] * logs.exp() - weighted
