"""Which rows are near which."""

from __future__ import annotations

import torch
from torch import Tensor

_CHUNK_NUMBERS = 20_000_000


def nearest(points: Tensor, centres: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The rows of `points` nearest to some of them, these themselves left out.

    Args:
        points: `(n, d)`, all different.
        centres: Row numbers `(q,)`.
        count: How many neighbours, at most n − 1.

    Returns:
        Row numbers and distances, both `(q, count)`, nearest first.
    """
    found, distances = [], []
    for part in centres.split(max(1, _CHUNK_NUMBERS // len(points))):
        # Differences, not |a|² + |b|² − 2ab, which loses the distance of two near rows far from the origin.
        apart = torch.cdist(points[part], points, compute_mode="donot_use_mm_for_euclid_dist")
        apart[torch.arange(len(part)), part] = torch.inf
        near = apart.topk(count, largest=False)
        found.append(near.indices)
        distances.append(near.values)
    return torch.cat(found), torch.cat(distances)
