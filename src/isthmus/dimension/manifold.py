"""In how many directions rows vary near each point."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from isthmus.dimension.distinct_rows import Cloud, distinct_rows, hull_dimension
from isthmus.dimension.estimate import DimensionEstimate
from isthmus.dimension.levina_bickel import NEAREST, box_dimension, log_ratios
from isthmus.dimension.near_copies import without_near_copies
from isthmus.dimension.neighbourhoods import Neighbourhoods
from isthmus.dimension.scale_choice import highest_level, last_alike, steadiest
from isthmus.errors import OptionError
from isthmus.foundation.arrays import as_matrix


def manifold_dimension(x: object, *, highest: int | None = None, seed: int = 0) -> DimensionEstimate:
    r"""The number of directions in which the rows of x vary near each of them.

    Two measurements, both of which err to the high side where a surface bends:

    - angles: $1/d$ is the mean squared cosine between chords of a neighbourhood (`squared_cosines`), for neighbourhoods
      of 4, 8, 16, … rows. Noise takes all directions and is the larger part of small neighbourhoods, so the smallest
      scale is taken whose doubling does not lower d, or where all do, the one whose doubling lowers it least.
    - distances to the four nearest rows, calibrated on boxes (`box_dimension`), which follow bends that are as narrow
      as the rows are apart.

    The smaller of the two is the answer. Rows that are nearly another row count once (`without_near_copies`), and a few
    far rows change nothing. Where rows were placed evenly (`is_regular`), as in a design, small neighbourhoods and
    distances tell its units, so that the highest level of chords is taken. Rows that come in very different densities
    or on long thin pieces have their dimension underestimated; noise larger than the distance to a few hundred
    neighbours is dimension.

    Args:
        x: `(n, d)`, in one unit or comparable ones, whatever these are; equal rows count once. Of more than 20,000 rows
            so many are drawn, and of these 1000 in whose neighbourhoods to look.
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
    cloud = distinct_rows(as_matrix(x), generator)
    hull = min(hull_dimension(cloud.points), len(cloud.points) if highest is None else highest)
    if len(cloud.points) < NEAREST + 2 or hull < 2:
        return _flat(hull, cloud.rows)
    found = Neighbourhoods.of(cloud, hull, generator)
    copies = 0
    if not found.is_regular:
        near = found.distances[:, :NEAREST]
        kept = without_near_copies(cloud.points, found.centres, found.together, near, found.dimensions_at_large)
        if NEAREST + 2 <= len(kept) < len(cloud.points):
            copies = len(cloud.points) - len(kept)
            cloud = cloud._replace(points=cloud.points[kept], rows=cloud.rows[kept])
            found = Neighbourhoods.of(cloud, hull, generator)
    return _estimate(cloud, found, hull, copies, seed)


def _estimate(cloud: Cloud, found: Neighbourhoods, hull: int, copies: int, seed: int) -> DimensionEstimate:
    dimensions = [scale.dimension for scale in found.scales]
    chosen = highest_level(dimensions) if found.is_regular else steadiest(dimensions)
    value, error = found.scales[chosen].dimension, found.scales[chosen].error
    by_distances = None
    if not found.is_regular:
        ratio = float(log_ratios(found.distances[:, :NEAREST])[found.together].mean(1).median())
        boxed = box_dimension(ratio, len(found.centres), len(cloud.points), math.ceil(value), seed)
        by_distances = boxed if boxed is not None and boxed < value else None
    if by_distances is not None:
        value, error = by_distances, by_distances / math.sqrt((NEAREST - 1) * len(found.centres))
    lower, upper = (min(hull, max(1, round(value + side * error))) for side in (-2.0, 2.0))
    return DimensionEstimate(
        dimension=round(value),
        value=value,
        lower=lower,
        upper=upper,
        by_chords=found.scales[chosen].dimension,
        by_distances=by_distances,
        hull=hull,
        scales=found.scales,
        chosen=chosen,
        rows=cloud.rows[found.centres],
        local=torch.stack(found.local[chosen : last_alike(dimensions, chosen) + 1]).log().mean(0).exp(),
        near_copies=copies,
        is_regular=found.is_regular,
    )


def _flat(hull: int, rows: Tensor) -> DimensionEstimate:
    """Rows on a line, where there is nothing to estimate, or so few that a curve through them is as likely."""
    local = torch.full((len(rows),), float(hull), dtype=torch.float64)
    return DimensionEstimate(
        hull, float(hull), min(1, hull), hull, float(hull), None, hull, (), None, rows, local, 0, False
    )
