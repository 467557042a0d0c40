"""Depth and λ by how well rows that were held out are predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from isthmus.data import Sample, Task
from isthmus.foundation.likelihood import likelihood_of
from isthmus.foundation.progress import Report, part
from isthmus.foundation.statistics import weighted_mean
from isthmus.networks import Scaling, standardization
from isthmus.selection.config import SelectionConfig
from isthmus.selection.fold_networks import FoldNetworks
from isthmus.selection.folds import Folds

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
_PAPER_DEPTH, _PAPER_SHARE, _NEARLY = 13, 1e-3, 0.02  # L, and λ in losses of the best constant
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
        standardize: The scaling of the columns.
    """

    depth: int
    ridge: float
    ridge_share: float
    reason: str
    trials: tuple[Trial, ...]
    standardize: Scaling = "columns"


Candidate = tuple[int, float]
"""Depth and λ."""


def search_ridge_ladder(
    rungs: Sequence[Candidate],
    error: Callable[[Candidate], float],
    *,
    start: int,
    much: float,
    as_good: float = _AS_GOOD,
) -> Candidate:
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


def descent_ridge(sample: Sample, config: SelectionConfig) -> float:
    """λ at which networks descend: where the search of the ladder begins; of those that are given, the middle one."""
    if config.ridges is not None:
        return sorted(config.ridges)[(len(config.ridges) - 1) // 2]
    return LADDERS[sample.task][_STARTS[sample.task]] * _constant_loss(sample, config)


def judges(sample: Sample, folds: Folds) -> range:
    """The folds whose held-out rows choose: the first, of fewer than 100 rows all."""
    return range(len(folds) if len(sample.x) < _FEW_ROWS else 1)


def held_out_error(
    networks: FoldNetworks, judged: Sequence[tuple[int, Sample]], depth: int, ridge: float, report: Report
) -> float:
    """Mean loss of the networks of some folds on the rows that each holds out.

    Args:
        networks: Of the folds.
        judged: Each fold with its rows.
        depth: L.
        ridge: λ.
        report: Told the fraction done.
    """
    total, count = 0.0, 0.0
    for at, (fold, held_out) in enumerate(judged):
        fitted = networks.network(fold, depth, ridge, part(report, at / len(judged), (at + 1) / len(judged)))
        x, y = fitted.standardized(torch.from_numpy(held_out.x), torch.from_numpy(held_out.y))
        weights = torch.from_numpy(held_out.weights)
        losses = fitted.objective.likelihood.row_losses(fitted.network(x), y)
        total += float(weighted_mean(losses, weights) * weights.sum())
        count += float(weights.sum())
    return total / count


def trial_depth(sample: Sample, config: SelectionConfig) -> int:
    """L of networks that are trained to choose something else."""
    return config.depths[0] if config.depths is not None else DEPTHS[sample.task]


def likely_depth(sample: Sample, config: SelectionConfig) -> int | None:
    """L that `select_hyperparameters` will choose, as far as can be told beforehand; else None."""
    if config.depths is not None:
        return config.depths[0] if len(config.depths) == 1 else None
    is_open = sample.task == "regression" and (sample.outputs == 1 or len(sample.x) < _FEW_ROWS)
    return None if is_open else DEPTHS[sample.task]


def select_hyperparameters(
    sample: Sample, folds: Folds, config: SelectionConfig, networks: FoldNetworks, report: Report
) -> Hyperparameters:
    """Choose the depth and λ that predict held-out rows best.

    The rows are those held out in the first fold; of fewer than 100, those of all folds. What is tried stands in
    `SelectionConfig`: 2 for one output, through which no more than one number can pass, and 3 for several outputs of
    which the deep one predicts less than half, beside the depth of `DEPTHS`.

    Args:
        sample: All rows.
        folds: Rows to train on, and rows held out.
        config: Depths and λ to choose from.
        networks: Of the folds.
        report: Told the fraction done.
    """
    depths, ridges = config.depths, config.ridges
    has_few_rows, has_one_output = len(sample.x) < _FEW_ROWS, sample.task == "regression" and sample.outputs == 1
    asked_folds = judges(sample, folds)
    trials = _Trials(networks, [(fold, sample.at(folds[fold][1])) for fold in asked_folds], report)
    constant = _constant_loss(sample, config)
    is_open = depths is None and sample.task == "regression"
    deep, shallow = DEPTHS[sample.task], OF_ONE_OUTPUT if has_one_output else OF_SEVERAL
    asked = tuple(depths or (shallow if is_open and has_few_rows else deep,))

    def best(depth: int) -> Candidate:
        if ridges is not None:
            rungs = [(depth, ridge) for ridge in ridges]
            return rungs[0] if len(rungs) == 1 else min(rungs, key=trials.error)
        rungs = [(depth, share * constant) for share in LADDERS[sample.task]]
        start, as_good = _STARTS[sample.task], 1.0 if has_one_output else _AS_GOOD
        return search_ridge_ladder(rungs, trials.error, start=start, much=_MUCH * constant, as_good=as_good)

    rungs_tried = min(_TRIED, len(LADDERS[sample.task])) if ridges is None else len(ridges)
    trials.expected = len(asked) * len(asked_folds) * rungs_tried
    found = [best(depth) for depth in asked]
    if is_open and not has_few_rows and (has_one_output or trials.error(found[0]) > _MUCH * constant):
        found.append(best(shallow))
    winner = found[0] if len(found) == 1 else min(found, key=trials.error)
    share = winner[1] / constant if constant > 0 else 0.0
    return Hyperparameters(*winner, share, trials.reason(winner), trials.judged)


def is_calibrated(chosen: Hyperparameters, config: SelectionConfig, task: Task) -> bool:
    """Whether the evidence was weighed on networks of this depth and λ, for this tolerance.

    Ladders are in losses of the best constant, so λ of different data can be compared. Outputs are also weighed at the
    paper's setting: there the weights hold (`benchmarks/selection_paper_setting.py`).
    """
    is_paper_setting = chosen.depth == _PAPER_DEPTH and abs(chosen.ridge_share / _PAPER_SHARE - 1.0) < _NEARLY
    if task == "regression" and is_paper_setting and config.tolerance == SelectionConfig().tolerance:
        return True
    depths = (DEPTHS[task],) if task != "regression" else (OF_ONE_OUTPUT, OF_SEVERAL, DEPTHS[task])
    least, *_, most = (*LADDERS[task], LADDERS["regression"][-1]) if task == "autoencoder" else LADDERS[task]
    is_within = least * _SLACK <= chosen.ridge_share <= most / _SLACK
    return chosen.depth in depths and is_within and config.tolerance == SelectionConfig().tolerance


def _constant_loss(sample: Sample, config: SelectionConfig) -> float:
    y, weights = torch.from_numpy(sample.y), torch.from_numpy(sample.weights)
    if sample.labels is None:
        y = standardization(y, config.standardize or "columns", weights).forward(y.double())
    return likelihood_of(sample.task).constant_loss(y, weights)


@dataclass
class _Trials:
    """What networks of some folds lose on the rows that these hold out, each judged once."""

    networks: FoldNetworks
    judges: Sequence[tuple[int, Sample]]
    report: Report
    expected: int = 1
    errors: dict[tuple[int, float], float] = field(default_factory=dict)

    @property
    def judged(self) -> tuple[Trial, ...]:
        return tuple(Trial(depth, ridge, error) for (depth, ridge), error in self.errors.items())

    def reason(self, winner: Candidate) -> str:
        if not self.errors:
            return "There was one depth and one λ to take: those that were given, or are usual for such data."
        tried = len(self.errors)
        rows = sum(len(held_out.x) for _, held_out in self.judges)
        depths = sorted({depth for depth, _ in self.errors})
        over = f"depth{'s' * (len(depths) > 1)} {', '.join(map(str, depths))}"
        return (
            f"Of {tried} networks of {over}, depth {winner[0]} and λ = {winner[1]:.3g} predict "
            f"{rows} held-out rows best, or nearly so with a smaller λ."
        )

    def error(self, candidate: Candidate) -> float:
        if candidate not in self.errors:
            self.errors[candidate] = self._measured(*candidate)
        return self.errors[candidate]

    def _measured(self, depth: int, ridge: float) -> float:
        done = len(self.networks)
        told = part(self.report, *(min((done + more) / self.expected, 1.0) for more in (0, len(self.judges))))
        return held_out_error(self.networks, self.judges, depth, ridge, told)
