"""In how many directions rows vary near each point."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.dimension.abid import squared_cosines
from isthmus.dimension.estimate import DimensionEstimate, Scale
from isthmus.dimension.levina_bickel import NEAREST, box_dimension, log_ratios
from isthmus.dimension.nearest_neighbours import nearest
from isthmus.errors import OptionError
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.span import is_wide, span_axes
from isthmus.foundation.tolerance import Tolerance

_ROWS, _CENTRES = 20_000, 1_000
_SCALES = (4, 8, 16, 32, 64, 128, 256)
_TOGETHER = 32  # neighbourhoods whose angles are averaged for the dimension near one row
_SAME = Tolerance(1e-6)  # of the largest deviation: rows nearer and directions thinner are rounding


def manifold_dimension(x: object, *, highest: int | None = None, seed: int = 0) -> DimensionEstimate:
    r"""The number of directions in which the rows of x vary near each of them.

    Two measurements, both of which err to the high side where a surface bends:

    - angles: $1/d$ is the mean squared cosine between chords of a neighbourhood (`squared_cosines`), for neighbourhoods
      of 4, 8, 16, … rows. Noise takes all directions and is the larger part of small neighbourhoods, so the smallest
      scale is taken whose doubling does not lower d, or where all do, the one whose doubling lowers it least.
    - distances to the four nearest rows, calibrated on boxes (`box_dimension`), which follow bends that are as narrow
      as the rows are apart.

    The smaller of the two is the answer. Rows that come in very different densities or on long thin pieces have their
    dimension underestimated; noise larger than the distance to a few hundred neighbours is dimension.

    Args:
        x: `(n, d)`, in comparable units; equal rows count once. Of more than 20,000 rows so many are drawn, and of
            these 1000 in whose neighbourhoods to look.
        highest: What the dimension is known not to exceed, if anything is: rows that a map makes from k numbers have at
            most k.
        seed: Of these draws and of the boxes.

    Raises:
        DtypeError, ShapeError, NonFiniteError: If `x` is no finite real matrix.
        OptionError: If `highest` is negative.

    Example:
        >>> import numpy as np
        >>> from isthmus import manifold_dimension
        >>> t = np.random.default_rng(0).uniform(0, 2 * np.pi, 300)
        >>> manifold_dimension(np.stack([np.cos(t), np.sin(t)], axis=1)).dimension  # a circle; its rank is 2
        1
    """
    if highest is not None and highest < 0:
        raise OptionError("highest", highest, "at least 0")
    generator = torch.Generator().manual_seed(seed)
    points, rows = _different(as_matrix(x).double().cpu(), generator)
    hull = min(_hull(points), len(points) if highest is None else highest)
    if len(points) < NEAREST + 2 or hull < 2:
        return _flat(hull, rows)
    centres = torch.randperm(len(points), generator=generator)[:_CENTRES]
    sizes = [m for m in _SCALES if m <= max(NEAREST, len(points) // 4)]
    near, distances = nearest(points, centres, sizes[-1])
    together = _pooled(points[centres])
    scales, local = _by_scale(points, near, distances, together, sizes, hull)
    chosen = _steadiest([scale.dimension for scale in scales])
    value, error = scales[chosen].dimension, scales[chosen].error
    ratio = float(log_ratios(distances[:, :NEAREST])[together].mean(1).median())
    boxed = box_dimension(ratio, len(centres), len(points), math.ceil(value), seed)
    by_distances = boxed if boxed is not None and boxed < value else None
    if by_distances is not None:
        value, error = by_distances, by_distances / math.sqrt((NEAREST - 1) * len(centres))
    lower, upper = (min(hull, max(1, round(value + side * error))) for side in (-2.0, 2.0))
    return DimensionEstimate(
        dimension=round(value),
        value=value,
        lower=lower,
        upper=upper,
        by_chords=scales[chosen].dimension,
        by_distances=by_distances,
        hull=hull,
        scales=scales,
        chosen=chosen,
        rows=rows[centres],
        local=local[chosen],
    )


def _flat(hull: int, rows: Tensor) -> DimensionEstimate:
    """Rows on a line, where there is nothing to estimate, or so few that a curve through them is as likely."""
    local = torch.full((len(rows),), float(hull), dtype=torch.float64)
    return DimensionEstimate(hull, float(hull), min(1, hull), hull, float(hull), None, hull, (), None, rows, local)


def _pooled(centres: Tensor) -> Tensor:
    """For each centre those whose neighbourhoods are averaged with its own, itself among them, `(q, ≤ 32)`."""
    own = torch.arange(len(centres))
    return torch.cat([own[:, None], nearest(centres, own, min(_TOGETHER, len(centres)) - 1)[0]], 1)


def _by_scale(
    points: Tensor, near: Tensor, distances: Tensor, together: Tensor, sizes: list[int], hull: int
) -> tuple[tuple[Scale, ...], list[Tensor]]:
    """What chords show at each size of neighbourhoods, and the dimensions near each centre, `(q,)` a size."""
    scales, local = [], []
    for m in sizes:
        cosines = squared_cosines(points, near[:, :m])
        mean = cosines[together].mean(1)
        local.append(1.0 / mean.clamp(1.0 / hull, 1.0))
        # Neighbourhoods of m rows overlap: about n / m of them are different, of four rows all.
        separate = min(len(near), NEAREST * len(points) / m)
        error = float(cosines.std() / cosines.mean().clamp_min(1.0 / hull)) / math.sqrt(separate)
        value = float(local[-1].median())
        scales.append(Scale(m, float(distances[:, m - 1].mean()), value, value * error))
    return tuple(scales), local


def _steadiest(dimensions: list[float]) -> int:
    """Index of the scale whose doubling lowers the dimension least, the smallest of equals; of the pair the lower."""
    falls = [max(0.0, math.log(a / b)) for a, b in pairwise(dimensions)]
    if not falls:
        return 0
    least = falls.index(min(falls))
    return least + (falls[least] > 0.0)


def _different(x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows of which no two are equal up to rounding, shifted to their mean, and their numbers in `x`.

    Wide ones are in coordinates of their span.
    """
    if len(x) > _ROWS:
        drawn = torch.randperm(len(x), generator=generator)[:_ROWS].sort().values
    else:
        drawn = torch.arange(len(x))
    points = x[drawn] - x[drawn].mean(0)
    if is_wide(points):  # all that is asked are distances and angles, which its span keeps
        points = points @ span_axes(points)
    grain = float(points.abs().max()) * _SAME.relative
    if grain == 0.0:
        return points[:1], drawn[:1]
    kinds, kind = (points / grain).round().unique(dim=0, return_inverse=True)
    first = torch.full((len(kinds),), len(points)).scatter_reduce(0, kind, torch.arange(len(points)), "amin")
    return points[first], drawn[first]


def _hull(points: Tensor) -> int:
    """How many directions the rows span from their mean, thinner ones than rounding left out."""
    values = torch.linalg.svdvals(points - points.mean(0))
    return int((values > _SAME.relative * values[0]).sum()) if float(values[0]) > 0.0 else 0
