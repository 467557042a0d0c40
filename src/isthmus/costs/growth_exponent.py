r"""How the shortest path through N points grows: like $N^{1 - 1/k}$ on a set of dimension k."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.costs.tour import short_path, shortest_path_lower
from isthmus.errors import OptionError, ShapeError, TooFewRowsError
from isthmus.foundation.progress import Report, part, silent

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Slope:
    """The slope of log length over log N.

    Attributes:
        value: By least squares.
        error: Its standard error from the scatter about the line; it does not see a curvature common to all.
    """

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class PathGrowth:
    """Lengths of shortest paths for growing N.

    Attributes:
        sizes: N, `(m,)`.
        lower: Lower bounds of the lengths, `(m,)`.
        upper: Lengths of paths found, `(m,)`.
    """

    sizes: NDArray[np.int64]
    lower: Floats
    upper: Floats

    @property
    def slope_lower(self) -> Slope:
        """Of the lower bounds."""
        return log_slope(self.sizes, self.lower)

    @property
    def slope_upper(self) -> Slope:
        """Of the paths found."""
        return log_slope(self.sizes, self.upper)


def log_slope(sizes: object, lengths: object) -> Slope:
    """The slope of log(lengths) over log(sizes) and its standard error.

    Raises:
        ShapeError: If they are not two vectors of equal length.
        TooFewRowsError: If there are fewer than 3 of them, or all sizes agree.
        OptionError: If one is not positive and finite.
    """
    n, length = np.asarray(sizes, np.float64), np.asarray(lengths, np.float64)
    if n.ndim != 1 or n.shape != length.shape:
        raise ShapeError(
            f"sizes and lengths have shapes {n.shape} and {length.shape}; give two vectors of equal length."
        )
    if len(n) < 3 or len(np.unique(n)) < 2:
        raise TooFewRowsError("The list of sizes", len(np.unique(n)), 3)
    for what, values in (("a size", n), ("a length", length)):
        if not (np.isfinite(values) & (values > 0)).all():
            raise OptionError(what, float(values[~(np.isfinite(values) & (values > 0))][0]), "positive and finite")
    u, v = np.log(n) - np.log(n).mean(), np.log(length) - np.log(length).mean()
    slope = float(u @ v / (u @ u))
    scatter = float(np.sum((v - slope * u) ** 2)) / (len(n) - 2)
    return Slope(slope, float(np.sqrt(scatter / (u @ u))))


def path_growth(
    sizes: Sequence[int],
    sample: Callable[[int], object],
    *,
    steps: int = 100,
    seconds: float = 2.0,
    report: Report = silent,
) -> PathGrowth:
    """Bounds of the shortest path through `sample(N)` for every N of `sizes`.

    Args:
        sizes: N; repeat one for more samples of it.
        sample: Gives N points `(N, d)`: fresh ones, or the first N of a fixed list for nested subsets.
        steps: Of the ascent of the lower bound.
        seconds: For each path.
        report: Progress.

    Raises:
        TooFewRowsError: If there are fewer than 3 sizes.
        MissingExtraError: If fast-tsp is not installed and a size is above 8.
    """
    if len(sizes) < 3:
        raise TooFewRowsError("The list of sizes", len(sizes), 3)
    lower, upper = [], []
    for i, n in enumerate(sizes):
        points = sample(n)
        step = part(report, i / len(sizes), (i + 1) / len(sizes))
        upper.append(short_path(points, seconds=seconds, report=part(step, 0, 0.3)).length)
        lower.append(shortest_path_lower(points, upper=upper[-1], steps=steps, report=part(step, 0.3, 1)))
    return PathGrowth(np.array(sizes), np.array(lower), np.array(upper))
