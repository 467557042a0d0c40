"""Depth and λ by how well rows that were held out are predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch

from isthmus.data import Task
from isthmus.data.dataset import Integers
from isthmus.data.sample import Sample, fitted_sample
from isthmus.foundation.likelihood import likelihood_losses
from isthmus.foundation.progress import Report, part
from isthmus.foundation.statistics import weighted_mean
from isthmus.networks import Scaling, standardization
from isthmus.runs import FitOptions
from isthmus.training import FittedNetwork, constant_loss

DEPTHS: dict[Task, int] = {"regression": 6, "classification": 3, "autoencoder": 6}
"""L where none is asked for. Between a λ that lets logits grow and one that leaves a constant, depth 6 finds little."""
LADDERS: dict[Task, tuple[float, ...]] = {
    "regression": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1),
    "classification": (2e-3, 6e-3, 2e-2, 6e-2, 2e-1),
    "autoencoder": (3e-3,),
}
"""λ to choose from where none is asked for, in losses of the best constant: where there is noise, or classes can be
told apart without an error, a small one would be fitted by ever larger weights."""
_OF_ONE_OUTPUT, _OF_SEVERAL = 2, 3
"""L of networks that find more in noise, where a deep one ends as a constant or fits a few rows."""
_STARTS: dict[Task, int] = {"regression": 1, "classification": 2, "autoencoder": 0}
_AS_GOOD = 1.05  # of the least error: a smaller λ that predicts nearly as well keeps directions that a larger one loses
_MUCH = 0.5  # of the constant's loss: an error above it has more than one valley over λ
_TRIED = 4  # networks that a climb takes, mostly; for the progress
_FEW_ROWS = 100  # below, the rows of one fold tell little


def climbed(
    rungs: Sequence[FitOptions],
    error: Callable[[FitOptions], float],
    *,
    start: int,
    much: float,
    as_good: float = _AS_GOOD,
) -> FitOptions:
    """The rung of a ladder to stop at.

    Up from `start` while the error falls; if it does not at first, down while it falls. If the error is large there,
    every rung is tried. Then down while it is hardly larger than the least that was found.

    Args:
        rungs: Ascending in λ.
        error: Of each; asked for more than once.
        start: Index of the first.
        much: The error from which on it is large.
        as_good: How many times the least it may be.
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
    while at > 0 and error(rungs[at - 1]) <= as_good * least:
        at -= 1
    return rungs[at]


def chosen(
    sample: Sample,
    folds: Sequence[tuple[Integers, Integers]],
    options: FitOptions,
    scaling: Scaling,
    *,
    depths: Sequence[int] | None,
    ridges: Sequence[float] | None,
    report: Report,
) -> tuple[FitOptions, FittedNetwork]:
    """The options with the depth and λ that predict held-out rows best, and their network for the first fold.

    The rows are those held out in the first fold; of fewer than 100, those of all folds.

    Args:
        sample: All rows.
        folds: Rows to train on, and rows held out.
        options: The rest.
        scaling: Of the rows.
        depths: L to choose from; None for that of `DEPTHS`, and a shallower one where that may do better: 2 for one
            output, through which no more than one number can pass, and 3 for several outputs of which the deep one
            predicts less than half.
        ridges: λ to choose from; None for those of `LADDERS` that `climbed` tries.
        report: Told the fraction done.
    """
    has_few_rows, has_one_output = len(sample.x) < _FEW_ROWS, sample.task == "regression" and sample.outputs == 1
    judges = folds if has_few_rows else folds[:1]
    trials = _Trials([(sample.at(trained), sample.at(held)) for trained, held in judges], scaling, report)
    constant = _constant_loss(sample, scaling)
    is_open = depths is None and sample.task == "regression"
    deep, shallow = DEPTHS[sample.task], _OF_ONE_OUTPUT if has_one_output else _OF_SEVERAL
    asked = tuple(depths or (shallow if is_open and has_few_rows else deep,))

    def best(depth: int) -> FitOptions:
        if ridges is not None:
            rungs = [replace(options, depth=depth, ridge=ridge) for ridge in ridges]
            return rungs[0] if len(rungs) == 1 else min(rungs, key=trials.error)
        rungs = [replace(options, depth=depth, ridge=share * constant) for share in LADDERS[sample.task]]
        start, as_good = _STARTS[sample.task], 1.0 if has_one_output else _AS_GOOD
        return climbed(rungs, trials.error, start=start, much=_MUCH * constant, as_good=as_good)

    trials.expected = (
        len(asked) * len(judges) * (min(_TRIED, len(LADDERS[sample.task])) if ridges is None else len(ridges))
    )
    found = [best(depth) for depth in asked]
    if is_open and not has_few_rows and (has_one_output or trials.error(found[0]) > _MUCH * constant):
        found.append(best(shallow))
    winner = found[0] if len(found) == 1 else min(found, key=trials.error)
    return winner, trials.network(winner)


def _constant_loss(sample: Sample, scaling: Scaling) -> float:
    y, weights = torch.from_numpy(sample.y), torch.from_numpy(sample.weights)
    if sample.task != "classification":
        y = standardization(y, scaling, weights).forward(y.double())
    return constant_loss(y, weights)


@dataclass
class _Trials:
    """Networks for some rows of each fold, each trained once, and what they lose on the others."""

    folds: Sequence[tuple[Sample, Sample]]
    scaling: Scaling
    report: Report
    expected: int = 1
    found: dict[tuple[int | None, float | None, int], FittedNetwork] = field(default_factory=dict)

    def network(self, options: FitOptions, fold: int = 0) -> FittedNetwork:
        key = options.depth, options.ridge, fold
        if key not in self.found:
            done = len(self.found)
            told = part(self.report, min(done / self.expected, 1.0), min((done + 1) / self.expected, 1.0))
            self.found[key] = fitted_sample(self.folds[fold][0], options, self.scaling, told)
        return self.found[key]

    def error(self, options: FitOptions) -> float:
        total, count = 0.0, 0.0
        for fold, (_, held_out) in enumerate(self.folds):
            fitted = self.network(options, fold)
            x, y = fitted.standardized(torch.from_numpy(held_out.x), torch.from_numpy(held_out.y))
            weights = torch.from_numpy(held_out.weights)
            total += float(weighted_mean(likelihood_losses(fitted.network(x), y), weights) * weights.sum())
            count += float(weights.sum())
        return total / count
