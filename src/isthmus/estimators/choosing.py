"""Depth and λ by how well the rows held out in the first fold are predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch

from isthmus.datasets import Task
from isthmus.datasets.dataset import Integers
from isthmus.estimators.sample import Sample, fitted_sample
from isthmus.factoring.losses import likelihood_losses
from isthmus.functions import Scaling, standardization
from isthmus.progress import Report, part
from isthmus.runs import FitOptions
from isthmus.training import FittedNetwork, constant_loss
from isthmus.weighted_means import weighted_mean

DEPTHS: dict[Task, int] = {"regression": 6, "classification": 3, "autoencoder": 6}
"""L where none is asked for. Between a λ that lets logits grow and one that leaves a constant, depth 6 finds little."""
LADDERS: dict[Task, tuple[float, ...]] = {
    "regression": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1),
    "classification": (2e-3, 6e-3, 2e-2, 6e-2, 2e-1),
    "autoencoder": (3e-3,),
}
"""λ to choose from where none is asked for, in losses of the best constant: where there is noise, or classes can be
told apart without an error, a small one would be fitted by ever larger weights."""
_STARTS: dict[Task, int] = {"regression": 1, "classification": 2, "autoencoder": 0}
_AS_GOOD = 1.05  # of the least error: a smaller λ that predicts nearly as well keeps directions that a larger one loses
_MUCH = 0.5  # of the constant's loss: an error above it has more than one valley over λ
_TRIED = 4  # networks that a climb takes, mostly; for the progress


def climbed(
    rungs: Sequence[FitOptions], error: Callable[[FitOptions], float], *, start: int, much: float
) -> FitOptions:
    """The rung of a ladder to stop at.

    Up from `start` while the error falls; if it does not at first, down while it falls. If the error is large there,
    every rung is tried. Then down while it stays within 5 % of the least that was found.

    Args:
        rungs: Ascending in λ.
        error: Of each; asked for more than once.
        start: Index of the first.
        much: The error from which on it is large.
    """
    if len(rungs) == 1:
        return rungs[0]  # no network need be judged
    at = start
    while at + 1 < len(rungs) and error(rungs[at + 1]) < error(rungs[at]):
        at += 1
    if at == start:
        while at > 0 and error(rungs[at - 1]) < error(rungs[at]):
            at -= 1
    if error(rungs[at]) > much:
        at = min(range(len(rungs)), key=lambda rung: error(rungs[rung]))
    least = error(rungs[at])
    while at > 0 and error(rungs[at - 1]) <= _AS_GOOD * least:
        at -= 1
    return rungs[at]


def chosen(
    sample: Sample,
    fold: tuple[Integers, Integers],
    options: FitOptions,
    scaling: Scaling,
    *,
    depths: Sequence[int],
    ridges: Sequence[float] | None,
    report: Report,
) -> tuple[FitOptions, FittedNetwork]:
    """The options with the depth and λ that predict the rows held out in the fold best, and their network.

    Args:
        sample: All rows.
        fold: Rows to train on, and rows held out.
        options: The rest.
        scaling: Of the rows.
        depths: L to choose from.
        ridges: λ to choose from; None for those of `LADDERS` that `climbed` tries.
        report: Told the fraction done.
    """
    trials = _Trials(sample.at(fold[0]), sample.at(fold[1]), scaling, report)
    best: list[FitOptions] = []
    constant = _constant_loss(sample, scaling) if ridges is None else 0.0
    for depth in depths:
        if ridges is None:
            rungs = [replace(options, depth=depth, ridge=share * constant) for share in LADDERS[sample.task]]
            trials.expected = len(depths) * min(_TRIED, len(rungs))
            best.append(climbed(rungs, trials.error, start=_STARTS[sample.task], much=_MUCH * constant))
        else:
            trials.expected = len(depths) * len(ridges)
            best += [replace(options, depth=depth, ridge=ridge) for ridge in ridges]
    winner = min(best, key=trials.error) if len(best) > 1 else best[0]
    return winner, trials.network(winner)


def _constant_loss(sample: Sample, scaling: Scaling) -> float:
    y, weights = torch.from_numpy(sample.y), torch.from_numpy(sample.weights)
    if sample.task != "classification":
        y = standardization(y, scaling, weights).forward(y.double())
    return constant_loss(y, weights)


@dataclass
class _Trials:
    """Networks for some rows, each trained once, and what they lose on others."""

    trained: Sample
    held_out: Sample
    scaling: Scaling
    report: Report
    expected: int = 1
    found: dict[tuple[int | None, float | None], FittedNetwork] = field(default_factory=dict)

    def network(self, options: FitOptions) -> FittedNetwork:
        key = options.depth, options.ridge
        if key not in self.found:
            done = len(self.found)
            told = part(self.report, min(done / self.expected, 1.0), min((done + 1) / self.expected, 1.0))
            self.found[key] = fitted_sample(self.trained, options, self.scaling, told)
        return self.found[key]

    def error(self, options: FitOptions) -> float:
        fitted = self.network(options)
        x, y = fitted.standardized(torch.from_numpy(self.held_out.x), torch.from_numpy(self.held_out.y))
        losses = likelihood_losses(fitted.network(x), y)
        return float(weighted_mean(losses, torch.from_numpy(self.held_out.weights)))
