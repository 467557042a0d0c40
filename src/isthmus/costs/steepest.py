r"""Points at which Proposition 3 bounds the cost higher than at the data: a search."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.foundation.progress import Report, silent
from isthmus.networks import FullyConnected
from isthmus.spectra import jacobian_spectra
from isthmus.spectra.jacobian import cost_lower

_KEPT = 16
_TRIES = 16


def steepest_points(
    network: FullyConnected, x: Tensor, depth: int, *, rounds: int = 10, seed: int = 0, report: Report = silent
) -> Tensor:
    r"""Points near the rows with a large $\sum_i s_i(Jf(x))^{2/L}$, `(≤ 16, d_in)`, the best first.

    Jf is constant on every linear region, so there is no gradient to follow: from the best points so far steps are
    drawn along other rows' differences and in all directions, at lengths that halve from the spread of the rows. Points
    are kept inside the box around the rows.

    Args:
        network: f, float64.
        x: The rows to start from, `(n, d_in)`.
        depth: L.
        rounds: How often the steps are drawn.
        seed: Of the steps.
        report: Told the fraction done.
    """
    generator = torch.Generator().manual_seed(seed)
    low, high, spread = x.amin(0), x.amax(0), x.std(0, correction=0)

    def bound(points: Tensor) -> Tensor:
        return cost_lower(jacobian_spectra(network, points), depth, network.activation.negative_slope)

    best, values = x, bound(x)
    for index in range(rounds):
        report(index / rounds, "searching for steep points")
        order = values.argsort(descending=True)[:_KEPT]
        best, values = best[order], values[order]
        length = 0.5 ** (index % 8)
        bases = best.repeat(_TRIES, 1)
        partners = x[torch.randint(len(x), (len(bases),), generator=generator)]
        towards = (partners - bases) * torch.rand(len(bases), 1, generator=generator, dtype=torch.float64)
        around = spread * torch.randn(bases.shape, generator=generator, dtype=torch.float64)
        is_along = torch.rand(len(bases), 1, generator=generator) < 0.5
        tried = torch.minimum(torch.maximum(bases + length * torch.where(is_along, towards, around), low), high)
        best, values = torch.cat([best, tried]), torch.cat([values, bound(tried)])
    order = values.argsort(descending=True)[:_KEPT]
    return best[order]
