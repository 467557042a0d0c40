"""One function of known rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.networks.activations import Activation
from isthmus.networks.network import FullyConnected

# Slope 3: 1/(1 + a) = 1/4 and 1/(1 − a²) = −1/8 need no rounding, so the ranks hold in rational arithmetic too. A map
# through R^1 rewritten at slope 1/4 has exact rank 2 when its rounded weights are taken at their word.
EXACTLY_REWRITTEN = Activation(3.0)


@dataclass(frozen=True, eq=False)
class CatalogueEntry:
    r"""A finite piecewise-linear function on a box Ω, with its ranks there and why they are so.

    Attributes:
        name: Unique in the catalogue.
        network: f, float64.
        box: Lower and upper corner of Ω, `(d_in,)` each, float64.
        jacobian_rank: Rank_J(f; Ω), the largest rank of the Jacobian over the interiors of the linear regions.
        bottleneck_rank: Rank_BN(f; Ω), the smallest k with $f = h \circ g$ on Ω, g into R^k.
        source: The source or the proof.
    """

    name: str
    network: FullyConnected
    box: tuple[Tensor, Tensor]
    jacobian_rank: int
    bottleneck_rank: int
    source: str

    @property
    def cost(self) -> float | None:
        r"""$R_\infty = \lim_{L \to \infty} R(f; \Omega, L)/L$ where known, else None.

        Rank_J ≤ R_∞ ≤ Rank_BN (Jacot 2023, Theorem 1), so it is known where both ranks agree. The first inequality
        needs |σ'| ≤ 1: an activation of steeper slope a does part of the weights' work, and a layer that passes a
        value on costs 1/a² only.
        """
        is_known = self.jacobian_rank == self.bottleneck_rank and abs(self.network.activation.negative_slope) <= 1.0
        return float(self.jacobian_rank) if is_known or self.bottleneck_rank == 0 else None


def tensor(values: Sequence[Sequence[float]] | Sequence[float]) -> Tensor:
    """The values as float64."""
    return torch.tensor(values, dtype=torch.float64)


def cube(d: int, lower: float = -1.0, upper: float = 1.0) -> tuple[Tensor, Tensor]:
    """[lower, upper]^d as two corners."""
    return torch.full((d,), lower, dtype=torch.float64), torch.full((d,), upper, dtype=torch.float64)
