"""From rows to a function through R^k: split, fit, decide, factor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from isthmus.datasets import Task, held_out_rows
from isthmus.datasets.dataset import Floats, Integers
from isthmus.datasets.merging import Weights
from isthmus.denormals import flushed_denormals
from isthmus.errors import ConstantOutputError
from isthmus.estimators.learned import Learned
from isthmus.factoring import best_constant, decide_rank, decided_factorization, row_losses
from isthmus.functions import Scaling, StandardizedNetwork, activation, standardization
from isthmus.progress import Report, part
from isthmus.ranks import narrowings
from isthmus.runs import FitOptions
from isthmus.tolerance import Tolerance
from isthmus.training import FittedNetwork, fit
from isthmus.weighted_means import weighted_mean

_SHARE = 0.85  # of the progress: fitting ends, refitting begins


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows to learn from, each of them once.

    Attributes:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)`, or class indices `(n,)`; an autoencoder's is its x.
        weights: How much each row counts, `(n,)`, positive.
        task: What is learned.
    """

    x: Floats
    y: Floats | Integers
    weights: Weights
    task: Task

    def at(self, rows: Integers) -> Sample:
        """Some of the rows."""
        x = self.x[rows]
        return Sample(x, x if self.y is self.x else self.y[rows], self.weights[rows], self.task)

    @property
    def is_constant(self) -> bool:
        """Whether all inputs or all outputs are the same."""
        return bool((self.x == self.x[0]).all() or (self.y == self.y[0]).all())


def learned(sample: Sample, options: FitOptions, *, validation_fraction: float, report: Report) -> Learned:
    """Fit a network to most of the rows, decide its rank on the others, and split it there.

    Args:
        sample: The rows.
        options: How to fit and decide.
        validation_fraction: Share of the different inputs that are held out.
        report: Told the fraction done.

    Raises:
        TooFewRowsError: If there are too few rows to hold some out.
        IsthmusError: For whatever else `fit` refuses.
    """
    scaling: Scaling = options.standardize or "columns"
    if sample.is_constant:
        return _constant(sample, scaling)
    labels = np.asarray(sample.y, np.int64) if sample.task == "classification" else None
    train, held_out = held_out_rows(sample.x, labels, share=validation_fraction, seed=options.seed)
    try:
        fitted = _fitted(sample.at(train), options, scaling, part(report, 0.0, _SHARE))
    except ConstantOutputError:  # what varies was held out
        return _constant(sample.at(train), scaling)
    return _decided(fitted, sample.at(held_out), options, part(report, _SHARE, 1.0))


def _fitted(sample: Sample, options: FitOptions, scaling: Scaling, report: Report) -> FittedNetwork:
    return fit(
        sample.x,
        None if sample.task == "autoencoder" else sample.y,
        sample_weight=sample.weights,
        task=sample.task,
        depth=options.depth or 1,  # None, to choose it, is not offered here
        width=options.width,
        ridge=options.ridge,
        seed=options.seed,
        starts=options.starts,
        standardize=scaling,
        activation=activation(options.activation),
        plan=options.plan,
        device=options.device,
        report=report,
    )


@flushed_denormals()
@torch.no_grad()
def _decided(fitted: FittedNetwork, held_out: Sample, options: FitOptions, report: Report) -> Learned:
    tolerance, effort = Tolerance(options.tolerance), options.plan.evaluations
    x, y = fitted.standardized(torch.from_numpy(held_out.x), torch.from_numpy(held_out.y))
    decision = decide_rank(
        fitted,
        x,
        y,
        weights=torch.from_numpy(held_out.weights).to(x.device),
        tolerance=tolerance,
        stages=(max(1, effort // 4), max(1, effort // 2), effort),
        seed=options.seed,
        report=report,
    )
    sample = fitted.objective.sample()[0]
    curve = tuple(n.change for n in narrowings(fitted.network, sample, until=tolerance.relative / 10.0))
    factorization = decided_factorization(fitted, decision, curve)
    if factorization is not None:
        encoder, decoder = _in_double(factorization.encoder), _in_double(factorization.decoder)
        factorization = replace(factorization, encoder=encoder, decoder=decoder)
    constant = best_constant(fitted.objective)[0].cpu().double()
    return Learned(
        factorization,
        fitted.outputs.backward(constant) if fitted.classes is None else constant.log(),
        decision.rank,
        (decision.lower, decision.upper),
        dict(enumerate(decision.probabilities)),
        tuple(candidate.error for candidate in decision.candidates),
        fitted.history[-1].step if fitted.history else 0,
    )


def _in_double(half: StandardizedNetwork) -> StandardizedNetwork:
    """In the precision in which a row alone and the same row among many give the same numbers, to many digits."""
    network = half.network.to(dtype=torch.float64, device="cpu")
    # The memory layout that a file gives back too, so that what is loaded rounds in the same way; and no view of more.
    weights = tuple(w.clone(memory_format=torch.contiguous_format) for w in network.weights)
    return replace(half, network=replace(network, weights=weights, biases=tuple(b.clone() for b in network.biases)))


def _constant(sample: Sample, scaling: Scaling) -> Learned:
    """Rank 0 for rows of which nothing can be learned but a constant."""
    weights = torch.from_numpy(sample.weights)
    y = torch.from_numpy(sample.y)
    if sample.task == "classification":
        frequencies = weighted_mean(torch.nn.functional.one_hot(y).double(), weights)
        losses, constant = row_losses(frequencies.expand(len(y), -1), y, is_classification=True), frequencies.log()
    else:
        affine = standardization(y, scaling, weights)
        standard: Tensor = affine.forward(y.double())
        mean = weighted_mean(standard, weights)
        losses, constant = row_losses(mean.expand(len(y), -1), standard, is_classification=False), affine.backward(mean)
    return Learned(None, constant, 0, (0, 0), {0: 1.0}, (float(weighted_mean(losses, weights)),), 0)
