"""Which size of neighbourhoods shows the dimension: neither the noise of small ones nor the bends of large ones."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

_REGULAR = 0.15  # mean spacings
_LEVEL = math.log(1.05)  # a change of less is none


def is_regular(first_spacings: Tensor, dimension: float) -> bool:
    """Whether rows lie so evenly that they were placed: a design, a lattice, an evenly sampled curve.

    Spacings of independent rows have the mean 1/d (`spacings`) and a median of 0.7 of it; those of a lattice are 0.

    Args:
        first_spacings: Between the nearest row and the next, `(q,)`.
        dimension: d, by the smallest neighbourhoods.
    """
    return float(first_spacings.median()) * dimension < _REGULAR


def steadiest(dimensions: list[float]) -> int:
    """Index of the scale whose doubling lowers the dimension least, the smallest of equals; of the pair the lower."""
    falls = [max(0.0, math.log(a / b)) for a, b in pairwise(dimensions)]
    if not falls:
        return 0
    least = falls.index(min(falls))
    return least + (falls[least] > 0.0)


def highest_level(dimensions: list[float]) -> int:
    """Index of the median scale of the highest run over which doublings change the dimension little.

    Small neighbourhoods of a design hold rows along its finest unit only, where they show too few dimensions; noise,
    which would show too many, it has none, or it were no design. Where there is no such run, the `steadiest`.
    """
    runs, run = [], [0]
    for i, (a, b) in enumerate(pairwise(dimensions), 1):
        run = [*run, i] if abs(math.log(a / b)) < _LEVEL else [i]
        runs.append(run)
    if all(len(run) == 1 for run in runs):
        return steadiest(dimensions)
    highest = max((run for run in runs if len(run) > 1), key=lambda run: (max(dimensions[i] for i in run), len(run)))
    return sorted(highest, key=lambda i: dimensions[i])[(len(highest) - 1) // 2]


def last_alike(dimensions: list[float], chosen: int) -> int:
    """Index of the last of the scales from the chosen one on that show its dimension, near enough."""
    last = chosen
    while last + 1 < len(dimensions) and abs(math.log(dimensions[last + 1] / dimensions[chosen])) < _LEVEL:
        last += 1
    return last
