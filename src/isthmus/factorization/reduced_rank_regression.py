"""What a linear map through R^k can do: the baseline every rank is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.statistics import weighted_mean

_RIDGES = tuple(10.0**power for power in range(-10, 1))  # of the square of the largest singular value
_LEAST = 1e-9  # a row that decides its own prediction says nothing about others


@dataclass(frozen=True, eq=False)
class LinearBaseline:
    r"""Reduced-rank regression $x \mapsto \bar y + B_k (x - \bar x)$ for every k; on x = y it is PCA.

    Attributes:
        name: "PCA" where outputs are the inputs, else "reduced-rank regression".
        x_mean: `(d_in,)`.
        y_mean: `(d_out,)`.
        coefficients: B of full rank, `(d_in, d_out)`.
        directions: Principal directions of the fitted outputs, `(d_out, r)`.
    """

    name: str
    x_mean: Tensor
    y_mean: Tensor
    coefficients: Tensor
    directions: Tensor

    def __call__(self, x: Tensor, rank: int) -> Tensor:
        """Prediction through `rank` numbers at the rows of `x` `(n, d_in)`: `(n, d_out)` float64."""
        kept = self.directions[:, :rank]
        return self.y_mean + (x.double() - self.x_mean) @ self.coefficients @ kept @ kept.T


def linear_baseline(x: Tensor, y: Tensor, *, weights: Tensor | None = None) -> LinearBaseline:
    """Fit reduced-rank ridge regression of `y` on `x`, or PCA where both are the same tensor.

    The ridge is the one of eleven powers of ten whose predictions of each row from the others are best.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)`; for classes one-hot rows.
        weights: How much each row counts, `(n,)`, positive; None for all alike.

    Source:
        Izenman (1975), reduced-rank regression for the multivariate linear model; Allen (1974), leave-one-out errors.
    """
    x_mean, y_mean = weighted_mean(x.double(), weights), weighted_mean(y.double(), weights)
    xc, yc = x.double() - x_mean, y.double() - y_mean
    if weights is not None:
        roots = weights.double().sqrt()[:, None].to(xc)
        xc, yc = roots * xc, roots * yc
    if x is y:
        directions = torch.linalg.svd(xc, full_matrices=False).Vh.T
        eye = torch.eye(x.shape[1], dtype=torch.float64, device=x.device)
        return LinearBaseline("PCA", x_mean, y_mean, eye, directions)
    u, s, vt = torch.linalg.svd(xc, full_matrices=False)

    def shrink(ridge: float) -> Tensor:
        damping = s.square() + ridge * s[0].square()
        return torch.where(damping > 0, s / damping.where(damping > 0, 1.0), 0.0)

    def coefficients(ridge: float) -> Tensor:
        product: Tensor = vt.T @ (shrink(ridge)[:, None] * (u.T @ yc))
        return product

    def left_out(ridge: float) -> float:
        kept = u * (shrink(ridge) * s)
        leverage = (kept * u).sum(1, keepdim=True) + _mean_leverage(weights, len(x)).to(u)
        return float(((yc - kept @ (u.T @ yc)) / (1.0 - leverage).clamp_min(_LEAST)).square().sum())

    best = coefficients(min(_RIDGES, key=left_out))
    directions = torch.linalg.svd(xc @ best, full_matrices=False).Vh.T
    return LinearBaseline("reduced-rank regression", x_mean, y_mean, best, directions)


def _mean_leverage(weights: Tensor | None, rows: int) -> Tensor:
    """What each row contributes to the mean that is predicted for it, `(n, 1)`."""
    return torch.full((rows, 1), 1.0 / rows) if weights is None else (weights / weights.sum())[:, None]
