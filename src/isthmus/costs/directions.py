r"""A direction in which the rows of x lie well apart and in an order that suits y."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from isthmus.costs.tour import distance_matrix
from isthmus.costs.two_opt import two_opt_path
from isthmus.foundation.progress import Report, silent

Floats = NDArray[np.float64]


def curve_size(x: Floats, y: Floats, direction: Floats) -> float:
    r"""What a curve through y in the order of $u \cdot x$ costs, up to constants; infinite if two rows coincide there.

    $\log E + 2 \log \sum_j \|m_j\| + 2 e \log (\|y\| + \sum_j \|m_j\| t_j)$, of `isthmus.costs.amplification`. It does
    not depend on the length of u.
    """
    positions = x @ direction
    order = np.argsort(positions, kind="stable")
    t = positions[order] - positions[order[0]]
    gaps = np.diff(t)
    # Below, rounding of u·x decides the value of the curve.
    if not gaps.min() > 1e-12 * max(t[-1], abs(positions).max()):
        return math.inf
    slopes = np.diff(y[order], axis=0) / gaps[:, None]
    changes = np.concatenate([[np.linalg.norm(slopes[0])], np.linalg.norm(np.diff(slopes, axis=0), axis=1)])
    encoder = float(direction @ direction) + float(positions[order[0]]) ** 2
    reach = float(changes @ t[:-1]) + float(np.abs(y).max())
    return math.log(encoder) + 2 * math.log(changes.sum()) + 2 * math.e * math.log(reach)


def separating_direction(
    x: Floats, y: Floats, *, rng: np.random.Generator, tries: int = 1000, report: Report = silent
) -> Floats:
    """A unit vector u of small `curve_size`, `(d_in,)`.

    Half of the tries are spread: u that put the rows in the order of a short path through y (by least squares; exactly
    where n ≤ d_in + 1 and x is in general position), the axes and main directions of x, the directions of x that go
    with y, differences of rows, random ones. The other half improve the best three by random steps whose length follows
    the success.

    Args:
        x: Distinct rows, `(n, d_in)` with n ≥ 2.
        y: `(n, d_out)`, not constant.
        rng: Source of the random directions.
        tries: Directions looked at.
        report: Progress.
    """
    # Distances of y are all that matters, and they survive in fewer coordinates.
    if y.shape[1] > 1:
        u, s, _ = np.linalg.svd(y - y.mean(0), full_matrices=False)
        kept = s > 1e-12 * s[0]
        y = u[:, kept] * s[kept]
    candidates = _candidates(x, y, rng, tries // 2)
    scored = sorted(((curve_size(x, y, u), i) for i, u in enumerate(candidates)), key=lambda pair: pair[0])
    report(0.5, "directions tried")
    found = [(size, candidates[i]) for size, i in scored[:3]]
    for start, (size, u) in enumerate(found):
        found[start] = _improved(x, y, size, u, rng, tries // 6)
        report(0.5 + (start + 1) / 6, "directions improved")
    return min(found, key=lambda pair: pair[0])[1]


def _candidates(x: Floats, y: Floats, rng: np.random.Generator, count: int) -> list[Floats]:
    n, d = x.shape
    centred = x - x.mean(0)
    main = np.linalg.svd(centred, full_matrices=False)[2][:5]
    together = np.linalg.svd(centred.T @ (y - y.mean(0)), full_matrices=False)[0].T[:3]
    fitted = np.linalg.lstsq(centred, y - y.mean(0), rcond=1e-10)[0].T[:3]
    first = rng.integers(n, size=count // 4)
    second = (first + 1 + rng.integers(n - 1, size=count // 4)) % n
    rows = [_along_a_path(x, y), np.eye(d)[: min(d, 20)], main, together, fitted, x[first] - x[second]]
    rows.append(rng.normal(size=(max(count - sum(map(len, rows)), count // 4), d)))
    directions = np.concatenate(rows)
    norms = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = (directions / np.where(norms > 0, norms, 1.0))[norms[:, 0] > 0]
    # From either end: the start of the path is the cheap end.
    return [*directions, *-directions[: len(directions) // 4]]


def _along_a_path(x: Floats, y: Floats) -> Floats:
    """Directions u with u·x_i + constant near the place of row i along a short path through y, `(8, d_in)`.

    The place by length, by number, and between: equal outputs must not fall on one place.
    """
    distances = distance_matrix(y)
    order = two_opt_path(distances)
    steps = distances[order[:-1], order[1:]]
    centred = np.column_stack([x, np.full(len(x), np.sqrt(np.square(x).mean()) + 1e-300)])
    found = []
    for share in (0.02, 0.2, 0.5, 1.0):
        places = np.empty(len(x))
        places[order] = np.concatenate([[0.0], np.cumsum((1 - share) * steps + share * steps.mean())])
        u = np.linalg.lstsq(centred, places - places.mean(), rcond=1e-12)[0][:-1]
        found += [u, -u]
    return np.array(found)


def _improved(
    x: Floats, y: Floats, size: float, u: Floats, rng: np.random.Generator, steps: int
) -> tuple[float, Floats]:
    """Random steps that are kept when they help; the step grows with success and shrinks without (the 1/5 rule)."""
    length = 0.3
    for _ in range(steps):
        trial = u + length * rng.normal(size=u.shape) / math.sqrt(len(u))
        trial /= np.linalg.norm(trial)
        reached = curve_size(x, y, trial)
        if reached < size:
            size, u, length = reached, trial, min(1.0, length * 1.5)
        else:
            length *= 0.9
    return size, u
