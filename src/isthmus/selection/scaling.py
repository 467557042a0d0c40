"""One scale for all columns, or one for each: by how well rows that were held out are predicted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.foundation.progress import Report, part
from isthmus.foundation.statistics import standard_error, weighted_mean
from isthmus.networks import Scaling, standardization
from isthmus.selection.cache import SelectionCache
from isthmus.selection.config import SelectionConfig
from isthmus.selection.fold_networks import FoldNetworks
from isthmus.selection.folds import Folds
from isthmus.selection.hyperparameters import descent_ridge, judges, trial_depth
from isthmus.selection.spanned_sample import SpannedSample
from isthmus.training import FittedNetwork

_ALIKE = 3.0  # times the smallest deviation of a column, up to which it makes no difference
# One scale must lose so much less than one each, on which the evidence was weighed, and be so sure of it.
_LEAST_GAIN, _SURE = 0.05, 2.0


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
        sample: Sample,
        folds: Folds,
        config: SelectionConfig,
        scaling: Scaling,
        *,
        seed: int,
        cache: SelectionCache,
        leading: int | None = None,
    ) -> ScaledProblem:
        """The rows at a scaling, wide inputs in so many leading coordinates; in all for None."""
        spanned = SpannedSample.of(sample, scaling, leading)
        own = replace(config, standardize=scaling if spanned is None else "none")
        inside = sample if spanned is None else spanned.sample
        ridge = descent_ridge(inside, own)
        name = f"{scaling}-" if leading is None else f"{scaling}-{leading}-leading-"
        networks = FoldNetworks(inside, folds, own, ridge, seed=seed, cache=cache, name=name)
        return ScaledProblem(inside, own, spanned, networks, scaling)

    @torch.no_grad()
    def outputs(self, fold: int, held: np.ndarray, report: Report) -> Tensor:
        """What the network of a fold says at the rows it holds out, in the units of the data."""
        found = self._network(fold, report)(torch.from_numpy(self.sample.x[held]))
        return found if self.spanned is None else self.spanned.written(found)

    @torch.no_grad()
    def class_losses(self, fold: int, held: np.ndarray, report: Report) -> Tensor:
        """−log of the probability of its class at each row that a fold holds out, `(m,)` float64.

        The network of a fold numbers the classes of its own rows: learning from the past it may not have met all.
        """
        fitted, labels = self._network(fold, report), self.sample.labels
        assert labels is not None
        rows = torch.from_numpy(self.sample.x[held]), torch.from_numpy(labels[held])
        inputs, classes = fitted.standardized(*rows)
        return torch.nn.functional.cross_entropy(fitted.network(inputs).double(), classes, reduction="none").cpu()

    def _network(self, fold: int, report: Report) -> FittedNetwork:
        ridge, depth = descent_ridge(self.sample, self.config), trial_depth(self.sample, self.config)
        return self.networks.network(fold, depth, ridge, report)


def select_scaling(
    sample: Sample, folds: Folds, config: SelectionConfig, *, seed: int, cache: SelectionCache, report: Report
) -> ScaledProblem:
    """The rows at the scaling that is asked for; where none is, at the one that predicts held-out rows better.

    "columns" and "global" are tried where the deviations of columns differ by more than three times. Both are judged in
    the units of both, on the same rows; "global" is taken where it loses less by more than two standard errors.

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
    weights, each = _losses(made[0], sample, folds, part(report, 0.0, 0.5))
    _, shared = _losses(made[1], sample, folds, part(report, 0.5, 1.0))
    # In units of the mean loss with a scale each, so that both metrics weigh the same.
    means = weighted_mean(each, weights).clamp_min(torch.finfo(each.dtype).tiny)
    gains = ((each - shared) / means).mean(1)
    gain, error = float(weighted_mean(gains, weights)), standard_error(gains, weights)
    is_better = gain > max(_LEAST_GAIN, _SURE * error)
    chosen, verb = (made[1], "predicts") if is_better else (made[0], "does not predict")
    said = f"{abs(gain):.0%} {'less' if gain > 0 else 'more'} error, ± {error:.0%}"
    reason = f"One scale for all columns {verb} held-out rows better than one each: {said}."
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


def _losses(problem: ScaledProblem, sample: Sample, folds: Folds, report: Report) -> tuple[Tensor, Tensor]:
    """Weights `(m,)` of held-out rows, and what they lose `(m, metrics)`.

    Of numbers in units of each column and in one for all; of classes −log p.
    """
    weights, losses = [], []
    asked = judges(sample, folds)
    for at, fold in enumerate(asked):
        held = folds[fold][1]
        told = part(report, at / len(asked), (at + 1) / len(asked))
        weights.append(torch.from_numpy(sample.weights[held]))
        if sample.labels is not None:
            losses.append(problem.class_losses(fold, held, told)[:, None])
        else:
            outputs = problem.outputs(fold, held, told).double()
            y = torch.from_numpy(np.asarray(sample.y, np.float64))
            residuals = outputs - y[torch.from_numpy(held)]
            scales = [standardization(y, scaling).scale for scaling in ("columns", "global")]
            losses.append(torch.stack([(residuals / scale).square().mean(1) for scale in scales], 1))
    return torch.cat(weights), torch.cat(losses)
