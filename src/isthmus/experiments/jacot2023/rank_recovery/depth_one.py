"""Ridge regression: the network of depth 1, whose Jacobian is its matrix everywhere."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.experiments.experiment import Numbers
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE


def ridge_regression(x: Tensor, y: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    r"""The minimiser of $\frac1N \sum_i \|A x_i + b - y_i\|^2 + \lambda (\|A\|_F^2 + \|b\|^2)$.

    Args:
        x: `(n, d_in)`.
        y: `(n, d_out)`.
        ridge: λ > 0.

    Returns:
        A `(d_out, d_in)` and b `(d_out,)`, float64.
    """
    inputs = torch.cat([x.double(), torch.ones(len(x), 1, dtype=torch.float64, device=x.device)], 1)
    gram = inputs.T @ inputs / len(x) + ridge * torch.eye(inputs.shape[1], dtype=torch.float64, device=x.device)
    solution = torch.linalg.solve(gram, inputs.T @ y.double() / len(x)).T
    return solution[:, :-1], solution[:, -1]


def linear_account(x: Tensor, y: Tensor, ridge: float) -> Numbers:
    """What ridge regression costs and its ranks: at the default tolerance, and `exact_rank`, of all but rounding."""
    matrix, bias = ridge_regression(x, y, ridge)
    error = float((x.double() @ matrix.T + bias - y.double()).square().sum(1).mean())
    norm = float(matrix.square().sum() + bias.square().sum())
    s = torch.linalg.svdvals(matrix)
    rank = int((s > DEFAULT_TOLERANCE.relative * s[0]).sum())
    return {
        "objective": error + ridge * norm,
        "error": error,
        "norm_per_depth": norm,
        "jacobian_rank": rank,
        "bottleneck_rank": rank,
        "exact_rank": int(torch.linalg.matrix_rank(matrix)),
    }
