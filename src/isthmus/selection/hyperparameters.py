"""Depth and λ by how well rows that were held out are predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from isthmus.data import Sample, Task
from isthmus.foundation.likelihood import likelihood_of
from isthmus.foundation.progress import Report, part
from isthmus.foundation.statistics import weighted_mean
from isthmus.networks import standardization
from isthmus.selection.cache import SelectionCache
from isthmus.selection.config import SelectionConfig
from isthmus.selection.folds import Folds
from isthmus.training import FittedNetwork, TrainingConfig

DEPTHS: dict[Task, int] = {"regression": 6, "classification": 3, "autoencoder": 6}
"""L where none is asked for. Between a λ that lets logits grow and one that leaves a constant, depth 6 finds little."""
LADDERS: dict[Task, tuple[float, ...]] = {
    "regression": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1),
    "classification": (2e-3, 6e-3, 2e-2, 6e-2, 2e-1),
    "autoencoder": (3e-3,),
}
"""λ to choose from where none is asked for, in losses of the best constant: where there is noise, or classes can be
told apart without an error, a small one would be fitted by ever larger weights."""
OF_ONE_OUTPUT, OF_SEVERAL = 2, 3
"""L of networks that find more in noise, where a deep one ends as a constant or fits a few rows."""
_STARTS: dict[Task, int] = {"regression": 1, "classification": 2, "autoencoder": 0}
_AS_GOOD = 1.05  # of the least error: a smaller λ that predicts nearly as well keeps directions that a larger one loses
_MUCH = 0.5  # of the constant's loss: an error above it has more than one valley over λ
_TRIED = 4  # networks that a climb takes, mostly; for the progress
_SLACK = 0.999  # rounding of a λ that is given
_FEW_ROWS = 100  # below, the rows of one fold tell little


@dataclass(frozen=True)
class Trial:
    """A network that was tried.

    Attributes:
        depth: L.
        ridge: λ.
        error: Its mean loss on the held-out rows.
    """

    depth: int
    ridge: float
    error: float


@dataclass(frozen=True)
class Hyperparameters:
    """Depth and λ, and why these.

    Attributes:
        depth: L.
        ridge: λ.
        ridge_share: λ in losses of the best constant, by which λ of different data can be compared.
        reason: A sentence.
        trials: What else was tried, in order; empty where both were given.
    """

    depth: int
    ridge: float
    ridge_share: float
    reason: str
    trials: tuple[Trial, ...]


def search_ridge_ladder(
    rungs: Sequence[TrainingConfig],
    error: Callable[[TrainingConfig], float],
    *,
    start: int,
    much: float,
    as_good: float = _AS_GOOD,
) -> TrainingConfig:
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


def select_hyperparameters(
    sample: Sample, folds: Folds, config: SelectionConfig, seed: int, cache: SelectionCache, report: Report
) -> tuple[Hyperparameters, FittedNetwork]:
    """Choose the depth and λ that predict held-out rows best; also their network for the first fold.

    The rows are those held out in the first fold; of fewer than 100, those of all folds. What is tried stands in
    `SelectionConfig`: 2 for one output, through which no more than one number can pass, and 3 for several outputs of
    which the deep one predicts less than half, beside the depth of `DEPTHS`.

    Args:
        sample: All rows.
        folds: Rows to train on, and rows held out.
        config: Depths and λ to choose from, and how to train.
        seed: Of every network.
        cache: Where networks are kept.
        report: Told the fraction done.
    """
    depths, ridges = config.depths, config.ridges
    has_few_rows, has_one_output = len(sample.x) < _FEW_ROWS, sample.task == "regression" and sample.outputs == 1
    judges = folds if has_few_rows else folds[:1]
    trials = _Trials([(sample.at(trained), sample.at(held)) for trained, held in judges], seed, cache, report)
    constant = _constant_loss(sample, config)
    is_open = depths is None and sample.task == "regression"
    deep, shallow = DEPTHS[sample.task], OF_ONE_OUTPUT if has_one_output else OF_SEVERAL
    asked = tuple(depths or (shallow if is_open and has_few_rows else deep,))

    def best(depth: int) -> TrainingConfig:
        if ridges is not None:
            rungs = [config.training(depth, ridge) for ridge in ridges]
            return rungs[0] if len(rungs) == 1 else min(rungs, key=trials.error)
        rungs = [config.training(depth, share * constant) for share in LADDERS[sample.task]]
        start, as_good = _STARTS[sample.task], 1.0 if has_one_output else _AS_GOOD
        return search_ridge_ladder(rungs, trials.error, start=start, much=_MUCH * constant, as_good=as_good)

    rungs_tried = min(_TRIED, len(LADDERS[sample.task])) if ridges is None else len(ridges)
    trials.expected = len(asked) * len(judges) * rungs_tried
    found = [best(depth) for depth in asked]
    if is_open and not has_few_rows and (has_one_output or trials.error(found[0]) > _MUCH * constant):
        found.append(best(shallow))
    winner = found[0] if len(found) == 1 else min(found, key=trials.error)
    ridge = float(winner.ridge or 0.0)
    share = ridge / constant if constant > 0 else 0.0
    chosen = Hyperparameters(winner.depth, ridge, share, trials.reason(winner), tuple(trials.judged))
    return chosen, trials.network(winner)


def is_calibrated(chosen: Hyperparameters, config: SelectionConfig, task: Task) -> bool:
    """Whether the evidence was weighed on networks of this depth and λ, for this tolerance.

    Ladders are in losses of the best constant, so λ of different data can be compared.
    """
    depths = (DEPTHS[task],) if task != "regression" else (OF_ONE_OUTPUT, OF_SEVERAL, DEPTHS[task])
    least, *_, most = (*LADDERS[task], LADDERS["regression"][-1]) if task == "autoencoder" else LADDERS[task]
    is_within = least * _SLACK <= chosen.ridge_share <= most / _SLACK
    return chosen.depth in depths and is_within and config.tolerance == SelectionConfig().tolerance


def _constant_loss(sample: Sample, config: SelectionConfig) -> float:
    y, weights = torch.from_numpy(sample.y), torch.from_numpy(sample.weights)
    if sample.labels is None:
        y = standardization(y, config.standardize, weights).forward(y.double())
    return likelihood_of(sample.task).constant_loss(y, weights)


@dataclass
class _Trials:
    """Networks for some rows of each fold, each trained once, and what they lose on the others."""

    folds: Sequence[tuple[Sample, Sample]]
    seed: int
    cache: SelectionCache
    report: Report
    expected: int = 1
    found: dict[tuple[int, float | None, int], FittedNetwork] = field(default_factory=dict)
    errors: dict[tuple[int, float | None], float] = field(default_factory=dict)

    @property
    def judged(self) -> list[Trial]:
        return [Trial(depth, float(ridge or 0.0), error) for (depth, ridge), error in self.errors.items()]

    def reason(self, winner: TrainingConfig) -> str:
        if not self.errors:
            return "There was one depth and one λ to take: those that were given, or are usual for such data."
        tried = len(self.errors)
        rows = sum(len(held_out.x) for _, held_out in self.folds)
        depths = sorted({depth for depth, _ in self.errors})
        over = f"depth{'s' * (len(depths) > 1)} {', '.join(map(str, depths))}"
        return (
            f"Of {tried} networks of {over}, depth {winner.depth} and λ = {float(winner.ridge or 0.0):.3g} predict "
            f"{rows} held-out rows best, or nearly so with a smaller λ."
        )

    def network(self, config: TrainingConfig, fold: int = 0) -> FittedNetwork:
        key = config.depth, config.ridge, fold
        if key not in self.found:
            done = len(self.found)
            told = part(self.report, min(done / self.expected, 1.0), min((done + 1) / self.expected, 1.0))
            name = f"depth-{config.depth}-ridge-{config.ridge!r}-fold-{fold}"
            self.found[key] = self.cache.network(name, self.folds[fold][0], config, self.seed, told)
        return self.found[key]

    def error(self, config: TrainingConfig) -> float:
        key = config.depth, config.ridge
        if key not in self.errors:
            self.errors[key] = self._measured(config)
        return self.errors[key]

    def _measured(self, config: TrainingConfig) -> float:
        total, count = 0.0, 0.0
        for fold, (_, held_out) in enumerate(self.folds):
            fitted = self.network(config, fold)
            x, y = fitted.standardized(torch.from_numpy(held_out.x), torch.from_numpy(held_out.y))
            weights = torch.from_numpy(held_out.weights)
            losses = fitted.objective.likelihood.row_losses(fitted.network(x), y)
            total += float(weighted_mean(losses, weights) * weights.sum())
            count += float(weights.sum())
        return total / count
