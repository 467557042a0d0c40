"""Rank as a function of the tolerance: where it stays, where it jumps, and whether other data would say the same."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.point_spectra import JacobianSpectra

_PER_DECADE = 20
_FINEST = 1e-9  # below it the singular values are rounding of float64 products
_WEIGHTS = 1e-6  # below it they are rounding of float32 weights: no range of tolerances there says anything


@dataclass(frozen=True)
class RankCurve:
    r"""What the Jacobian spectra say at every tolerance.

    Attributes:
        tolerances: From coarse to fine.
        largest: Largest number of singular values above the tolerance over the points, at each tolerance; where only
            their intervals are known the least number.
        median: Median over the points.
        plateau_rank: The rank (largest over the points) that holds over the longest range of tolerances above
            1e-6, in decades; None where no tolerance has a rank that is known from both sides.
        plateau: That range, `(finest, coarsest)`, or None.
        gap: $\sigma_k / \sigma_{k+1}$ at the chosen tolerance's rank k, median over the points; None where nothing
            follows.
        next_direction: $\sigma_{k+1} / \sigma_1$, the largest over the points: a tolerance below it counts k + 1.
        resampled: Probability of each rank k under bootstrap resampling of the points, by k.
    """

    tolerances: tuple[float, ...]
    largest: tuple[int, ...]
    median: tuple[float, ...]
    plateau_rank: int | None
    plateau: tuple[float, float] | None
    gap: float | None
    next_direction: float | None
    resampled: dict[int, float]


def rank_curve(spectra: JacobianSpectra, tolerance: Tolerance) -> RankCurve:
    """The curve of `spectra`, with the gap after the rank at `tolerance`.

    Args:
        spectra: At n points; each point is one observation of the bootstrap.
        tolerance: At which rank to look for the gap and the next direction.
    """
    relative = spectra.relative()
    grid = _grid(tolerance)
    counts = torch.stack([(relative > each).sum(1) for each in grid])
    largest = counts.amax(1)
    ranks = spectra.ranks(tolerance)
    k = int(ranks.max())
    meant = [each for each in grid if each >= _WEIGHTS] or grid[:1]
    plateau = _plateau(meant, _known(spectra, meant, largest.tolist()[: len(meant)]))
    gap = following = None
    if 0 < k < relative.shape[1]:
        following = float(relative[:, k].max())
        at_k = ranks == k
        ratio = relative[at_k, k - 1] / relative[at_k, k].clamp_min(torch.finfo(torch.float64).tiny)
        gap = float(ratio.median()) if float(relative[at_k, k].median()) > _FINEST else None
    return RankCurve(
        tuple(grid),
        tuple(largest.tolist()),
        tuple(counts.double().median(1).values.tolist()),
        None if plateau is None else plateau[0],
        None if plateau is None else plateau[1:],
        gap,
        following,
        _resampled(ranks),
    )


def _grid(tolerance: Tolerance) -> list[float]:
    decades = -torch.tensor(_FINEST, dtype=torch.float64).log10()
    exponents = torch.linspace(0.0, float(decades), int(decades) * _PER_DECADE + 1, dtype=torch.float64)[1:]
    return sorted({*(10.0**-exponents).tolist(), tolerance.relative}, reverse=True)


def _known(spectra: JacobianSpectra, grid: list[float], largest: list[int]) -> list[int | None]:
    """The ranks that upper ends confirm; None where they do not, or where values beyond the leading ones may count."""
    if spectra.upper is None:
        return list(largest)
    upper, columns = spectra.upper_relative(), spectra.singular_values.shape[1]
    most = [int((upper > each).sum(1).max()) for each in grid]
    return [
        rank if rank == highest and not (spectra.is_leading and highest == columns) else None
        for rank, highest in zip(largest, most, strict=True)
    ]


def _plateau(grid: list[float], ranks: list[int | None]) -> tuple[int, float, float] | None:
    """The longest run of one known rank, in decades."""
    best: tuple[int, float, float] | None = None
    begin = 0
    for index in range(1, len(grid) + 1):
        if index < len(grid) and ranks[index] == ranks[begin]:
            continue
        fine, coarse, rank = grid[index - 1], grid[begin], ranks[begin]
        if rank is not None and (best is None or coarse / fine > best[2] / best[1] * (1.0 + 1e-9)):
            best = (rank, fine, coarse)
        begin = index
    return best


def _resampled(ranks: Tensor) -> dict[int, float]:
    """Probability of each value of the largest rank over resamples of the points, drawn with replacement.

    Nothing is drawn: the largest of n draws is at most k with probability (share of points of rank ≤ k)^n.
    """
    counts = ranks.bincount().double().cpu()
    below = (counts.cumsum(0) / counts.sum()) ** len(ranks)
    shares = torch.diff(below, prepend=torch.zeros(1, dtype=below.dtype))
    return {rank: float(share) for rank, share in enumerate(shares.tolist()) if share > 1e-6}
