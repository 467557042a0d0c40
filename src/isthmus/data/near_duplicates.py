"""Rows that nearly repeat another: each is judged by a network that has seen its copy."""

from __future__ import annotations

import math

import numpy as np

from isthmus.data.dataset import Floats, Integers
from isthmus.data.merging import row_bytes

_NEIGHBOURS = 10
_BY_CHANCE = 0.01  # share of rows whose nearest neighbour is so much nearer than the tenth, if rows are independent
_TOLD = 0.05
_LARGEST_RATIO = 0.1
_LOOKED_AT, _BUDGET = 500, 4_000_000_000  # rows, and products of numbers: about a second
_LEAST = 40
_BLOCK = 20_000_000  # distances at a time


def near_duplicates(x: Floats, groups: Integers | None = None) -> float:
    r"""The share of rows that are much nearer to another than independent rows are; 0 if it could be chance.

    With rows from a density of dimension D the first of m neighbours is nearer than $t$ times the m-th with
    probability about $m t^D$. D follows from the median ratio of the fifth and the tenth distance, and is at most the
    number of columns in which nearest neighbours differ; t follows from the probability, 1 %, and rows are counted that
    are nearer than that. Rows that are equal are one.

    Args:
        x: Inputs `(n, d)`.
        groups: Rows of one group may be near, `(n,)`.
    """
    _, first = np.unique(row_bytes(x), return_index=True)
    if len(first) < _LEAST:
        return 0.0
    rows = x[np.sort(first)].astype(np.float64)
    of_row = None if groups is None else groups[np.sort(first)]
    spread = rows.std(0)
    rows -= rows.mean(0)
    rows /= np.where(spread > 0, spread, 1.0)
    looked_at = int(np.clip(_BUDGET // max(1, rows.size), 20, min(_LOOKED_AT, len(rows))))
    chosen = np.linspace(0, len(rows) - 1, looked_at).astype(int)
    ordered, sizes = _neighbours(rows, chosen)
    fifth, last = sizes[:, _NEIGHBOURS // 2 - 1], sizes[:, -1]
    is_spread = last > 0
    if not is_spread.any():
        return 0.0
    middle = float(np.median(fifth[is_spread] / last[is_spread]))
    dimension = math.log(2.0) / -math.log(middle) if 0 < middle < 1 else math.inf
    differing = (rows[ordered[:, 0]] != rows[chosen]).sum(
        1
    )  # categories that agree: the density is on lines and planes
    dimension = min(dimension, max(1.0, float(np.median(differing))))
    ratio = min(_LARGEST_RATIO, (_BY_CHANCE / _NEIGHBOURS) ** (1.0 / dimension))
    is_near = is_spread & (sizes[:, 0] < ratio * last)
    if of_row is not None:
        is_near &= of_row[ordered[:, 0]] != of_row[chosen]
    share = float(is_near.mean())
    return share if share > _TOLD else 0.0


def _neighbours(rows: Floats, chosen: Integers) -> tuple[Integers, Floats]:
    """The nearest rows of the chosen ones `(c, 10)`, the nearest first, and their distances."""
    squares, found, sizes = np.einsum("ij,ij->i", rows, rows), [], []
    for some in np.array_split(chosen, -(-len(chosen) * len(rows) // _BLOCK)):
        distances = -2.0 * rows[some] @ rows.T
        distances += squares
        distances += squares[some][:, None]
        distances[np.arange(len(some)), some] = np.inf
        nearest = np.argpartition(distances, _NEIGHBOURS, 1)[:, :_NEIGHBOURS]
        own = np.take_along_axis(distances, nearest, 1)
        order = np.argsort(own, 1)
        found.append(np.take_along_axis(nearest, order, 1))
        sizes.append(np.sqrt(np.maximum(np.take_along_axis(own, order, 1), 0.0)))
    return np.concatenate(found), np.concatenate(sizes)
