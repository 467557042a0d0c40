"""From rows to a function through R^k: split, fit, decide, factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from isthmus.data import folded_rows
from isthmus.data.sample import Sample, fitted_sample
from isthmus.errors import ConstantOutputError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import likelihood_losses
from isthmus.foundation.progress import Report, part
from isthmus.foundation.statistics import weighted_mean
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import Scaling, StandardizedNetwork, standardization
from isthmus.runs import FitOptions
from isthmus.selection import (
    CrossDecision,
    best_constant,
    cross_fit,
    decide,
    descent,
    narrowed_factorization,
)
from isthmus.selection.hyperparameters import chosen
from isthmus.selection.learned import Learned
from isthmus.spectra import narrowings
from isthmus.training import FittedNetwork

_CHOICE_ENDS, _FOLDS_END = 0.3, 0.85  # of the progress: depth and λ are chosen; the folds are done
_MANY_ROWS = 1000  # from here on a few folds leave enough rows to train on


def learned(
    sample: Sample,
    options: FitOptions,
    *,
    depths: Sequence[int] | None,
    ridges: Sequence[float] | None,
    folds: int | None,
    report: Report,
) -> Learned:
    """Decide the rank by rows that were held out in turn, then fit a network of that rank to all rows and split it.

    Args:
        sample: The rows.
        options: How to fit and decide; depth and λ are those of the first that follow.
        depths: L to choose from by held-out rows; None as in `chosen`.
        ridges: λ to choose from likewise; None for the `LADDERS`.
        folds: Parts of the rows that are held out in turn; None for five, and three from 1,000 rows on.
        report: Told the fraction done.

    Raises:
        TooFewRowsError: If there are too few rows to hold some out.
        IsthmusError: For whatever else `fit` refuses.
        KeyboardInterrupt: If a training was interrupted.
    """
    scaling: Scaling = options.standardize or "columns"
    if sample.is_constant:
        return _constant(sample, scaling, options)
    labels = np.asarray(sample.y, np.int64) if sample.task == "classification" else None
    count = (3 if len(sample.x) >= _MANY_ROWS else 5) if folds is None else folds
    parts = folded_rows(sample.x, labels, folds=count, seed=options.seed)
    weights = torch.from_numpy(sample.weights)
    try:
        options, first = chosen(
            sample, parts, options, scaling, depths=depths, ridges=ridges, report=part(report, 0.0, _CHOICE_ENDS)
        )

        def train(index: int, report: Report) -> FittedNetwork:
            return fitted_sample(sample.at(parts[index][0]), options, scaling, report) if index else first

        cross = cross_fit(
            train,
            torch.from_numpy(sample.x),
            torch.from_numpy(sample.y),
            [torch.from_numpy(held_out) for _, held_out in parts],
            task=sample.task,
            weights=weights,
            tolerance=Tolerance(options.tolerance),
            report=part(report, _CHOICE_ENDS, _FOLDS_END),
        )
    except ConstantOutputError:  # what varies was held out
        return _constant(sample, scaling, options)
    decision = decide(cross, weights=weights, tolerance=Tolerance(options.tolerance))
    fitted = fitted_sample(sample, options, scaling, part(report, _FOLDS_END, 1.0))
    return _split(fitted, decision)


@flushed_denormals()
@torch.no_grad()
def _split(fitted: FittedNetwork, decision: CrossDecision) -> Learned:
    """The network that was fitted to all rows, narrowed to the decided rank."""
    constant = best_constant(fitted.objective)[0].cpu().double()
    narrowed = descent(fitted.network, fitted.objective, most=len(decision.errors) - 1)
    decision = decision.at_most(len(narrowed))
    factorization = None
    if decision.rank > 0:
        chosen = narrowed[decision.rank - 1]
        sample = fitted.objective.sample()[0]
        changes = tuple(n.change for n in narrowings(fitted.network, sample, until=decision.tolerance.relative / 10.0))
        halves = narrowed_factorization(fitted, chosen, changes)
        factorization = replace(halves, encoder=_in_double(halves.encoder), decoder=_in_double(halves.decoder))
    return Learned(
        factorization,
        fitted.outputs.backward(constant) if fitted.classes is None else constant,
        decision,
        fitted.history[-1].step if fitted.history else 0,
    )


def _in_double(half: StandardizedNetwork) -> StandardizedNetwork:
    """In the precision in which a row alone and the same row among many give the same numbers, to many digits."""
    network = half.network.to(dtype=torch.float64, device="cpu")
    # The memory layout that a file gives back too, so that what is loaded rounds in the same way; and no view of more.
    weights = tuple(w.clone(memory_format=torch.contiguous_format) for w in network.weights)
    return replace(half, network=replace(network, weights=weights, biases=tuple(b.clone() for b in network.biases)))


def _constant(sample: Sample, scaling: Scaling, options: FitOptions) -> Learned:
    """Rank 0 for rows of which nothing can be learned but a constant."""
    weights = torch.from_numpy(sample.weights)
    y = torch.from_numpy(sample.y)
    if sample.task == "classification":
        constant = weighted_mean(torch.nn.functional.one_hot(y).double(), weights).log()
        losses = likelihood_losses(constant.expand(len(y), -1), y)
    else:
        affine = standardization(y, scaling, weights)
        outputs: Tensor = affine.forward(y.double())
        mean = weighted_mean(outputs, weights)
        losses, constant = likelihood_losses(mean.expand(len(y), -1), outputs), affine.backward(mean)
    error, tolerance = float(weighted_mean(losses, weights)), Tolerance(options.tolerance)
    return Learned(None, constant, CrossDecision.without_variation(error, tolerance), 0)
