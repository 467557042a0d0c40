"""The dimension that distances to the nearest rows show, corrected by those in boxes of known dimension."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from isthmus.dimension.nearest_neighbours import nearest

NEAREST = 4
_DRAWS = 1000  # rows of boxes whose distances are averaged: a standard error of 2 %
_ERRORS = 2.0  # standard errors by which the data must differ from a box


def spacings(distances: Tensor) -> Tensor:
    r"""Normalised spacings $j \log(r_{j+1} / r_j)$ of distances to the nearest rows, `(q, m - 1)`.

    Where rows lie evenly these are independent and exponential with mean 1/d (Rényi): so many shares of a volume.

    Args:
        distances: `(q, m)`, positive and ascending.
    """
    steps = torch.arange(1, distances.shape[1], dtype=distances.dtype)
    return steps * (distances[:, 1:] / distances[:, :-1]).log()


def log_ratios(distances: Tensor) -> Tensor:
    r"""Mean of $\log(r_4 / r_j)$ over j = 1, 2, 3 for each row, `(q,)`; on average 1/d if rows lie evenly.

    Args:
        distances: To the four nearest rows, `(q, 4)`, positive and ascending.

    Source:
        Levina and Bickel (2004), with MacKay and Ghahramani's average (2005): the mean of 1/d, not of d.
    """
    return (distances[:, -1:] / distances[:, :-1]).log().mean(1)


def box_dimension(ratio: float, centres: int, rows: int, highest: int, seed: int) -> float | None:
    """The dimension of the evenly filled box in which the mean of `log_ratios` is what it is in the data.

    With few rows in many dimensions all rows lie near an edge, where there are fewer neighbours than the formula
    expects: 1000 rows in a box of 20 dimensions look like 15. Edges are most of a box, less of a ball and none of a
    sphere, so that what a box explains is on the high side.

    Args:
        ratio: That of the data.
        centres: Of how many rows of the data it is the mean.
        rows: How many rows the box holds.
        highest: Dimension above which no answer is needed.
        seed: Of the draws.

    Returns:
        A value between whole dimensions is interpolated; None where the ratio is not larger than in the box of
        dimension `highest` by more than two standard errors of the difference.

    Source:
        Camastra and Vinciarelli (2002), calibration on data of known dimension.
    """
    generator = torch.Generator().manual_seed(seed)
    top = _ratio_in_box(rows, highest, generator)
    # The logarithms of three independent ratios are exponential: their mean has 1/√3 of itself as standard deviation.
    error = math.sqrt((1.0 / centres + 1.0 / _DRAWS) / (NEAREST - 1))
    if ratio <= top * (1.0 + _ERRORS * error):
        return None
    low, high = max(1, min(math.floor(1.0 / ratio), highest)), highest
    bottom = _ratio_in_box(rows, low, generator)
    while high - low > 1:
        middle = (low + high) // 2
        if (between := _ratio_in_box(rows, middle, generator)) > ratio:
            low, bottom = middle, between
        else:
            high, top = middle, between
    if low == high or bottom <= top:
        return float(low)
    share = (1.0 / ratio - 1.0 / bottom) / (1.0 / top - 1.0 / bottom)
    return low + (high - low) * min(1.0, max(0.0, share))


def _ratio_in_box(rows: int, dimension: int, generator: torch.Generator) -> float:
    ratios = []
    for _ in range(max(1, math.ceil(_DRAWS / rows))):
        points = torch.rand(rows, dimension, generator=generator, dtype=torch.float64)
        ratios.append(float(log_ratios(nearest(points, torch.arange(min(rows, _DRAWS)), NEAREST)[1]).mean()))
    return sum(ratios) / len(ratios)
