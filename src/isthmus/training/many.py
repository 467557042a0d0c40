"""Many networks of one shape trained at once: seeds × λ in one batched tensor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from isthmus.errors import OptionError
from isthmus.foundation.progress import Report, silent
from isthmus.networks import RELU, Activation, Scaling
from isthmus.training.checkpoint import load_checkpoint, saver
from isthmus.training.config import DEFAULT_PLAN, Plan
from isthmus.training.fitting import FittedNetwork, check_options, fitted_network
from isthmus.training.loop import Training
from isthmus.training.problem import Problem
from isthmus.training.span import Span


def fit_many(
    x: object,
    y: object | None = None,
    *,
    sample_weight: object | None = None,
    ridges: Sequence[float],
    seeds: Sequence[int] = (0,),
    task: str = "regression",
    depth: int = 13,
    width: int = 100,
    standardize: Scaling = "columns",
    activation: Activation = RELU,
    plan: Plan = DEFAULT_PLAN,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    key: str = "",
    report: Report = silent,
) -> list[list[FittedNetwork]]:
    """Train a network for each λ and each seed, all in one batched tensor.

    The data are read and multiplied once a layer for all networks. On a CPU this pays where a single network is too
    small to fill the processor; for large ones it is neither faster nor slower.

    Args:
        x: As for `fit`.
        y: As for `fit`.
        sample_weight: As for `fit`.
        ridges: The λ, ≥ 0 each.
        seeds: The starts.
        task: As for `fit`.
        depth: As for `fit`.
        width: As for `fit`.
        standardize: As for `fit`.
        activation: As for `fit`.
        plan: As for `fit`.
        device: As for `fit`.
        checkpoint: As for `fit`.
        key: As for `fit`.
        report: As for `fit`.

    Returns:
        For each λ the networks of all seeds.

    Raises:
        As `fit`.
    """
    if not ridges or not seeds:
        raise OptionError("ridges" if not ridges else "seeds", "empty", "at least one number")
    for ridge in ridges:
        check_options(task, depth, width, ridge)
    problem = Problem.of(
        x, y, task=task, ridge=ridges[0], standardize=standardize, device=device, sample_weight=sample_weight
    )
    span = Span.of(problem.objective)
    starts = [span.inside(network) for network in problem.starts(depth, width, activation, seeds)]
    training = Training(
        starts * len(ridges),
        span.objective,
        plan,
        ridges=[float(ridge) for ridge in ridges for _ in seeds],
        seed=seeds[0],
        save=saver(checkpoint, key=key),
        report=report,
    )
    if checkpoint is not None and (progress := load_checkpoint(checkpoint, key=key)) is not None:
        training.resume(progress)
    is_complete = training.run()
    count = len(training.networks)
    found = [fitted_network(problem, span, training, i, is_complete=is_complete) for i in range(count)]
    return [found[i : i + len(seeds)] for i in range(0, len(found), len(seeds))]
