"""How far points of the plane are from the curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DENSE = 4001  # vertices of the polyline that stands for the curve: it is off by less than 1e-6


def distances(points: Floats) -> Floats:
    """Distance of each of the points `(n, 2)` to the curve (1.2 t, 0.6 sin πt), t in [−1, 1]: `(n,)`."""
    t = np.linspace(-1.0, 1.0, _DENSE)
    path = np.stack([1.2 * t, 0.6 * np.sin(np.pi * t)], 1)
    nearest = np.concatenate(
        [np.square(part[:, None] - path).sum(2).argmin(1) for part in np.array_split(points, -(-len(points) // 200))]
    )
    found = np.full(len(points), np.inf)
    for begin in (np.maximum(nearest - 1, 0), np.minimum(nearest, _DENSE - 2)):  # the edges at the nearest vertex
        a, edge = path[begin], path[begin + 1] - path[begin]
        along = np.clip(((points - a) * edge).sum(1) / np.square(edge).sum(1), 0.0, 1.0)
        found = np.minimum(found, np.linalg.norm(points - a - along[:, None] * edge, axis=1))
    return found
