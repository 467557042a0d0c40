"""Kernel ridge regression whose width and ridge are chosen by exact leave-one-out errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the Gaussian, in median distances: from local to almost linear
_RIDGES = tuple(10.0**power for power in range(-10, 1))  # a share of the trace of the kernel matrix


@dataclass(frozen=True, eq=False)
class _Fit:
    """One width and ridge: kernel exp(−|x − x'|²/scale), coefficients in its eigenvectors, left-out squares summed."""

    scale: Tensor
    vectors: Tensor
    coefficients: Tensor
    errors: Tensor


def _fits(x: Tensor, y: Tensor) -> Iterator[_Fit]:
    r"""Ridge regressions of the centred columns of y with every width and ridge.

    Fitted without row i a regression leaves there the residual $\alpha_i / ((K + \lambda I)^{-1})_{ii}$ with
    $\alpha = (K + \lambda I)^{-1} y$.

    Source:
        Rasmussen and Williams (2006), section 5.4.2.
    """
    squares = torch.cdist(x, x).square()
    median = squares[squares > 0].median() if (squares > 0).any() else squares.new_ones(())
    for width in _WIDTHS:
        scale = 2.0 * width**2 * median
        values, vectors = torch.linalg.eigh((-squares / scale).exp())
        projected, weights = vectors.T @ y, vectors.square()
        for ridge in _RIDGES:
            inverse = 1.0 / (values.clamp_min(0.0) + ridge * len(x))
            coefficients = inverse[:, None] * projected
            left_out = (vectors @ coefficients) / (weights @ inverse)[:, None]
            yield _Fit(scale, vectors, coefficients, left_out.square().sum(0))


def kernel_prediction(x: Tensor, y: Tensor, fresh: Tensor) -> Tensor:
    r"""Predict the columns of y at fresh rows with the kernel $\exp(-|x - x'|^2 / 2h^2)$.

    For each column of y the h and λ are taken with which rows are predicted best from the others.

    Args:
        x: `(n, d)` float64, columns on a common scale.
        y: `(n, m)`.
        fresh: `(p, d)`.

    Returns:
        `(p, m)`.
    """
    mean = y.mean(0)
    squares = torch.cdist(fresh, x).square()
    best = y.new_full((y.shape[1],), torch.inf)
    predicted = mean.expand(len(fresh), -1).clone()
    for fit in _fits(x, y - mean):
        better = fit.errors < best
        if better.any():
            best = torch.where(better, fit.errors, best)
            across = (-squares / fit.scale).exp() @ fit.vectors
            predicted = torch.where(better, mean + across @ fit.coefficients, predicted)
    return predicted


def predicted_share(x: Tensor, y: Tensor) -> Tensor:
    """The share of the variance of each column of y that rows of x predict, each row from the others; `(m,)`.

    0 where nothing is predicted, and for a constant column.

    Args:
        x: `(n, d)` float64, columns on a common scale; n ≥ 2.
        y: `(n, m)`.
    """
    centred = y - y.mean(0)
    whole = centred.square().sum(0)
    left = torch.stack([fit.errors for fit in _fits(x, centred)]).amin(0)
    return torch.where(whole > 0, 1.0 - left / whole.clamp_min(torch.finfo(y.dtype).tiny), 0.0).clamp_min(0.0)
