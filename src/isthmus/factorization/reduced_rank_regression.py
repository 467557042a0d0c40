"""What a linear map through R^k can do: the baseline every rank is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


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


def linear_baseline(x: Tensor, y: Tensor, held_out: tuple[Tensor, Tensor] | None = None) -> LinearBaseline:
    """Reduced-rank ridge regression of `y` on `x`, or PCA where both are the same tensor.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)`; for classes one-hot rows.
        held_out: Rows on which the ridge is chosen among eleven powers of ten; least squares without them.

    Source:
        Izenman (1975), reduced-rank regression for the multivariate linear model.
    """
    x_mean, y_mean = x.double().mean(0), y.double().mean(0)
    xc, yc = x.double() - x_mean, y.double() - y_mean
    if x is y:
        directions = torch.linalg.svd(xc, full_matrices=False).Vh.T
        eye = torch.eye(x.shape[1], dtype=torch.float64, device=x.device)
        return LinearBaseline("PCA", x_mean, y_mean, eye, directions)
    u, s, vt = torch.linalg.svd(xc, full_matrices=False)

    def coefficients(ridge: float) -> Tensor:
        damping = s.square() + ridge * s[0].square()
        shrink = torch.where(damping > 0, s / damping.where(damping > 0, 1.0), 0.0)
        product: Tensor = vt.T @ (shrink[:, None] * (u.T @ yc))
        return product

    best = coefficients(1e-10)
    if held_out is not None:
        choices = [coefficients(10.0**power) for power in range(-10, 1)]
        xv, yv = held_out[0].double() - x_mean, held_out[1].double() - y_mean
        best = min(choices, key=lambda b: float((xv @ b - yv).square().sum()))
    directions = torch.linalg.svd(xc @ best, full_matrices=False).Vh.T
    return LinearBaseline("reduced-rank regression", x_mean, y_mean, best, directions)
