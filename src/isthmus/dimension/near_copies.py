"""Rows that are nearly another row: they count once, as equal rows do."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from isthmus.dimension.levina_bickel import spacings
from isthmus.dimension.nearest_neighbours import nearest

_BY_CHANCE, _ACCEPTED = 1e-3, 1e-2  # probability of a spacing: by which copies are noticed, and then told apart
_TIMES, _SHARE = 3.0, 0.01  # rows with copies are more than so many times those that chance has, and than this share


def without_near_copies(
    points: Tensor, centres: Tensor, together: Tensor, distances: Tensor, dimensions: Tensor
) -> Tensor:
    r"""Which rows to keep so that of a row and its near copies one is left: all of them where there are none.

    The normalised spacings $T_j = j \log(r_{j+1} / r_j)$ of independent rows are exponential (`spacings`), whatever
    their density. Their median tells the rate, even if many are wrong, and so how many should be larger than a limit;
    where far more are, there are copies: rows nearer than a spacing that is too large for the dimension.

    Args:
        points: `(n, d)`, all different.
        centres: Rows whose neighbourhoods were looked at, `(q,)`.
        together: For each of them those whose spacings are alike, places in `centres`, `(q, m)`.
        distances: From the centres to their nearest rows, ascending, `(q, count)`; groups of `count` rows are found.
        dimensions: Near the centres, `(q,)`; not too low.

    Returns:
        Places in `points`, ascending.
    """
    everything = torch.arange(len(points))
    found = spacings(distances)
    rates = math.log(2.0) / found[together].flatten(1).median(1).values.clamp_min(1e-12)
    by_chance = 1.0 - (1.0 - _BY_CHANCE ** (rates / dimensions)) ** found.shape[1]
    is_long = found > -math.log(_BY_CHANCE) / dimensions[:, None]
    if float(is_long.any(1).double().mean()) <= _SHARE + _TIMES * float(by_chance.mean()):
        return everything
    near, between = nearest(points, everything, distances.shape[1])
    surprise = -math.log(_ACCEPTED) + 2.0 * torch.arange(1, distances.shape[1]).log()  # a gap after j rows costs j
    limits = surprise / dimensions[nearest_place(points, points[centres])][:, None]
    is_copy = (spacings(between) > limits).flip(1).cummax(1).values.flip(1)  # all rows nearer than a gap
    return _one_of_each(near[:, :-1], is_copy)


def nearest_place(points: Tensor, centres: Tensor) -> Tensor:
    """For each row the place of the centre next to it, `(n,)`."""
    return torch.cat([torch.cdist(part, centres).argmin(1) for part in points.split(4096)])


def _one_of_each(near: Tensor, is_copy: Tensor) -> Tensor:
    """The first row of every group of rows that are copies of each other."""
    row, place = is_copy.nonzero(as_tuple=True)
    ends = torch.stack([torch.cat([row, near[row, place]]), torch.cat([near[row, place], row])])
    label = torch.arange(len(near))
    while True:
        joined = label.scatter_reduce(0, ends[0], label[ends[1]], "amin")
        if bool((joined == label).all()):
            return (label == torch.arange(len(label))).nonzero().flatten()
        label = joined
