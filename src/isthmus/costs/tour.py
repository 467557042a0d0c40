r"""The shortest path through points, $\Lambda(y) = \min_\pi \sum_i \|y_{\pi(i+1)} - y_{\pi(i)}\|$, from both sides.

Below, three bounds of which the largest counts. A path through all points has N − 1 edges, two at each point but its
ends:

- it is a spanning tree, so it is no shorter than the least one;
- half the sum over points of the distances to their two nearest others, less the larger half at two ends;
- Held and Karp: for any weights $\pi_i$, adding $\pi_i + \pi_j$ to every distance lengthens a path with ends a, b by
  $2 \sum_i \pi_i - \pi_a - \pi_b$. So $\Lambda \ge T(\pi) - 2 \sum_i \pi_i + \pi_{(1)} + \pi_{(2)}$ with T the least
  spanning tree for the new distances and the two smallest π at the end. π is improved along the subgradient, which is
  the number of edges at i, less 2, plus 1 for the two smallest; π = 0 is the first bound.

Above: a tour by Lin-Kernighan steps (fast-tsp) with one more point at distance 0 from all, where the tour is cut.

Source: Held and Karp (1970); Volgenant and Jonker (1982) for the step; the form for paths is derived above.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from isthmus.costs.two_opt import two_opt_path
from isthmus.errors import MissingExtraError, OptionError
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.progress import Report, silent

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEVELS = 65_535
"""The solver reads distances as integers of 16 bits; the length of its path is then computed in float64."""


@dataclass(frozen=True, eq=False)
class ShortPath:
    """A path through all points.

    Attributes:
        order: The points in its order, `(n,)`.
        length: Its length, an upper bound of the shortest.
    """

    order: Integers
    length: float


def short_path(points: object, *, seconds: float = 2.0, report: Report = silent) -> ShortPath:
    """A short path through all points: the shortest of up to 8 points, nearly the shortest of thousands.

    Args:
        points: `(n, d)`.
        seconds: Time for the search; it ends sooner where it no longer improves. Results on other machines can differ.
        report: Progress.

    Raises:
        MissingExtraError: If fast-tsp is not installed and there are more than 8 points.
        OptionError: If `seconds` is not positive, or there are more than 65,534 points.
        ShapeError, DtypeError, NonFiniteError: If `points` is not a real, finite matrix.
    """
    if not seconds > 0:
        raise OptionError("seconds", seconds, "positive")
    distances = distance_matrix(points)
    n = len(distances)
    if n >= _LEVELS:
        raise OptionError("the number of points", n, f"below {_LEVELS}")
    if not distances.any():
        return ShortPath(np.arange(n), 0.0)
    if n <= 8:
        order = np.array(min(permutations(range(n)), key=lambda p: _along(distances, p)))
        return ShortPath(order, _along(distances, order))
    try:
        from fast_tsp import find_tour
    except ImportError as absent:
        raise MissingExtraError("A short path through more than 8 points", "fast-tsp", "tours") from absent
    report(0.1, "searching a tour")
    levels = np.zeros((n + 1, n + 1), np.int64)
    np.rint(distances * (_LEVELS / distances.max()), out=levels[1:, 1:], casting="unsafe")
    tour = find_tour(levels, duration_seconds=seconds, stop_when_converged=True)
    cut = tour.index(0)
    order = np.array(tour[cut + 1 :] + tour[:cut]) - 1
    return ShortPath(order, _along(distances, order))


def shortest_path_lower(
    points: object, *, upper: float | None = None, steps: int = 100, report: Report = silent
) -> float:
    """A lower bound of the length of every path through all points; a step takes O(n²), memory 8 n² bytes.

    Args:
        points: `(n, d)`.
        upper: The length of some path, which sets the size of the steps; by default of `two_opt_path`.
        steps: Of the ascent, at least 1.
        report: Progress.

    Raises:
        OptionError: If `steps` is not an integer ≥ 1.
        ShapeError, DtypeError, NonFiniteError: If `points` is not a real, finite matrix.
    """
    if not isinstance(steps, int) or steps < 1:
        raise OptionError("steps", steps, "an integer of at least 1")
    distances = distance_matrix(points)
    n = len(distances)
    if n <= 2:
        return float(distances.max())
    goal = _along(distances, two_opt_path(distances)) if upper is None else upper
    best = _two_nearest(distances)
    weights, before, share = np.zeros(n), np.zeros(n), 1.0
    kept, since = weights, 0
    for step in range(steps):
        length, degrees = _spanning_tree(distances, weights)
        ends = np.argpartition(weights, 1)[:2]
        value = length - 2 * float(weights.sum()) + float(weights[ends].sum())
        since += 1
        if value > best or step == 0:
            kept, since = weights, 0 if value > best * (1 + 1e-4) else since
            best = max(best, value)
        if since > 5:  # no progress: smaller steps from the best weights
            share, since, weights = share / 2, 0, kept
        slope = degrees - 2.0
        slope[ends] += 1
        if not slope.any():  # the tree is a path: the bound is its length
            break
        turned = 0.7 * slope + 0.3 * before
        weights = weights + share * max(goal - value, 1e-4 * goal) / float(turned @ turned) * turned
        before = slope
        report((step + 1) / steps, f"path at least {best:.5g}")
    return min(best, goal)


def distance_matrix(points: object) -> Floats:
    """Distances of all pairs of rows, `(n, n)`; also small ones to about 10 digits."""
    y = as_matrix(points, "the points").double().cpu().numpy()
    y = y - y.mean(0)
    squares = np.sum(y * y, 1)
    near: Floats = np.sqrt(np.maximum(squares[:, None] + squares - 2 * y @ y.T, 0))
    # The expansion loses small distances to rounding: those are computed again from the differences.
    row, column = np.nonzero(near <= 1e-3 * np.sqrt(squares.max()))
    for start in range(0, len(row), 100_000):
        part = slice(start, start + 100_000)
        near[row[part], column[part]] = np.linalg.norm(y[row[part]] - y[column[part]], axis=1)
    return near


def _along(distances: Floats, order: Integers | tuple[int, ...]) -> float:
    return float(sum(distances[i, j] for i, j in pairwise(order)))


def _two_nearest(distances: Floats) -> float:
    # The nearest of all is the point itself, at 0.
    nearest = np.partition(distances, 2, axis=1)[:, 1:3]
    return float(nearest.sum() - np.sort(nearest.max(1))[-2:].sum()) / 2


def _spanning_tree(distances: Floats, weights: Floats) -> tuple[float, Floats]:
    """Length of the least spanning tree for the distances plus weights at both ends, and its degrees (Prim)."""
    n = len(distances)
    degrees, parent = np.zeros(n), np.zeros(n, np.int64)
    reach = distances[0] + weights[0] + weights
    reach[0] = np.inf
    is_in = np.zeros(n, bool)
    is_in[0] = True
    length = 0.0
    for _ in range(n - 1):
        new = int(reach.argmin())
        length += float(reach[new])
        degrees[new] += 1
        degrees[parent[new]] += 1
        is_in[new] = True
        offered = distances[new] + (weights[new] + weights)
        is_nearer = (offered < reach) & ~is_in
        reach[is_nearer] = offered[is_nearer]
        parent[is_nearer] = new
        reach[new] = np.inf
    return length, degrees
