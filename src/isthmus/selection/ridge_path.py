"""The rank of the trained network over the ridge: a staircase."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import torch

from isthmus.errors import OptionError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected
from isthmus.selection.direction_sizes import direction_sizes
from isthmus.training import (
    WARM_SCHEDULE,
    FittedNetwork,
    Objective,
    Schedule,
    constant_loss,
    warm_start_fit,
)
from isthmus.training.stages import Stages

FACTORS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Multiples of the network's own λ."""
SHORT_SCHEDULE = replace(WARM_SCHEDULE, steps=100, rounds=1)
"""For one step of the path: the network before is close already."""
_SIZES = 32  # directions that are kept


@dataclass(frozen=True)
class RidgePoint:
    r"""The network at one λ.

    Attributes:
        ridge: λ.
        value: $\mathcal L_\lambda(w)$.
        error: Its data term, on the training rows.
        sizes: $\rho_j$, relative sizes of the derivative's directions, descending (`direction_sizes`); all zero where
            the network is no better than the best constant.
        rank: How many of them are above the tolerance.
    """

    ridge: float
    value: float
    error: float
    sizes: tuple[float, ...]
    rank: int


@dataclass(frozen=True)
class RankPath:
    r"""Ranks from a weak ridge to a strong one.

    In the limit of large depth the objective of a function of rank k is its error plus λ k. The least over k is an
    envelope of straight lines in λ, one for each k, so the rank of the minimiser falls in whole steps as λ rises: a
    staircase. A rank that holds over a long range of λ is one that no other choice of λ would change.

    Attributes:
        points: At ascending λ.
        tolerance: ε of the ranks.
        is_complete: Whether every λ that was asked for was reached.

    Source:
        Jacot (2023), representation cost at large depth.
    """

    points: tuple[RidgePoint, ...]
    tolerance: Tolerance
    is_complete: bool

    @property
    def plateau(self) -> int:
        """The rank ≥ 1 that holds over the longest range of log λ, of equal ranges that at the weaker λ; 0 if none.

        Between two points of different rank the step is taken to be half way, in log λ.
        """
        logs = [math.log(point.ridge) for point in self.points]
        ends = [logs[0], *((a + b) / 2.0 for a, b in pairwise(logs)), logs[-1]]
        best, longest, index = 0, -math.inf, 0
        for rank, group in groupby(point.rank for point in self.points):
            after = index + len(list(group))
            if rank >= 1 and ends[after] - ends[index] > longest:
                best, longest = rank, ends[after] - ends[index]
            index = after
        return best

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "points": [{**asdict(point), "sizes": list(point.sizes)} for point in self.points],
            "plateau": self.plateau,
        }


@flushed_denormals()
@torch.no_grad()
def rank_path(
    fitted: FittedNetwork,
    *,
    factors: Sequence[float] = FACTORS,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    schedule: Schedule = SHORT_SCHEDULE,
    checkpoint: Path | None = None,
    key: str = "",
    report: Report = silent,
) -> RankPath:
    """Train `fitted` on under a stronger and stronger ridge, each time from the network before, and count directions.

    Args:
        fitted: A trained network of λ > 0.
        factors: Positive multiples of its λ, in any order.
        tolerance: ε: a direction counts if its size is above ε of the first.
        schedule: For each step.
        checkpoint: File to resume from and to save to after each λ.
        key: Names the computation in the checkpoint.
        report: Told the fraction done.

    Returns:
        The path; after Ctrl-C the part that was reached.

    Raises:
        OptionError: If a factor or the network's λ is not a positive number, or there is no factor.
        KeyboardInterrupt: If not even the first λ was reached.
    """
    if not factors or not all(0.0 < factor < math.inf for factor in factors):
        raise OptionError("factors", list(factors), "one or more positive numbers")
    if fitted.ridge <= 0.0:
        raise OptionError("the network's ridge", fitted.ridge, "above 0: a path multiplies it")
    ascending = sorted(set(factors))
    kept = Stages(checkpoint, key=key, device=fitted.network.device)
    network, points = fitted.network, list[RidgePoint]()
    try:
        for index, factor in enumerate(ascending):
            objective = fitted.objective.with_ridge(factor * fitted.ridge)
            told = part(report, index / len(ascending), (index + 1) / len(ascending))
            made = partial(warm_start_fit, network, objective, schedule=schedule, report=told)
            network = kept.network(repr(objective.ridge), made)
            points.append(_point(network, objective, tolerance))
    except KeyboardInterrupt:
        if not points:
            raise
    return RankPath(tuple(points), tolerance, len(points) == len(ascending))


def _point(network: FullyConnected, objective: Objective, tolerance: Tolerance) -> RidgePoint:
    value, count = objective.value(network), min(_SIZES, *network.widths)
    if value >= constant_loss(objective.y, objective.weights):
        # The derivative of a network that has collapsed is rounding, and its relative sizes would be chance.
        sizes = [0.0] * count
    else:
        sizes = direction_sizes(network, objective, objective.sample()[0], count).tolist()
    rank = sum(size > tolerance.relative for size in sizes)
    return RidgePoint(objective.ridge, value, objective.error(network), tuple(sizes), rank)
