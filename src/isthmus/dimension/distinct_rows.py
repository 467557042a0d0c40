"""Rows of which no two are equal, in a unit that neither far rows nor their scale decide."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.foundation.span import is_wide, span_axes
from isthmus.foundation.tolerance import Tolerance

SAME = Tolerance(1e-6)  # of a typical deviation: rows nearer and directions thinner are rounding
_ROWS = 20_000
_FAR = 1e100  # typical deviations; squares of what is farther overflow


class Cloud(NamedTuple):
    """Rows in their own unit.

    Attributes:
        points: `(n, d)`; deviations from a row in the middle, of which the typical one has length 1.
        rows: Their numbers in the data, `(n,)`.
        unit: What 1 is in the data.
    """

    points: Tensor
    rows: Tensor
    unit: float


def distinct_rows(x: Tensor, generator: torch.Generator) -> Cloud:
    """Rows of which no two are equal up to rounding; of many, a drawn part.

    Middle and unit are medians, so that a few rows far away, however far, change neither; what is farther than 1e100
    typical deviations is brought as near as that. Wide rows are in coordinates of their span.

    Args:
        x: `(n, d)`, finite.
        generator: Draws, and puts the rows into an order in which equal distances are broken by chance: of the ten
            nearest rows of a lattice four on one side look like fewer dimensions.
    """
    drawn = torch.randperm(len(x), generator=generator)[:_ROWS]
    points = x[drawn].double().cpu()
    largest = points.abs().amax(1)
    unit = float(largest.median()) or float(largest.max()) or 1.0
    points = _within_range(points / unit)
    points = points - points.median(0).values
    points = points - points[points.norm(dim=1).argmin()]  # a row, so that what the others span is what differences do
    lengths = points.norm(dim=1)
    deviation = float(lengths[lengths > 0].median()) if bool(lengths.any()) else 1.0
    points = _within_range(points / deviation)
    if is_wide(points):  # all that is asked are distances and angles, which its span keeps
        points = points @ span_axes(shortened(points))
    _, kind = (points / SAME.relative).round().unique(dim=0, return_inverse=True)
    first = torch.full((int(kind.max()) + 1,), len(points)).scatter_reduce(0, kind, torch.arange(len(points)), "amin")
    first = first.sort().values
    return Cloud(points[first], drawn[first], unit * deviation)


def hull_dimension(points: Tensor) -> int:
    """How many directions rows span from the origin, which is one of them, thinner ones than rounding left out."""
    values = torch.linalg.svdvals(shortened(points))
    return int((values > SAME.relative * values[0]).sum()) if float(values[0]) > 0.0 else 0


def shortened(points: Tensor) -> Tensor:
    """Rows `(n, d)` that are longer than a typical one, 1, cut to that length: they span the same directions."""
    cut: Tensor = points / points.norm(dim=1, keepdim=True).clamp_min(1.0)
    return cut


def _within_range(points: Tensor) -> Tensor:
    return points.clamp(-_FAR, _FAR)
