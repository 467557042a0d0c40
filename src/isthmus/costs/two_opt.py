"""A short path by the oldest of local searches: where no solver is needed, and the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LARGEST = 600
"""A move looks at all pairs of edges; beyond so many points the path along nearest neighbours stays as it is."""


def two_opt_path(distances: Floats) -> Integers:
    """A path through all points, `(n,)`: along nearest neighbours, then parts are turned round while that shortens it.

    Args:
        distances: Between all points, `(n, n)`.
    """
    n = len(distances)
    # One more point, at distance 0 from all: the tour through it is a path.
    d = np.zeros((n + 1, n + 1))
    d[:n, :n] = distances
    tour = np.append(_along_neighbours(distances), n)
    if n > _LARGEST:
        return tour[:-1]
    while True:
        following = np.roll(tour, -1)
        steps = d[tour, following]
        change = d[np.ix_(tour, tour)] + d[np.ix_(following, following)] - steps[:, None] - steps
        np.fill_diagonal(change, 0.0)
        i, j = np.unravel_index(int(change.argmin()), change.shape)
        if change[i, j] >= -1e-12 * steps.sum():
            break
        i, j = min(i, j), max(i, j)
        tour[i + 1 : j + 1] = tour[i + 1 : j + 1][::-1].copy()
    cut = int(np.flatnonzero(tour == n)[0])
    return np.concatenate([tour[cut + 1 :], tour[:cut]])


def _along_neighbours(distances: Floats) -> Integers:
    order = np.zeros(len(distances), np.int64)
    is_visited = np.zeros(len(distances), bool)
    for i in range(1, len(distances)):
        is_visited[order[i - 1]] = True
        order[i] = np.argmin(np.where(is_visited, np.inf, distances[order[i - 1]]))
    return order
