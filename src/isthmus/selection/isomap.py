"""Coordinates along a sheet of points: distances are taken along it, not through the space it is folded in."""

from __future__ import annotations

import torch
from torch import Tensor

_NEIGHBOURS = (3, 5, 8, 12)


def geodesic_distances(points: Tensor, *, neighbours: int) -> Tensor:
    """Lengths of the shortest paths from neighbour to neighbour, `(n, n)` float64.

    Each point is joined to those nearest to it; to more of them, doubled until there is a path between any two.

    Args:
        points: `(n, d)`; time grows with the cube of n.
        neighbours: How many at first.
    """
    apart = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    while True:
        near = apart.topk(min(neighbours + 1, len(apart)), largest=False)
        steps = torch.full_like(apart, torch.inf).scatter(1, near.indices, near.values)
        steps = torch.minimum(steps, steps.T).fill_diagonal_(0.0)
        for through in range(len(steps)):  # Floyd and Warshall
            torch.minimum(steps, steps[:, through, None] + steps[through], out=steps)
        if steps.isfinite().all():
            return steps
        neighbours *= 2


def isomap(points: Tensor, rank: int) -> tuple[Tensor, float]:
    """Coordinates `(n, k)` float64 in which points are as far apart as along the sheet that they lie on.

    They have mean 0 and, all together, mean square 1; the first varies most. A sheet that nearly touches itself is
    seen as one only where points are joined to few others, and a thick one only where they are joined to many: of 3,
    5, 8 and 12 neighbours those are taken with which k coordinates leave least of the distances.

    Args:
        points: `(n, d)`.
        rank: k in 1 … n.

    Returns:
        The coordinates, and the share of the squared distances that they tell: near 1 if the sheet has k dimensions and
        is not closed.

    Source:
        Tenenbaum, de Silva and Langford (2000), Isomap: Torgerson's scaling of geodesic distances.
    """
    scaled = (_scaled(geodesic_distances(points, neighbours=count), rank) for count in _NEIGHBOURS)
    found, share = max(scaled, key=lambda each: each[1])
    scale = found.square().mean().sqrt().clamp_min(torch.finfo(found.dtype).tiny)
    return found / scale, share


def _scaled(distances: Tensor, rank: int) -> tuple[Tensor, float]:
    """Coordinates `(n, k)`, and their share of the squared distances."""
    squares = distances.square()
    centred = squares - squares.mean(0) - squares.mean(1, keepdim=True) + squares.mean()
    values, axes = torch.linalg.eigh(-0.5 * centred)
    values = values.clamp_min(0.0)
    first = values[-rank:].flip(0)
    share = float(first.sum() / values.sum().clamp_min(torch.finfo(values.dtype).tiny))
    return axes[:, -rank:].flip(1) * first.sqrt(), share
