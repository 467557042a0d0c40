"""Losses of every k on rows that were not trained on: each row is held out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.data.dataset import Integers
from isthmus.foundation.likelihood import Likelihood
from isthmus.foundation.parallel import in_parallel
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.task import Task
from isthmus.foundation.threads import side_by_side
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.selection.cache import SelectionCache
from isthmus.selection.canonical_correlations import CanonicalCorrelations, canonical_correlations
from isthmus.selection.embedding_path import path_of_fold
from isthmus.selection.fold import Fold
from isthmus.selection.folds import Folds
from isthmus.selection.independence_test import agreements
from isthmus.selection.label_scores import label_scores
from isthmus.selection.last_latent import LastLatent, last_latent
from isthmus.selection.residual_lines import residual_lines
from isthmus.selection.residuals import held_out_residuals, kept_rows
from isthmus.selection.restriction import RestrictedNetwork, restrict_to_ranks
from isthmus.selection.shared_slopes import relative_slopes
from isthmus.selection.simple_methods import full_errors, linear_errors
from isthmus.spectra import truncation_curve
from isthmus.training import FittedNetwork

_LINEAR = 100  # numbers that the linear method is tried with
Train = Callable[[Report], FittedNetwork]
"""Trains a network on rows that a fold does not hold out."""


@dataclass(frozen=True, eq=False)
class CrossValidation:
    r"""What networks that were trained on some rows say about the others.

    Attributes:
        rows: Indices of the held-out rows, `(m,)`, fold after fold; a row that no fold could hold out is missing.
        losses: $\ell_{k,i}$ `(K + 1, m)` float64: the loss at held-out row i of the function through k numbers, of its
            fold; of k = 0 of the best constant. Squared errors summed over the standardised outputs, or −log of the
            probability of the class.
        whole: `(m,)`: of the whole networks.
        objectives: $o_k$ `(folds, K + 1)`: what the training objective is through k numbers, of a fold's constant 1.
        sensitivities: $r_k$ `(folds, K + 1)`: how much coordinate k + 1 of the network through k + 1 numbers matters,
            relative to the first (`LastLatent`); 0 where there is none.
        redundancies: $D_k$ `(folds, K + 1)`: how much of coordinate k + 1 the k before it determine.
        linear: Of inputs and outputs of all rows, for k = 0 … K; nothing of an autoencoder, whose outputs are linear
            functions of its inputs.
        residual_lines: `(K + 1,)`: what linear functions of the inputs see in what the networks through k numbers leave
            (`residual_lines`); 0 of an autoencoder.
        shared_slopes: `(K + 1,)`: $e_{k+1} / e_1$ of `shared_slopes`; 0 where there is none, and unless classes are
            learned.
        scores: `(K + 1, 2, m)`: of number k + 1 for the classes of the rows, and their variance (`label_scores`); 0
            where there is none, and unless classes are learned.
        errors: `(K + 1, m)`: what a person counts (`Likelihood.row_errors`), through k numbers.
        linear_errors: `(K + 1, m)`: the same of the linear method through as many numbers.
        agreements: `(K + 1, 2, m)`: of what k numbers predict with the outputs (`independence_test.agreements`).
        full_errors: `(methods, m)`: the same of the methods of `simple_methods.FULL`.
    """

    rows: Tensor
    losses: Tensor
    whole: Tensor
    objectives: Tensor
    sensitivities: Tensor
    redundancies: Tensor
    linear: CanonicalCorrelations
    residual_lines: Tensor
    shared_slopes: Tensor
    scores: Tensor
    agreements: Tensor
    errors: Tensor
    linear_errors: Tensor
    full_errors: Tensor


def cross_validate(
    trains: Sequence[Train],
    sample: Sample,
    folds: Folds,
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    cache: SelectionCache | None = None,
    n_jobs: int | None = None,
    report: Report = silent,
) -> list[Fold]:
    """Train a network for each fold, restrict it to every k, and take the losses at the rows that the fold holds out.

    Args:
        trains: What trains the network of each fold.
        sample: All rows.
        folds: The rows that each holds out; no row is held out twice.
        tolerance: ε of the selection that the losses are for. K is what one of the networks needs to be kept within
            ε/10, and two more.
        cache: Where folds that are done are kept, so that they need not be done again.
        n_jobs: Folds side by side, as for `in_parallel`; the numbers are the same for any.
        report: Told the fraction done.

    Returns:
        What each fold says; after Ctrl-C those that were done, if one was.

    Raises:
        KeyboardInterrupt: If none was done.
    """
    cache = cache or SelectionCache()
    found = cache.folds[: len(folds)]
    jobs = [_FoldJob(sample, held, train, tolerance) for train, (_, held) in zip(trains, folds, strict=True)]
    told = part(report, len(found) / len(folds), 1.0)
    try:
        with closing(in_parallel(_FoldJob.fold, jobs[len(found) :], n_jobs=n_jobs, report=told)) as made:
            for fold in made:
                cache.keep(fold)
                found.append(fold)
    except KeyboardInterrupt:
        if not found:
            raise
    return found


@dataclass(frozen=True, eq=False)
class _FoldJob:
    """All that a fold needs, in whichever process."""

    sample: Sample
    held: Integers
    train: Train
    tolerance: Tolerance

    @torch.no_grad()
    def fold(self, report: Report) -> Fold:
        rows = torch.from_numpy(self.held)
        held_out = torch.from_numpy(self.sample.x)[rows], torch.from_numpy(self.sample.y)[rows]
        fitted = self.train(part(report, 0.0, 0.7))
        return _fold(fitted, held_out, self.sample.task, tolerance=self.tolerance, report=part(report, 0.7, 1.0))


@torch.no_grad()
def summarize_folds(found: Sequence[Fold], sample: Sample, folds: Folds, shared: Tensor) -> CrossValidation:
    """Put together what the folds say that are done.

    Args:
        found: Of the first of the folds, at least one.
        sample: All rows.
        folds: All folds.
        shared: What `shared_slopes` found, `(m,)`; empty where it was not asked.
    """
    ranks = max(len(fold.losses) for fold in found)
    # A network that carries fewer than K directions passes through K numbers as it is.
    losses = [torch.cat([fold.losses, fold.whole.expand(ranks - len(fold.losses), -1)]) for fold in found]
    objectives = [torch.cat([fold.objectives, fold.objectives[-1:].expand(ranks)])[:ranks] for fold in found]
    rows = torch.cat([torch.from_numpy(held) for _, held in folds[: len(found)]])
    x, y, weights = (torch.from_numpy(each)[rows] for each in (sample.x, sample.y, sample.weights))
    if sample.task == "autoencoder":
        linear = CanonicalCorrelations(*torch.zeros(2, 0, dtype=torch.float64)).padded(ranks)
        left = linear.correlations
    else:
        linear = canonical_correlations(x, y, weights).padded(ranks)
        left = _residual_lines(found, sample, folds, ranks)
    return CrossValidation(
        rows,
        torch.cat(losses, 1),
        torch.cat([fold.whole for fold in found]),
        torch.stack(objectives),
        torch.stack([torch.nn.functional.pad(fold.sensitivities, (0, ranks))[:ranks] for fold in found]),
        torch.stack([torch.nn.functional.pad(fold.redundancies, (0, ranks))[:ranks] for fold in found]),
        linear,
        left,
        torch.nn.functional.pad(relative_slopes(shared), (0, ranks))[:ranks],
        torch.cat([torch.nn.functional.pad(fold.scores, (0, 0, 0, 0, 0, ranks))[:ranks] for fold in found], 2),
        torch.cat([_extended(fold.agreements, ranks)[:ranks] for fold in found], 2),
        torch.cat([_extended(fold.errors, ranks) for fold in found], 1),
        torch.cat([_extended(fold.linear_errors, ranks)[:ranks] for fold in found], 1),
        torch.cat([fold.full_errors for fold in found], 1),
    )


def _residual_lines(found: Sequence[Fold], sample: Sample, folds: Folds, ranks: int) -> Tensor:
    """Of the rows of all folds whose residuals were kept."""
    # Of a network that carries fewer directions those of the whole stand for the others, too.
    residuals = [_extended(fold.residuals, ranks + 1) for fold in found]
    rows = torch.cat([kept_rows(torch.from_numpy(held)) for _, held in folds[: len(found)]])
    x, weights = torch.from_numpy(sample.x)[rows], torch.from_numpy(sample.weights)[rows]
    return residual_lines(x, torch.cat(residuals, 1), weights)


def _extended(rows: Tensor, count: int) -> Tensor:
    """Rows `(r, m, …)` with the last one repeated up to `count`: k numbers that are not there change nothing."""
    return torch.cat([rows, rows[-1:].expand(max(0, count - len(rows)), *rows.shape[1:])])


def _fold(
    fitted: FittedNetwork, held_out: tuple[Tensor, Tensor], task: Task, *, tolerance: Tolerance, report: Report
) -> Fold:
    network, objective = fitted.network, fitted.objective
    likelihood, (own, targets) = objective.likelihood, objective.sample()
    inputs, outputs = fitted.standardized(*held_out)
    most = _carried(fitted, tolerance)
    narrowed = restrict_to_ranks(network, objective, most=most, report=part(report, 0.0, 0.7))
    of_constant, of_whole = likelihood.constant_loss(targets, objective.weights), objective.value(network)
    # What passes through k numbers passes through k + 1. But where a constant has the lower objective, as at the λ that
    # predicts best a deep network may stop on its way to it, fewer numbers are nearer to the constant and no better.
    for at in range(1, len(narrowed)) if of_whole <= of_constant else ():
        narrowed[at] = min(narrowed[at - 1 : at + 1], key=lambda each: each.value)
    constant = likelihood.best_constant(targets, objective.weights)
    whole = network(inputs)
    through = [each.network(inputs) for each in narrowed]
    through.insert(0, constant.expand(len(inputs), -1))
    losses = [likelihood.row_losses(each, outputs) for each in through]
    values = [of_constant, *(each.value for each in narrowed), of_whole]
    last = _last_latents(narrowed, torch.cat([own, inputs]), likelihood, part(report, 0.7, 0.9))
    expected = [likelihood.expectation(each) for each in (*through, whole)]
    numbers, trained = (likelihood.as_numbers(each, network.d_out) for each in (outputs, targets))
    combined = path_of_fold(fitted, (inputs, outputs), task)
    is_asked = task == "classification"
    nothing = torch.zeros(0, 2, len(inputs), dtype=torch.float64)
    scores = label_scores(fitted, inputs, outputs, most) if is_asked else nothing
    return Fold(
        torch.stack(losses).cpu(),
        likelihood.row_losses(whole, outputs).cpu(),
        torch.tensor(values, dtype=torch.float64) / of_constant,
        torch.tensor([each.sensitivity for each in last], dtype=torch.float64),
        torch.tensor([each.r2_given_others for each in last], dtype=torch.float64),
        torch.stack([likelihood.row_errors(each, outputs) for each in through]).cpu(),
        linear_errors(objective, (inputs, outputs), network.d_out, min(_most(fitted), _LINEAR)),
        full_errors(objective, (inputs, outputs), network.d_out, task),
        held_out_residuals(expected if task != "autoencoder" else [], numbers),
        scores,
        agreements(expected, numbers, trained, objective.weights).cpu(),
        combined.losses,
        combined.surprises,
        combined.directions,
    )


def _last_latents(
    narrowed: Sequence[RestrictedNetwork], rows: Tensor, likelihood: Likelihood, report: Report
) -> list[LastLatent]:
    """The coordinate that matters least of each of the networks through k = 1, 2, … numbers."""
    last: list[LastLatent] = []

    def measured(rank: int) -> LastLatent:
        found = narrowed[rank - 1]
        return last_latent(found.network, found.layer, rank, rows, likelihood)

    for found in side_by_side(measured, range(1, len(narrowed) + 1)):
        last.append(found)
        report(len(last) / len(narrowed), f"coordinate {len(last)}")
    return last


def _carried(fitted: FittedNetwork, tolerance: Tolerance) -> int:
    """The largest k that is looked at: two more than the network needs, and no more than can be of use."""
    network, sample = fitted.network, fitted.objective.sample()[0]
    needed = truncation_curve(network, sample, until=tolerance.relative / 10.0, extra=2)[-1].rank
    return max(1, min(needed, _most(fitted)))


def _most(fitted: FittedNetwork) -> int:
    """No function passes through more numbers than it has inputs, or than tell its outputs."""
    return min(fitted.network.d_in, fitted.objective.likelihood.free_outputs(fitted.network.d_out))
