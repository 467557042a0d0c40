"""Losses of every k on rows that were not trained on: each row is held out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.task import Task
from isthmus.foundation.threads import side_by_side
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.selection.cache import SelectionCache
from isthmus.selection.canonical_correlations import CanonicalCorrelations, canonical_correlations
from isthmus.selection.fold import Fold
from isthmus.selection.folds import Folds
from isthmus.selection.last_latent import LastLatent, last_latent
from isthmus.selection.linear_share import held_out_squares, linear_share
from isthmus.selection.restriction import restrict_to_ranks
from isthmus.selection.simple_methods import full_errors, linear_errors
from isthmus.spectra import truncation_curve
from isthmus.training import FittedNetwork

_LINEAR = 100  # numbers that the linear method is tried with
Train = Callable[[int, Report], FittedNetwork]
"""Trains a network for the fold of this index, on rows that the fold does not hold out."""


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
        linear_share: How much of what the networks explain linear functions do (`linear_share`); 0 of an autoencoder,
            and where linear functions need more than K numbers or all directions of x or y.
        errors: `(K + 1, m)`: what a person counts (`Likelihood.row_errors`), through k numbers.
        linear_errors: `(K + 1, m)`: the same of the linear method through as many numbers.
        full_errors: `(methods, m)`: the same of the methods of `simple_methods.FULL`.
    """

    rows: Tensor
    losses: Tensor
    whole: Tensor
    objectives: Tensor
    sensitivities: Tensor
    redundancies: Tensor
    linear: CanonicalCorrelations
    linear_share: float
    errors: Tensor
    linear_errors: Tensor
    full_errors: Tensor


@flushed_denormals()
@torch.no_grad()
def cross_validate(
    train: Train,
    sample: Sample,
    folds: Folds,
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    cache: SelectionCache | None = None,
    report: Report = silent,
) -> list[Fold]:
    """Train a network for each fold, restrict it to every k, and take the losses at the rows that the fold holds out.

    Args:
        train: Trains the network of a fold.
        sample: All rows.
        folds: The rows that each holds out; no row is held out twice.
        tolerance: ε of the selection that the losses are for. K is what one of the networks needs to be kept within
            ε/10, and two more.
        cache: Where folds that are done are kept, so that they need not be done again.
        report: Told the fraction done.

    Returns:
        What each fold says; after Ctrl-C those that were done, if one was.

    Raises:
        KeyboardInterrupt: If none was done.
    """
    cache = cache or SelectionCache()
    x, y = torch.from_numpy(sample.x), torch.from_numpy(sample.y)
    found: list[Fold] = []
    for index, (_, held) in enumerate(folds):
        told = part(report, index / len(folds), (index + 1) / len(folds))
        held_out = x[torch.from_numpy(held)], y[torch.from_numpy(held)]

        def made(index: int = index, held_out: tuple[Tensor, Tensor] = held_out, told: Report = told) -> Fold:
            return _fold(
                train(index, part(told, 0.0, 0.7)),
                held_out,
                sample.task,
                tolerance=tolerance,
                report=part(told, 0.7, 1.0),
            )

        try:
            found.append(cache.fold(index, made))
        except KeyboardInterrupt:
            if not found:
                raise
            break
    return found


@torch.no_grad()
def summarize_folds(found: Sequence[Fold], sample: Sample, folds: Folds) -> CrossValidation:
    """Put together what the folds say that are done.

    Args:
        found: Of the first of the folds, at least one.
        sample: All rows.
        folds: All folds.
    """
    ranks = max(len(fold.losses) for fold in found)
    # A network that carries fewer than K directions passes through K numbers as it is.
    losses = [torch.cat([fold.losses, fold.whole.expand(ranks - len(fold.losses), -1)]) for fold in found]
    objectives = [torch.cat([fold.objectives, fold.objectives[-1:].expand(ranks)])[:ranks] for fold in found]
    rows = torch.cat([torch.from_numpy(held) for _, held in folds[: len(found)]])
    x, y, weights = (torch.from_numpy(each)[rows] for each in (sample.x, sample.y, sample.weights))
    if sample.task == "autoencoder":
        linear, share = CanonicalCorrelations(*torch.zeros(2, 0, dtype=torch.float64)).padded(ranks), 0.0
    else:
        linear = canonical_correlations(x, y, weights).padded(ranks)
        share = linear_share(torch.cat([fold.squares for fold in found], 1), weights)
        if not linear.are_as_chance():
            share = 0.0  # lines need more numbers than there are to test: they follow what the networks bend
    return CrossValidation(
        rows,
        torch.cat(losses, 1),
        torch.cat([fold.whole for fold in found]),
        torch.stack(objectives),
        torch.stack([torch.nn.functional.pad(fold.sensitivities, (0, ranks))[:ranks] for fold in found]),
        torch.stack([torch.nn.functional.pad(fold.redundancies, (0, ranks))[:ranks] for fold in found]),
        linear,
        share,
        torch.cat([_extended(fold.errors, ranks) for fold in found], 1),
        torch.cat([_extended(fold.linear_errors, ranks)[:ranks] for fold in found], 1),
        torch.cat([fold.full_errors for fold in found], 1),
    )


def _extended(rows: Tensor, count: int) -> Tensor:
    """Rows `(r, m)` with the last one repeated up to `count`: k numbers that are not there change nothing."""
    return torch.cat([rows, rows[-1:].expand(max(0, count - len(rows)), -1)])


def _fold(
    fitted: FittedNetwork, held_out: tuple[Tensor, Tensor], task: Task, *, tolerance: Tolerance, report: Report
) -> Fold:
    network, objective = fitted.network, fitted.objective
    likelihood, (own, targets) = objective.likelihood, objective.sample()
    inputs, outputs = fitted.standardized(*held_out)
    most = _carried(fitted, tolerance)
    narrowed = restrict_to_ranks(network, objective, most=most, report=part(report, 0.0, 0.7))
    for at in range(1, len(narrowed)):  # what passes through k numbers passes through k + 1
        narrowed[at] = min(narrowed[at - 1 : at + 1], key=lambda each: each.value)
    constant = likelihood.best_constant(targets, objective.weights)
    whole = network(inputs)
    through = [each.network(inputs) for each in narrowed]
    losses = [likelihood.row_losses(each, outputs) for each in (constant.expand(len(inputs), -1), *through)]
    of_constant = likelihood.constant_loss(targets, objective.weights)
    values = [of_constant, *(each.value for each in narrowed), objective.value(network)]
    rows = torch.cat([own, inputs])
    last: list[LastLatent] = []

    def measured(rank: int) -> LastLatent:
        found = narrowed[rank - 1]
        return last_latent(found.network, found.layer, rank, rows, likelihood)

    for found in side_by_side(measured, range(1, len(narrowed) + 1)):
        last.append(found)
        report(0.7 + 0.3 * len(last) / len(narrowed), f"coordinate {len(last)}")
    return Fold(
        torch.stack(losses).cpu(),
        likelihood.row_losses(whole, outputs).cpu(),
        torch.tensor(values, dtype=torch.float64) / of_constant,
        torch.tensor([each.sensitivity for each in last], dtype=torch.float64),
        torch.tensor([each.r2_given_others for each in last], dtype=torch.float64),
        held_out_squares(objective, whole, (inputs, outputs)).cpu(),
        torch.stack(
            [likelihood.row_errors(each, outputs) for each in (constant.expand(len(inputs), -1), *through)]
        ).cpu(),
        linear_errors(objective, (inputs, outputs), network.d_out, min(_most(fitted), _LINEAR)),
        full_errors(objective, (inputs, outputs), network.d_out, task),
    )


def _carried(fitted: FittedNetwork, tolerance: Tolerance) -> int:
    """The largest k that is looked at: two more than the network needs, and no more than can be of use."""
    network, sample = fitted.network, fitted.objective.sample()[0]
    needed = truncation_curve(network, sample, until=tolerance.relative / 10.0, extra=2)[-1].rank
    return max(1, min(needed, _most(fitted)))


def _most(fitted: FittedNetwork) -> int:
    """No function passes through more numbers than it has inputs, or than tell its outputs."""
    return min(fitted.network.d_in, fitted.objective.likelihood.free_outputs(fitted.network.d_out))
