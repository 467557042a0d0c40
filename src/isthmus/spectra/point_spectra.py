"""Singular values of Jacobians at several points, and the rank over them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.rank_estimate import RankEstimate


@dataclass(frozen=True, eq=False)
class JacobianSpectra:
    """Singular values of Jf at several points.

    Attributes:
        singular_values: `(n, r)` float64, descending in each row, r = the smallest width of the network. Lower ends
            where they were sketched or differences.
        upper: `(n, r)`, upper ends of these; None where the values are exact.
        is_leading: Whether there are more singular values, each at most the last upper end.
    """

    singular_values: Tensor
    upper: Tensor | None = None
    is_leading: bool = False

    def relative(self) -> Tensor:
        """σ_i / σ_1 at each point, `(n, r)`; zero where the Jacobian vanishes; lower bounds where sketched."""
        first = (self.singular_values if self.upper is None else self.upper)[:, :1]
        return torch.where(first > 0, self.singular_values / first.where(first > 0, 1.0), 0.0)

    def upper_relative(self) -> Tensor:
        """Upper bounds of σ_i / σ_1 at each point, `(n, r)`; infinite where σ_1 may be 0 and is not."""
        upper, first = self.singular_values if self.upper is None else self.upper, self.singular_values[:, :1]
        return torch.where(first > 0, upper / first.where(first > 0, 1.0), torch.where(upper > 0, torch.inf, 0.0))

    def ranks(self, tolerance: Tolerance) -> Tensor:
        """At each point the number of σ_i above `tolerance` · σ_1, `(n,)`."""
        return (self.relative() > tolerance.relative).sum(1)

    def schatten(self, p: float) -> Tensor:
        r"""$\|Jf(x)\|_p^p = \sum_i s_i(Jf(x))^p$ over the nonzero singular values, `(n,)`.

        With p = 2/L it bounds R(f; L)/L from below at every point (Jacot 2023, Proposition 3). Singular values below
        float64 rounding of σ_1 are left out, which can only lower the bound.
        """
        floor = self.singular_values[:, :1] * self.singular_values.shape[1] * torch.finfo(torch.float64).eps
        kept = self.singular_values > floor
        return torch.where(kept, self.singular_values.where(kept, 1.0) ** p, 0.0).sum(1)


def rank_over_points(ranks: Tensor, narrowest: int, tolerance: Tolerance) -> RankEstimate:
    """The estimate that the per-point `ranks` `(n,)` give for a network whose narrowest layer is `narrowest`."""
    largest = int(ranks.max())
    share = float((ranks == largest).double().mean())
    lower = (
        f"the Jacobian has {largest} singular values above {tolerance.relative:g} of the largest at "
        f"{share:.0%} of {len(ranks)} points (sampled)"
    )
    if largest == 0:
        lower = (
            f"no singular value of the Jacobian is told from 0 at any of {len(ranks)} points (sampled), which says "
            "nothing of what f does elsewhere"
        )
    return RankEstimate(largest, narrowest, tolerance.relative, (lower, f"the narrowest layer has width {narrowest}"))
