"""The minimum followed over λ, in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from isthmus.errors import OptionError
from isthmus.foundation.progress import Report, part, silent
from isthmus.networks import (
    RELU,
    Activation,
    FullyConnected,
    Scaling,
)
from isthmus.training.config import DEFAULT_PLAN, Plan
from isthmus.training.fitting import check_options
from isthmus.training.loop import Training
from isthmus.training.objective import Objective
from isthmus.training.problem import Problem
from isthmus.training.stages import Stages
from isthmus.training.warm_start import WARM_PLAN, improved


@dataclass(frozen=True, eq=False)
class PathPoint:
    r"""The best network found at one λ.

    Attributes:
        ridge: λ.
        network: In the units of the standardised data.
        value: Its objective.
        error: Its data term.
        rising, falling: The objective reached on the way up from the smallest λ and on the way back from the largest;
            None where Ctrl-C came first.
        found: Which of the two it is.
    """

    ridge: float
    network: FullyConnected
    value: float
    error: float
    rising: float
    falling: float | None
    found: Literal["rising", "falling"]


def ridge_path(
    x: object,
    y: object | None = None,
    *,
    sample_weight: object | None = None,
    ridges: Sequence[float],
    task: str = "regression",
    depth: int = 13,
    width: int = 100,
    seed: int = 0,
    standardize: Scaling = "columns",
    activation: Activation = RELU,
    plan: Plan = DEFAULT_PLAN,
    warm: Plan = WARM_PLAN,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    key: str = "",
    report: Report = silent,
) -> list[PathPoint]:
    r"""The best network at each λ, by warm starts from the smallest λ up and then from the largest down.

    From a weak ridge the rank falls only where a direction no longer pays; from a strong one it rises only where it
    pays again. Where the two disagree the lower objective is kept: both are upper bounds of the minimum.

    Args:
        x: As for `fit`.
        y: As for `fit`.
        sample_weight: As for `fit`.
        task: As for `fit`.
        depth: As for `fit`.
        width: As for `fit`.
        seed: As for `fit`.
        standardize: As for `fit`.
        activation: As for `fit`.
        device: As for `fit`.
        ridges: The λ > 0, in any order.
        plan: For the random start, at the smallest λ.
        warm: For each warm start.
        checkpoint: File to resume from and to save to after each λ, on both ways; a λ that was not done is done again.
        key: As for `fit`.
        report: Told the fraction done.

    Returns:
        One point for each λ, ascending; after Ctrl-C for those reached on the way up.

    Raises:
        OptionError: If there is no λ, or one is not a positive number.
        FileFormatError: If the checkpoint is damaged.
        As `fit` otherwise.
    """
    ascending = sorted({float(ridge) for ridge in ridges})
    if not ascending or ascending[0] <= 0.0:
        raise OptionError("ridges", list(ridges), "one or more positive numbers")
    check_options(task, depth, width, ascending[-1])
    problem = Problem.of(
        x, y, task=task, ridge=ascending[0], standardize=standardize, device=device, sample_weight=sample_weight
    )
    objectives = [problem.objective.with_ridge(ridge) for ridge in ascending]
    starts = problem.starts(depth, width, activation, [seed])
    stages = 2 * len(ascending)
    first = part(report, 0.0, 1.0 / stages)
    kept = Stages(checkpoint, key=key, device=device)

    def start() -> FullyConnected:
        training = Training(starts, objectives[0], plan, seed=seed, save=lambda progress: None, report=first)
        if not training.run():
            raise KeyboardInterrupt
        return training.networks[0]

    def stage(index: int, before: FullyConnected, objective: Objective) -> FullyConnected:
        told = part(report, index / stages, (index + 1) / stages)
        make = partial(improved, before, objective, plan=warm, seed=seed, report=told)
        return kept.network(f"{index}: {objective.ridge!r}", make)

    rising = [kept.network(f"0: {ascending[0]!r}", start)]
    falling: list[FullyConnected] = []
    try:
        for index, objective in enumerate(objectives[1:], start=1):
            rising.append(stage(index, rising[-1], objective))
        falling.append(rising[-1])
        for index, objective in enumerate(reversed(objectives[:-1]), start=len(ascending)):
            falling.append(stage(index, falling[-1], objective))
    except KeyboardInterrupt:
        pass  # what was found so far is the result
    back: list[FullyConnected | None] = [None] * (len(ascending) - len(falling))
    triples = zip(objectives, rising, [*back, *reversed(falling)], strict=False)
    return [_better(objective, up, down) for objective, up, down in triples]


def _better(objective: Objective, up: FullyConnected, down: FullyConnected | None) -> PathPoint:
    risen = objective.value(up)
    if down is None:
        return PathPoint(objective.ridge, up, risen, objective.error(up), risen, None, "rising")
    fallen = objective.value(down)
    if risen <= fallen:
        return PathPoint(objective.ridge, up, risen, objective.error(up), risen, fallen, "rising")
    return PathPoint(objective.ridge, down, fallen, objective.error(down), risen, fallen, "falling")
