"""Losses of every k on rows that were not trained on: each row is held out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from isthmus.data import Task
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import likelihood_losses
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.threads import side_by_side
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.selection.canonical_correlations import CanonicalCorrelations, canonical_correlations
from isthmus.selection.constants import best_constant
from isthmus.selection.last_latent import WeakestCoordinate, weakest_coordinate
from isthmus.selection.linear_share import held_out_squares, linear_share
from isthmus.selection.restriction import EVALUATIONS, descent
from isthmus.spectra import narrowings
from isthmus.training import FittedNetwork, constant_loss

Rows = Tensor
Train = Callable[[int, Report], FittedNetwork]
"""Trains a network for the fold of this index, on rows that the fold does not hold out."""


@dataclass(frozen=True, eq=False)
class CrossFit:
    r"""What networks that were trained on some rows say about the others.

    Attributes:
        rows: Indices of the held-out rows, `(m,)`, fold after fold; a row that no fold could hold out is missing.
        losses: $\ell_{k,i}$ `(K + 1, m)` float64: the loss at held-out row i of the function through k numbers, of its
            fold; of k = 0 of the best constant. Squared errors summed over the standardised outputs, or −log of the
            probability of the class.
        whole: `(m,)`: of the whole networks.
        objectives: $o_k$ `(folds, K + 1)`: what the training objective is through k numbers, of a fold's constant 1.
        effects: $r_k$ `(folds, K + 1)`: how much coordinate k + 1 of the network through k + 1 numbers matters,
            relative to the first (`WeakestCoordinate`); 0 where there is none.
        dependences: $D_k$ `(folds, K + 1)`: how much of coordinate k + 1 the k before it determine.
        linear: Of inputs and outputs of all rows, for k = 0 … K; nothing of an autoencoder, whose outputs are linear
            functions of its inputs.
        linear_share: How much of what the networks explain linear functions do (`linear_share`); 0 of an autoencoder,
            and where linear functions need more than K numbers or all directions of x or y.
        task: What is learned.
    """

    rows: Tensor
    losses: Tensor
    whole: Tensor
    objectives: Tensor
    effects: Tensor
    dependences: Tensor
    linear: CanonicalCorrelations
    linear_share: float
    task: Task


@dataclass(frozen=True, eq=False)
class Fold:
    """What one fold says about the rows it has held out.

    Attributes:
        losses: Through k = 0, 1, 2, … numbers, as many as its network carries, `(·, m)` float64.
        whole: Of its whole network, `(m,)` float64.
        objectives: Through as many, and last of the whole network, relative to the constant's, float64.
        effects: Of the weakest coordinate through k = 1, 2, … numbers, float64.
        dependences: Of the same coordinates, float64.
        squares: Of the mean, of linear functions and of the whole network (`held_out_squares`).
    """

    losses: Tensor
    whole: Tensor
    objectives: Tensor
    effects: Tensor
    dependences: Tensor
    squares: Tensor


Keep = Callable[[int, Callable[[], Fold]], Fold]
"""Gives the fold of this index: one that was kept, or else the one that it lets be made."""


@flushed_denormals()
@torch.no_grad()
def cross_fit(
    train: Train,
    x: Tensor,
    y: Tensor,
    folds: Sequence[Rows],
    *,
    task: Task,
    weights: Tensor | None = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    evaluations: int = EVALUATIONS,
    keep: Keep = lambda index, made: made(),
    report: Report = silent,
) -> CrossFit:
    """Train a network for each fold, narrow it to every k, and take the losses at the rows that the fold holds out.

    Args:
        train: Trains the network of a fold.
        x: Inputs `(n, d_in)` in the units of the data.
        y: Outputs `(n, d_out)` or labels `(n,)`.
        folds: The rows that each holds out; no row is held out twice.
        task: What is learned.
        weights: How much each row counts, `(n,)`, positive; None for all alike.
        tolerance: ε of the decision that the losses are for. K is what one of the networks needs to be kept within
            ε/10, and two more.
        evaluations: Gradient evaluations of each refit.
        keep: Where folds that are done are kept, so that they need not be done again.
        report: Told the fraction done.
    """
    found: list[Fold] = []
    for index, held in enumerate(folds):
        told = part(report, index / len(folds), (index + 1) / len(folds))
        held_out = x[held], y[held]
        made = partial(_fold, train, index, held_out, tolerance=tolerance, evaluations=evaluations, report=told)
        found.append(keep(index, made))
    ranks = max(len(fold.losses) for fold in found)
    # A network that carries fewer than K directions passes through K numbers as it is.
    losses = [torch.cat([fold.losses, fold.whole.expand(ranks - len(fold.losses), -1)]) for fold in found]
    objectives = [torch.cat([fold.objectives, fold.objectives[-1:].expand(ranks)])[:ranks] for fold in found]
    rows = torch.cat(list(folds))
    counted = None if weights is None else weights[rows]
    if task == "autoencoder":
        linear, share = CanonicalCorrelations(*torch.zeros(2, 0, dtype=torch.float64)).padded(ranks), 0.0
    else:
        linear = canonical_correlations(x[rows], y[rows], counted).padded(ranks)
        share = linear_share(torch.cat([fold.squares for fold in found], 1), counted)
        if not linear.are_as_chance():
            share = 0.0  # lines need more numbers than there are to test: they follow what the networks bend
    return CrossFit(
        rows,
        torch.cat(losses, 1),
        torch.cat([fold.whole for fold in found]),
        torch.stack(objectives),
        torch.stack([torch.nn.functional.pad(fold.effects, (0, ranks))[:ranks] for fold in found]),
        torch.stack([torch.nn.functional.pad(fold.dependences, (0, ranks))[:ranks] for fold in found]),
        linear,
        share,
        task,
    )


def _fold(
    train: Train,
    index: int,
    held_out: tuple[Tensor, Tensor],
    *,
    tolerance: Tolerance,
    evaluations: int,
    report: Report,
) -> Fold:
    fitted = train(index, part(report, 0.0, 0.7))
    network, objective = fitted.network, fitted.objective
    inputs, outputs = fitted.standardized(*held_out)
    narrowed = descent(
        network,
        objective,
        most=_carried(fitted, tolerance),
        evaluations=evaluations,
        report=part(report, 0.7, 0.9),
    )
    for at in range(1, len(narrowed)):  # what passes through k numbers passes through k + 1
        narrowed[at] = min(narrowed[at - 1 : at + 1], key=lambda each: each.value)
    constant = best_constant(objective)
    whole = network(inputs)
    losses = [likelihood_losses(constant.expand(len(inputs), -1), outputs)]
    losses += [likelihood_losses(each.network(inputs), outputs) for each in narrowed]
    targets = objective.sample()[1]
    whole_value, of_constant = objective.value(network), constant_loss(targets, objective.weights)
    values = [of_constant, *(each.value for each in narrowed), whole_value]
    rows = torch.cat([objective.sample()[0], inputs])
    weakest = []

    def measured(rank: int) -> WeakestCoordinate:
        found = narrowed[rank - 1]
        return weakest_coordinate(found.network, found.layer, rank, rows, objective.loss)

    for found in side_by_side(measured, range(1, len(narrowed) + 1)):
        weakest.append(found)
        report(0.9 + 0.1 * len(weakest) / len(narrowed), f"coordinate {len(weakest)}")
    return Fold(
        torch.stack(losses).cpu(),
        likelihood_losses(whole, outputs).cpu(),
        torch.tensor(values, dtype=torch.float64) / of_constant,
        torch.tensor([each.effect for each in weakest], dtype=torch.float64),
        torch.tensor([each.dependence for each in weakest], dtype=torch.float64),
        held_out_squares(objective, whole, (inputs, outputs)).cpu(),
    )


def _carried(fitted: FittedNetwork, tolerance: Tolerance) -> int:
    sample = fitted.objective.sample()[0]
    return max(1, narrowings(fitted.network, sample, until=tolerance.relative / 10.0, extra=2)[-1].rank)
