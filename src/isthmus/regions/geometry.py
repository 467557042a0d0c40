"""Areas and widths of convex polygons given as loops of vertices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def middles(points: Floats, offsets: Integers) -> Floats:
    """The mean of each group of rows of `points` `(Σ, d)`, group i from `offsets[i]` to `offsets[i + 1]`: `(N, d)`."""
    return np.asarray(np.add.reduceat(points, offsets[:-1], axis=0) / np.diff(offsets)[:, None])


def areas(points: Floats, offsets: Integers) -> Floats:
    """The area of each polygon with corners `points` `(Σ, 2)`, counter-clockwise, `(N,)`."""
    # Relative to the first corner: far from the origin the plain shoelace formula loses all digits.
    base = np.repeat(points[offsets[:-1]], np.diff(offsets), axis=0)
    a, b = points - base, points[_successors(offsets)] - base
    return np.asarray(np.add.reduceat(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], offsets[:-1]) / 2)


def perimeters(points: Floats, offsets: Integers) -> Floats:
    """The length of the way round each polygon, `(N,)`."""
    sides = np.linalg.norm(points[_successors(offsets)] - points, axis=1)
    return np.asarray(np.add.reduceat(sides, offsets[:-1]))


def _successors(offsets: Integers) -> Integers:
    """For each corner the place of the next one round its polygon."""
    following = np.arange(1, offsets[-1] + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    return following
