r"""The cost of identity of a layer, and how far it moves: potential and kinetic energy of a network as it is.

With $B = (\sigma(\tilde Z); 1)$, activations and the constant that biases read, the cheapest layer that gives
$\tilde Z$ back, $(W, b) B = \tilde Z$, costs $\|\tilde Z B^+\|_F^2$: the cost of identity, what one identity layer more
would cost there. Without biases and for $\tilde Z \ge 0$ it is the rank; with them at most that.

The parameters of the next layer that the data see, $(W, b) B B^+$, are a step $\partial + \text{identity}$. As hidden
coordinates may be turned from layer to layer, the step is the least one over rotations O,
$\min_O \|(O (W, b) B - \tilde Z) B^+\|_F^2 = \|X\|^2 + \|Y\|^2 - 2 \|X Y^\top\|_*$. Where a skip connection fixes
the coordinates it is $\|X - Y\|^2$.
"""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.running_covariance import Moments

SPAN = Tolerance(1e-3)  # of the activations that identity layers pass on, as where networks are grown
Identity = tuple[float | None, float | None, float | None]


class IdentityCost:
    r"""Accumulates $\tilde Z^\top (\sigma(\tilde Z), 1)$ of one layer over chunks of rows."""

    def __init__(self, width: int, device: torch.device | None = None) -> None:
        self._cross = torch.zeros(width, width, dtype=torch.float64, device=device)
        self._sum = torch.zeros(width, dtype=torch.float64, device=device)
        self._whole = 0.0
        self._count = 0

    def add(self, z: Tensor, a: Tensor) -> None:
        """Take in pre-activations and activations `(n, width)` of some rows."""
        before = z.double()
        self._cross.addmm_(before.T, a.double())
        self._sum += before.sum(0)
        self._whole += float(before.square().sum())
        self._count += len(z)

    def result(
        self, moments: Moments, weight: Tensor, bias: Tensor, tolerance: Tolerance = SPAN, *, may_turn: bool = True
    ) -> Identity:
        r"""Cost of identity, its residual and the kinetic energy of the next layer; None where nothing arrives.

        The pseudo-inverse is regularised, $\tilde Z B^\top (B B^\top + \gamma)^{-1}$: directions of the activations
        below `tolerance` times their root mean square norm are rounding or noise, and each would cost 1 more.

        Args:
            moments: Of the activations of the same rows.
            weight: $W_{\ell+1}$ `(n_{ℓ+1}, width)` of the next layer.
            bias: $b_{\ell+1}$.
            tolerance: √γ in units of the root mean square norm of an activation.
            may_turn: Whether the coordinates of the next layer are free.

        Returns:
            $\|Y\|_F^2$, $\|\tilde Z - Y B\|_F / \|\tilde Z\|_F$ (what no linear layer gives back) and
            $\|X\|^2 + \|Y\|^2 - 2\|XY^\top\|_*$, or $\|X - Y\|^2$.
        """
        second = moments.covariance + torch.outer(moments.mean, moments.mean)
        size = float(second.trace())
        if not size > 0.0 or not self._whole > 0.0:
            return None, None, None
        one = torch.ones(1, 1, dtype=torch.float64, device=second.device)
        gram = torch.cat([torch.cat([second, moments.mean[:, None]], 1), torch.cat([moments.mean[None], one], 1)])
        cross = torch.cat([self._cross, self._sum[:, None]], 1) / self._count
        # Beside very small activations the constant is large, and rounding of it must not be inverted either.
        rounding = 8.0 * len(gram) * torch.finfo(torch.float64).eps * (1.0 + size)
        ridge = max(tolerance.relative**2 * size, rounding)
        factor = torch.linalg.cholesky(gram + ridge * torch.eye(len(gram), dtype=torch.float64, device=gram.device))
        y = torch.cholesky_solve(cross.T, factor).T
        following = torch.cat([weight.double(), bias.double()[:, None]], 1)
        x = torch.cholesky_solve((following @ gram).T, factor).T
        whole = self._whole / self._count
        left = whole - 2.0 * float((y * cross).sum()) + float(((y @ gram) * y).sum())
        cost = float(y.square().sum())
        if not may_turn:
            return cost, max(0.0, left / whole) ** 0.5, float((x - y).square().sum())
        kinetic = float(x.square().sum()) + cost - 2.0 * float(torch.linalg.svdvals(x @ y.T).sum())
        return cost, max(0.0, left / whole) ** 0.5, max(0.0, kinetic)
