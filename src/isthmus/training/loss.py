"""What is minimised over the data: mean squared error, or cross-entropy."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(outputs `(…, n, d_out)`, targets) -> (sum of the losses of the rows `(…)`, its gradient by the outputs)."""


def squared_error(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    r"""$\sum_i \|f(x_i) - y_i\|^2$ and its gradient $2 (f(x_i) - y_i)$; `targets` are `(n, d_out)`.

    Source:
        Jacot (2023), problem setting: MSE with 1/N over the samples and no 1/d over the outputs.
    """
    residual = outputs - targets
    return residual.square().sum((-2, -1)), 2.0 * residual


def cross_entropy(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    r"""$-\sum_i \log \operatorname{softmax}(f(x_i))_{y_i}$ and its gradient; `targets` are class indices `(n,)`."""
    logs = outputs.log_softmax(-1)
    chosen = torch.nn.functional.one_hot(targets, outputs.shape[-1])
    return -(logs * chosen).sum((-2, -1)), logs.exp() - chosen
