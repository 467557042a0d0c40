"""Neighbourhoods of some of the rows, and what their chords show."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.dimension.abid import squared_cosines
from isthmus.dimension.distinct_rows import Cloud
from isthmus.dimension.estimate import Scale
from isthmus.dimension.levina_bickel import NEAREST, spacings
from isthmus.dimension.nearest_neighbours import nearest
from isthmus.dimension.scale_choice import is_regular

_CENTRES = 1_000
_SCALES = (4, 8, 16, 32, 64, 128, 256)
_LARGE = 3  # the scale whose chords near copies hardly spoil
_TOGETHER = 32  # neighbourhoods whose angles are averaged for the dimension near one row


class Neighbourhoods(NamedTuple):
    """Neighbourhoods of some rows, the centres.

    Attributes:
        centres: Places of the rows, `(q,)`.
        together: For each of them those whose neighbourhoods are averaged with its own, `(q, ≤ 32)`.
        distances: To its nearest rows, `(q, m)`.
        scales: What chords show at each size.
        local: The same near each centre, `(q,)` a size.
        is_regular: Whether the rows were placed evenly.
    """

    centres: Tensor
    together: Tensor
    distances: Tensor
    scales: tuple[Scale, ...]
    local: tuple[Tensor, ...]
    is_regular: bool

    @classmethod
    def of(cls, cloud: Cloud, hull: int, generator: torch.Generator) -> Neighbourhoods:
        """Look at drawn rows of a cloud, of which no row needs more than `hull` numbers."""
        points = cloud.points
        sizes = [m for m in _SCALES if m <= max(NEAREST, len(points) // 4)]
        centres = torch.randperm(len(points), generator=generator)[:_CENTRES]
        together = _pooled(points[centres])
        near, distances = nearest(points, centres, sizes[-1])
        scales, local = [], []
        for m in sizes:
            cosines = squared_cosines(points, near[:, :m])
            local.append(1.0 / cosines[together].mean(1).clamp(1.0 / hull, 1.0))
            # Neighbourhoods of m rows overlap: about n / m of them are different, of four rows all.
            separate = min(len(near), NEAREST * len(points) / m)
            error = float(cosines.std() / cosines.mean().clamp_min(1.0 / hull)) / math.sqrt(separate)
            value, radius = float(local[-1].median()), float(distances[:, m - 1].median()) * cloud.unit
            scales.append(Scale(m, radius, value, value * error))
        regular = is_regular(spacings(distances[:, :2])[:, 0], scales[0].dimension)
        return cls(centres, together, distances, tuple(scales), tuple(local), regular)

    @property
    def dimensions_at_large(self) -> Tensor:
        """By chords of neighbourhoods so large that a few wrong rows in them hardly count, `(q,)`."""
        return self.local[min(_LARGE, len(self.local) - 1)]


def _pooled(centres: Tensor) -> Tensor:
    """For each centre those whose neighbourhoods are averaged with its own, itself among them, `(q, ≤ 32)`."""
    own = torch.arange(len(centres))
    return torch.cat([own[:, None], nearest(centres, own, min(_TOGETHER, len(centres)) - 1)[0]], 1)
