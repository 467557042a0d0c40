"""Kernel ridge regression whose width and ridge are chosen by exact leave-one-out errors."""

from __future__ import annotations

import torch
from torch import Tensor

_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the Gaussian, in median distances: from local to almost linear
_RIDGES = tuple(10.0**power for power in range(-10, 1))  # a share of the trace of the kernel matrix


def kernel_prediction(x: Tensor, y: Tensor, fresh: Tensor) -> Tensor:
    r"""Predict the columns of y at fresh rows with the kernel $\exp(-|x - x'|^2 / 2h^2)$.

    The ridge regression leaves at row i, when it is fitted without that row, the residual
    $\alpha_i / ((K + \lambda I)^{-1})_{ii}$ with $\alpha = (K + \lambda I)^{-1} (y - \bar y)$. For each column of y the
    h and λ with the smallest sum of their squares are taken.

    Args:
        x: `(n, d)` float64, columns on a common scale.
        y: `(n, m)`.
        fresh: `(p, d)`.

    Returns:
        `(p, m)`.

    Source:
        Rasmussen and Williams (2006), section 5.4.2.
    """
    mean = y.mean(0)
    squares = torch.cdist(x, x).square()
    median = squares[squares > 0].median() if (squares > 0).any() else squares.new_ones(())
    best = y.new_full((y.shape[1],), torch.inf)
    predicted = mean.expand(len(fresh), -1).clone()
    for width in _WIDTHS:
        scale = 2.0 * width**2 * median
        values, vectors = torch.linalg.eigh((-squares / scale).exp())
        across = (-torch.cdist(fresh, x).square() / scale).exp() @ vectors
        projected, weights = vectors.T @ (y - mean), vectors.square()
        for ridge in _RIDGES:
            inverse = 1.0 / (values.clamp_min(0.0) + ridge * len(x))
            spread = inverse[:, None] * projected
            left_out = (vectors @ spread) / (weights @ inverse)[:, None]
            errors = left_out.square().sum(0)
            better = errors < best
            best = torch.where(better, errors, best)
            predicted = torch.where(better, mean + across @ spread, predicted)
    return predicted
