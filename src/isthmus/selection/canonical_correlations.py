"""What linear functions alone say of the rank: canonical correlations, and Bartlett's test of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.statistics import effective_rows, weighted_mean
from isthmus.foundation.threads import one_thread
from isthmus.spectra import spaced

NOTHING_LEFT = -2.0
"""The significance of correlations where there are none."""
_CHANCE = 2.0  # deviations above what is expected of chance from which on it is no chance
_ROWS = 5000  # that are used; with more of them every bend of f is found to be significant
_ROWS_PER_COLUMN = 4  # of x and of y; columns beyond that are left out, the least varying directions first
_LEAST = 1e-6  # of the largest singular value, below which directions do not vary
_ROUNDING = 1e-12  # of the largest number of a column, below which it is constant
_MOST = 1.0 - 1e-9  # a correlation of 1 would be infinitely significant


@dataclass(frozen=True, eq=False)
class CanonicalCorrelations:
    r"""Of linear forms of x and of y, each uncorrelated with those before.

    Attributes:
        correlations: $\rho_1 \ge \rho_2 \ge \dots$ `(r,)` float64, as many as directions of x and of y both have.
        significance: $t_0, t_1, \dots$ `(r,)` float64: how significantly more than k are needed. With p and q
            directions of x and y and n rows, $-(n - 1 - \tfrac{p + q + 1}{2}) \sum_{i > k} \log(1 - \rho_i^2)$ is about
            χ² distributed with (p − k)(q − k) degrees of freedom if k are enough; $t_k$ is its distance from their
            number, in standard deviations.
        chance: The probability of as much as $t_0$ if x and y are independent, by the tail of χ²; 1 where nothing was
            tested.

    Source:
        Hotelling (1936); Bartlett (1941).
    """

    correlations: Tensor
    significance: Tensor
    chance: float = 1.0

    def are_as_chance(self) -> bool:
        """Whether some of these k are enough: whether what is left from there on may be chance.

        Not where all directions there are of x or of y are needed: then nothing is left that could be chance.
        """
        return bool(((self.significance < _CHANCE) & (self.correlations > 0.0)).any())

    def padded(self, count: int) -> CanonicalCorrelations:
        """The first `count`; where there are no more, correlations 0 that are `NOTHING_LEFT`."""
        missing = max(0, count - len(self.correlations))
        return CanonicalCorrelations(
            torch.nn.functional.pad(self.correlations[:count], (0, missing)),
            torch.nn.functional.pad(self.significance[:count], (0, missing), value=NOTHING_LEFT),
            self.chance,
        )


def canonical_correlations(x: Tensor, y: Tensor, weights: Tensor | None = None) -> CanonicalCorrelations:
    """Canonical correlations, with results that do not depend on the number of threads.

    Columns are scaled to variance 1, and of each side as many principal directions are taken as there are rows for.

    Args:
        x: Inputs `(n, d)`; at most 5000 evenly spaced rows are used.
        y: Outputs `(n, m)`, or classes `(n,)` from 0 on.
        weights: How much each row counts, `(n,)`, positive.
    """
    with one_thread():
        outputs = spaced(y if y.is_floating_point() else torch.nn.functional.one_hot(y), _ROWS)
        counted = None if weights is None else spaced(weights, _ROWS)
        rows = len(outputs) if counted is None else effective_rows(counted)
        ours, theirs = (principal_directions(each.double(), counted, rows) for each in (spaced(x, _ROWS), outputs))
        correlations = torch.linalg.svdvals(ours.T @ theirs).cpu()
        statistics, degrees = bartlett(correlations, ours.shape[1], theirs.shape[1], rows)
        tails = torch.special.gammaincc(degrees / 2.0, statistics.clamp_min(0.0) / 2.0)
        chance = float(tails[0]) if len(tails) else 1.0
        return CanonicalCorrelations(correlations, (statistics - degrees) / (2.0 * degrees).sqrt(), chance)


def principal_directions(columns: Tensor, weights: Tensor | None, rows: float) -> Tensor:
    """Orthonormal `(n, p)`: the principal directions of the centred, scaled columns that vary.

    Args:
        columns: `(n, d)` float64.
        weights: How much each row counts, `(n,)`, positive; None for all alike.
        rows: As how many of equal weight they count; directions are at most a fourth of them.
    """
    centred = columns - weighted_mean(columns, weights)
    if weights is not None:
        centred = centred * (weights / weights.sum() * len(weights)).sqrt().to(centred)[:, None]
    scales = centred.square().mean(0).sqrt()
    varies = scales > _ROUNDING * columns.abs().amax(0)
    scaled = centred[:, varies] / scales[varies]
    vectors: Tensor
    vectors, values, _ = torch.linalg.svd(scaled, full_matrices=False)
    count = int((values > _LEAST * values[:1]).sum())
    return vectors[:, : min(count, int(rows / _ROWS_PER_COLUMN))]


def bartlett(correlations: Tensor, p: int, q: int, rows: float) -> tuple[Tensor, Tensor]:
    """Bartlett's statistics of k = 0, 1, … of correlations `(r,)` of p and q directions, and degrees of freedom."""
    left = -torch.log1p(-correlations.clamp(0.0, _MOST).square())
    statistics = (rows - 1.0 - (p + q + 1.0) / 2.0) * left.flip(0).cumsum(0).flip(0)
    k = torch.arange(len(correlations), dtype=torch.float64)
    return statistics, (p - k) * (q - k)
