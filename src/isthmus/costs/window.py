r"""In which depths each rank has the lowest objective, from what networks of each rank cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import OptionError

HORIZON = 100_000
"""Depths beyond this are not looked at: where a rank still wins there, its window is said to have no deep end."""


@dataclass(frozen=True)
class RankLine:
    r"""What a function of rank r found at one depth costs at every larger one: $E + \lambda (r + C/L)$.

    Attributes:
        rank: r.
        depth: L₀ of the network.
        error: E, the loss.
        squared_norm: ‖w‖² at depth L₀.
    """

    rank: int
    depth: int
    error: float
    squared_norm: float

    @property
    def constant(self) -> float:
        r"""$C = \|w\|^2 - r L_0$: an identity layer on R^r costs r, so it stays the same as the network grows."""
        return self.squared_norm - self.rank * self.depth

    def value(self, depth: float, ridge: float) -> float:
        r"""The objective at depth L, $E + (\lambda/L)(rL + C)$; met for L ≥ L₀ by identity layers."""
        return self.error + ridge * (self.rank + self.constant / depth)


@dataclass(frozen=True)
class DepthRange:
    """Depths from `shallowest` to `deepest`, both included; `deepest` is None where there is no end.

    Attributes:
        rank: Whose objective is lowest there.
        shallowest: The first depth.
        deepest: The last depth, or None.
    """

    rank: int
    shallowest: int
    deepest: int | None


@dataclass(frozen=True, eq=False)
class DepthWindow:
    r"""The depths at which a rank is that of the global minimum, as far as the networks found tell.

    Attributes:
        rank: k.
        shallowest: The smallest depth of the window; None where k wins at no depth.
        deepest: The largest, or None where no smaller rank was found to win at any larger depth.
        reasons: Where k comes from and what ends the window at either side, one sentence each.
        lines: Every network found: the numbers behind.
        ridge: λ.
        searched: The depths at which networks of all ranks were searched for, ascending.
        is_complete: False where Ctrl-C ended the search early.
    """

    rank: int
    shallowest: int | None
    deepest: int | None
    reasons: tuple[str, ...]
    lines: tuple[RankLine, ...]
    ridge: float
    searched: tuple[int, ...]
    is_complete: bool = True

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks of which a network was found, ascending."""
        return tuple(sorted({line.rank for line in self.lines}))

    @property
    def found(self) -> bool:
        """Whether k wins at some depth."""
        return self.shallowest is not None

    def line(self, rank: int, depth: float) -> RankLine:
        """Of the networks found of a rank the cheapest at a depth, deeper ones only where there is no other.

        Raises:
            OptionError: If none was found of that rank.
        """
        mine = [line for line in self.lines if line.rank == rank]
        if not mine:
            raise OptionError("rank", rank, f"one of those found: {', '.join(map(str, self.ranks))}")
        return min(mine, key=lambda line: (line.depth > depth, line.value(depth, self.ridge)))

    def objective(self, rank: int, depth: int) -> float:
        """The lowest objective known of a rank at a depth; infinite where none is known. See `objectives`."""
        return float(objectives(self.lines, self.searched, self.ridge, rank, np.array([depth]))[0])

    def winner(self, depth: int) -> int:
        """The rank of lowest objective at a depth; of equal ones the lowest.

        Raises:
            OptionError: If the depth is below the shallowest that was searched.
        """
        if depth < self.searched[0]:
            raise OptionError("depth", depth, f"at least {self.searched[0]}, the shallowest that was searched")
        return min(self.ranks, key=lambda rank: (self.objective(rank, depth), rank))

    @cached_property
    def ranges(self) -> tuple[DepthRange, ...]:
        """Which rank wins where, from the shallowest depth searched on."""
        return winning_ranges(self.lines, self.searched, self.ridge)


def objectives(
    lines: tuple[RankLine, ...], searched: tuple[int, ...], ridge: float, rank: int, depths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The lowest objective known of a rank at each depth; infinite where no network of the rank is that shallow.

    The least of the lines of networks that are no deeper; between two neighbouring depths at which networks were
    searched for also the interpolation of the two values, linear in 1/L, as a shallow network has not had the room to
    become what it is worth at more depth.
    """
    mine = [line for line in lines if line.rank == rank]
    values = np.full(len(depths), np.inf)
    for line in mine:
        at = depths >= line.depth
        values[at] = np.minimum(values[at], line.error + ridge * (rank + line.constant / depths[at]))
    for shallow, deep in pairwise(searched):
        ends = [
            min((line.value(depth, ridge) for line in mine if line.depth <= depth), default=np.inf)
            for depth in (shallow, deep)
        ]
        between = (depths > shallow) & (depths < deep)
        if np.isfinite(ends).all() and between.any():
            share = (1.0 / depths[between] - 1.0 / deep) / (1.0 / shallow - 1.0 / deep)
            values[between] = np.minimum(values[between], ends[1] + share * (ends[0] - ends[1]))
    return values


def winning_ranges(lines: tuple[RankLine, ...], searched: tuple[int, ...], ridge: float) -> tuple[DepthRange, ...]:
    """The rank of lowest objective for every depth from the first one searched on, equal neighbours joined."""
    depths = np.arange(min(searched), HORIZON + 1)
    ranks = sorted({line.rank for line in lines})
    table = np.stack([objectives(lines, searched, ridge, rank, depths) for rank in ranks])
    winners = np.array(ranks)[table.argmin(0)]  # the first of equal ones: the lowest rank
    changes = [0, *(np.flatnonzero(np.diff(winners)) + 1).tolist(), len(depths)]
    return tuple(
        DepthRange(int(winners[begin]), int(depths[begin]), int(depths[end - 1]) if end < len(depths) else None)
        for begin, end in pairwise(changes)
    )


def longest_range(ranges: tuple[DepthRange, ...], rank: int) -> DepthRange | None:
    """Of the ranges in which a rank wins the one with the largest ratio of its ends; None where it wins nowhere."""
    mine = [each for each in ranges if each.rank == rank]
    return max(mine, key=lambda each: (each.deepest or 2 * HORIZON) / each.shallowest, default=None)


def window_of_constants(rank: int, constants: Mapping[int, float]) -> DepthRange | None:
    r"""The depths L ≥ 1 at which $kL + C_k < rL + C_r$ for every other rank r, where all fit the data alike.

    A smaller rank ends the window at its deep side, $L < (C_r - C_k) / (k - r)$; a larger one at its shallow side,
    $L > (C_k - C_r) / (r - k)$. With the cost $L + C_N$ of a rank-1 interpolant (Proposition 2) and $kL + C$ of the
    best construction of f* (Proposition 5) the deep end is $(C_N - C) / (k - 1)$.

    Args:
        rank: k.
        constants: C_r of each rank, k among them.

    Returns:
        The window, or None where it holds no depth.

    Raises:
        OptionError: If a rank is negative, k has no constant, or a constant is not finite.

    Source:
        Jacot (2023), Propositions 2 and 5.
    """
    if rank not in constants:
        raise OptionError("rank", rank, f"one of those with a constant: {', '.join(map(str, sorted(constants)))}")
    for r, constant in constants.items():
        if r < 0:
            raise OptionError("rank", r, "at least 0")
        if not np.isfinite(constant):
            raise OptionError(f"the constant of rank {r}", constant, "finite")
    own = constants[rank]
    largest = [(c - own) / (rank - r) for r, c in constants.items() if r < rank]
    smallest = [(own - c) / (r - rank) for r, c in constants.items() if r > rank]
    # Strictly between the two: a tie is not a win.
    shallowest = max(1, *(int(np.floor(bound)) + 1 for bound in smallest)) if smallest else 1
    deepest = min(int(np.ceil(bound)) - 1 for bound in largest) if largest else None
    return None if deepest is not None and deepest < shallowest else DepthRange(rank, shallowest, deepest)


def ranks_in_words(ranges: tuple[DepthRange, ...]) -> dict[int, str]:
    """For each rank that wins somewhere the depths at which it does: `3 to 7`, `from 12 on`."""
    ordered = sorted(ranges, key=lambda each: (each.rank, each.shallowest))
    return {rank: ", ".join(map(_words, mine)) for rank, mine in groupby(ordered, key=lambda each: each.rank)}


def _words(each: DepthRange) -> str:
    if each.deepest is None:
        return f"from {each.shallowest} on"
    return str(each.shallowest) if each.shallowest == each.deepest else f"{each.shallowest} to {each.deepest}"
