"""A deep autoencoder as near to the global minimum as two starts come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from isthmus.foundation.progress import silent
from isthmus.training import WARM_SCHEDULE, FittedNetwork, Schedule, TrainingConfig, fit, insert_identity_layers
from isthmus.training.fitting import fitted_network
from isthmus.training.loop import Training
from isthmus.training.problem import Problem
from isthmus.training.span import Span


def autoencoder(x: Tensor, *, depth: int, width: int, weight: float, schedule: Schedule, seed: int) -> FittedNetwork:
    r"""$\min_w \frac1N \sum \|f(x_i) - x_i\|^2$ + `weight` $\|w\|^2$ from a random start; x `(n, d)` as it is."""
    return fit(x, config=_config(x, depth, width, weight, schedule), task="autoencoder", seed=seed)


def grown_autoencoder(
    x: Tensor, *, depth: int, width: int, weight: float, schedule: Schedule, seed: int
) -> FittedNetwork:
    """The same from a network of depth 2, trained and then grown to the depth by identity layers.

    It begins with every direction that the shallow network has, where a random start has to find them.
    """
    shallow = autoencoder(x, depth=2, width=width, weight=weight, schedule=schedule, seed=seed).network
    problem = Problem.of(x, None, config=_config(x, depth, width, weight, schedule), task="autoencoder")
    span = Span.of(problem.objective)
    start = span.inside(insert_identity_layers(shallow, x, depth))
    warm = replace(WARM_SCHEDULE, steps=schedule.steps, rounds=schedule.rounds)
    training = Training([start], span.objective, warm, seed=seed, save=lambda progress: None, report=silent)
    is_complete = training.run()
    return fitted_network(problem, span, training, 0, is_complete=is_complete)


def _config(x: Tensor, depth: int, width: int, weight: float, schedule: Schedule) -> TrainingConfig:
    """λ such that `weight` is the factor of ‖w‖² at every depth."""
    return TrainingConfig(
        depth=depth, width=width, ridge=weight * depth, standardize="none", schedule=schedule, device=str(x.device)
    )


def deep_autoencoder(
    x: Tensor, *, depth: int, width: int, weight: float, schedule: Schedule, seed: int
) -> tuple[FittedNetwork, Mapping[str, float]]:
    """The one of lower objective of a random and a grown start, and the objectives of both by name."""
    found = {
        name: start(x, depth=depth, width=width, weight=weight, schedule=schedule, seed=seed)
        for name, start in (("random", autoencoder), ("grown", grown_autoencoder))
    }
    best = min(found.values(), key=lambda fitted: fitted.value)
    return best, {name: fitted.value for name, fitted in found.items()}
