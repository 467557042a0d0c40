"""One scale for all columns, or one for each: by how well rows that were held out are predicted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.foundation.progress import Report, part
from isthmus.foundation.statistics import weighted_mean
from isthmus.networks import Scaling, standardization
from isthmus.selection.cache import SelectionCache
from isthmus.selection.config import SelectionConfig
from isthmus.selection.fold_networks import FoldNetworks
from isthmus.selection.folds import Folds
from isthmus.selection.hyperparameters import descent_ridge, judges, trial_depth
from isthmus.selection.spanned_sample import SpannedSample

_ALIKE = 3.0  # times the smallest deviation of a column, up to which it makes no difference
_BETTER = 0.95  # of the error with a scale each, on which the evidence was weighed, that one scale must reach


@dataclass(frozen=True, eq=False)
class ScaledProblem:
    """Rows as they are learned from at one scaling.

    Attributes:
        sample: The rows; wide ones in the coordinates they span, standardised.
        config: How to learn from them; its scaling is what is left to do.
        spanned: The way back; None where the rows are as they were.
        networks: Of its folds.
        scaling: Of the columns.
        reason: Why it was chosen, a sentence; empty where there was nothing to choose.
    """

    sample: Sample
    config: SelectionConfig
    spanned: SpannedSample | None
    networks: FoldNetworks
    scaling: Scaling
    reason: str = ""

    @staticmethod
    def of(
        sample: Sample, folds: Folds, config: SelectionConfig, scaling: Scaling, *, seed: int, cache: SelectionCache
    ) -> ScaledProblem:
        """The rows at a scaling."""
        spanned = SpannedSample.of(sample, scaling)
        own = replace(config, standardize=scaling if spanned is None else "none")
        inside = sample if spanned is None else spanned.sample
        ridge = descent_ridge(inside, own)
        networks = FoldNetworks(inside, folds, own, ridge, seed=seed, cache=cache, name=f"{scaling}-")
        return ScaledProblem(inside, own, spanned, networks, scaling)

    @torch.no_grad()
    def outputs(self, fold: int, held: np.ndarray, report: Report) -> Tensor:
        """What the network of a fold says at the rows it holds out, in the units of the data."""
        ridge, depth = descent_ridge(self.sample, self.config), trial_depth(self.sample, self.config)
        fitted = self.networks.network(fold, depth, ridge, report)
        found = fitted(torch.from_numpy(self.sample.x[held]))
        return found if self.spanned is None else self.spanned.written(found)


def select_scaling(
    sample: Sample, folds: Folds, config: SelectionConfig, *, seed: int, cache: SelectionCache, report: Report
) -> ScaledProblem:
    """The rows at the scaling that is asked for; where none is, at the one that predicts held-out rows better.

    "columns" and "global" are tried where the deviations of columns differ by more than three times. Each is judged in
    its own units and in those of the other, by the geometric mean of both.

    Args:
        sample: All rows.
        folds: Rows to train on, and rows held out.
        config: How to learn from them.
        seed: Of every network.
        cache: Where networks are kept.
        report: Told the fraction done.
    """
    made = [
        ScaledProblem.of(sample, folds, config, scaling, seed=seed, cache=cache)
        for scaling in _candidates(sample, config)
    ]
    if len(made) == 1:
        return made[0]
    each, shared = (
        _errors(problem, sample, folds, part(report, at / 2.0, (at + 1) / 2.0)) for at, problem in enumerate(made)
    )
    ratio = math.exp(float(np.mean(np.log(np.maximum(shared, 1e-300) / np.maximum(each, 1e-300)))))
    chosen, verb = (made[1], "predicts") if ratio < _BETTER else (made[0], "does not predict")
    reason = f"One scale for all columns {verb} held-out rows better than one each: {ratio:.2f} times their error."
    return replace(chosen, reason=reason)


def _candidates(sample: Sample, config: SelectionConfig) -> tuple[Scaling, ...]:
    if config.standardize is not None:
        return (config.standardize,)
    sides = [sample.x] if sample.labels is not None or sample.y is sample.x else [sample.x, sample.y]
    return ("columns",) if all(_are_alike(side) for side in sides) else ("columns", "global")


def _are_alike(rows: np.ndarray) -> bool:
    deviations = rows.std(0)
    varying = deviations[deviations > 0]
    return bool(len(varying) < 2 or varying.max() <= _ALIKE * varying.min())


def _errors(problem: ScaledProblem, sample: Sample, folds: Folds, report: Report) -> np.ndarray:
    """Errors at held-out rows: of numbers with a scale for each column and with one for all, of classes −log p."""
    total, count = np.zeros(1 if sample.labels is not None else 2), 0.0
    asked = judges(sample, folds)
    for at, fold in enumerate(asked):
        held = folds[fold][1]
        outputs = problem.outputs(fold, held, part(report, at / len(asked), (at + 1) / len(asked)))
        weights = torch.from_numpy(sample.weights[held])
        if sample.labels is not None:
            truths = torch.from_numpy(sample.labels[held])
            losses = [torch.nn.functional.cross_entropy(outputs.double(), truths, reduction="none")]
        else:
            y = torch.from_numpy(np.asarray(sample.y, np.float64))
            residuals = outputs.double() - y[torch.from_numpy(held)]
            scales = (standardization(y, scaling).scale for scaling in ("columns", "global"))
            losses = [(residuals / scale).square().mean(1) for scale in scales]
        total += [float(weighted_mean(each, weights) * weights.sum()) for each in losses]
        count += float(weights.sum())
    return total / count
