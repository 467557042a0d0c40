"""Which rows are near which."""

from __future__ import annotations

import torch
from torch import Tensor

_CHUNK_NUMBERS = 20_000_000
_FAR = 1e3  # typical distances from the origin, beyond which products of coordinates are too rounded


def nearest(points: Tensor, centres: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The rows of `points` nearest to some of them, these themselves left out.

    Args:
        points: `(n, d)`, all different, most of them within 1 of the origin.
        centres: Row numbers `(q,)`.
        count: How many neighbours, at most n − 1.

    Returns:
        Row numbers and distances, both `(q, count)`, nearest first.
    """
    found, distances = [], []
    is_far = float(points.abs().max()) > _FAR
    mode = "donot_use_mm_for_euclid_dist" if is_far else "use_mm_for_euclid_dist_if_necessary"
    for part in centres.split(max(1, _CHUNK_NUMBERS // max(len(points), count * points.shape[1]))):
        apart = torch.cdist(points[part], points, compute_mode=mode)
        apart[torch.arange(len(part)), part] = torch.inf
        near = apart.topk(count, largest=False).indices
        # Those are |a|² + |b|² − 2ab where that is quick, but rounded; ratios of small distances need differences.
        exact, order = (points[near] - points[part][:, None]).norm(dim=2).sort(1)
        found.append(near.gather(1, order))
        distances.append(exact)
    return torch.cat(found), torch.cat(distances)
