"""Why a depth window is where it is, in words."""

from __future__ import annotations

import math

import torch

from isthmus.costs.window import DepthRange, DepthWindow
from isthmus.training import Objective


def ends_in_words(window: DepthWindow, own: DepthRange | None, *, followed: int) -> list[str]:
    """What ends the window at either side; beyond the depth `followed` the lines are extrapolated."""
    if own is None:
        winners = sorted({each.rank for each in window.ranges})
        named = f"rank{'s' * (len(winners) > 1)} {', '.join(map(str, winners))}"
        return [f"Rank {window.rank} has the lowest objective at no depth from {window.searched[0]} on; {named} do."]
    return [_shallow_end(window, own), _deep_end(window, own, followed)]


def _shallow_end(window: DepthWindow, own: DepthRange) -> str:
    if own.shallowest == window.searched[0]:
        return f"It has it at depth {own.shallowest} already, the shallowest that was searched."
    return f"{_cheaper(window, own.shallowest - 1)}."


def _deep_end(window: DepthWindow, own: DepthRange, followed: int) -> str:
    if own.deepest is not None:
        return f"{_cheaper(window, own.deepest + 1)}{' (extrapolated)' * (own.deepest >= followed)}."
    rivals = [line for line in window.lines if line.rank < window.rank]
    best = min(rivals, key=lambda line: line.error + window.ridge * line.rank, default=None)
    left = "" if best is None else f": the closest, of rank {best.rank}, leaves a loss of {best.error:.3g}"
    return f"No network of smaller rank that was found is cheaper at any larger depth{left}."


def _cheaper(window: DepthWindow, depth: int) -> str:
    other = window.winner(depth)
    mine, its = window.objective(window.rank, depth), window.objective(other, depth)
    instead = f"instead of {mine:.4g}" if math.isfinite(mine) else "where no network of the rank was found"
    return f"At depth {depth} rank {other} is cheaper: objective {its:.4g} {instead}"


def doubts_in_words(objective: Objective) -> list[str]:
    """What the data themselves forbid: a function has one output at each input."""
    x, y = objective.sample()
    distinct, number = x.unique(dim=0, return_inverse=True)
    if len(distinct) == len(x):
        return []
    pairs = torch.cat([number[:, None].double(), y.reshape(len(y), -1).double()], 1).unique(dim=0)
    clashes = len(pairs) - len(distinct)
    if clashes == 0:
        return []
    rows = "1 row repeats" if clashes == 1 else f"{clashes} rows repeat"
    return [
        f"{rows} inputs with other outputs, so no function fits the data: no interpolant of rank 1 ends the window."
    ]
