"""Losses of every k on rows that were not trained on: each row is held out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from isthmus.denormals import flushed_denormals
from isthmus.factoring.constants import best_constant
from isthmus.factoring.descent import EVALUATIONS, descent
from isthmus.factoring.losses import likelihood_losses
from isthmus.functions import FullyConnected
from isthmus.progress import Report, part, silent
from isthmus.ranks import jacobian_spectra, narrowings
from isthmus.ranks.jacobian import spaced
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.training import FittedNetwork, Objective, cross_entropy

_POINTS = 300  # held-out rows of a fold at which f is differentiated

Rows = Tensor
Train = Callable[[Rows, Report], FittedNetwork]
"""Trains a network on the rows of these indices."""


@dataclass(frozen=True, eq=False)
class CrossFit:
    r"""What networks that were trained on some rows say about the others.

    Attributes:
        rows: Indices of the held-out rows, `(m,)`, fold after fold; a row that no fold could hold out is missing.
        sizes_of_folds: How many each fold has held out, `(folds,)`.
        losses: $\ell_{k,i}$ `(K + 1, m)` float64: the loss at held-out row i of the function through k numbers, of its
            fold; of k = 0 of the best constant. Squared errors summed over the standardised outputs, or −log of the
            probability of the class.
        whole: `(m,)`: of the whole networks.
        spectra: $\rho_j$ `(folds, K + 1)`: size of the whole network's derivative in direction j + 1, root mean square
            over held-out rows of the singular values of its Jacobian, relative to the first direction's.
    """

    rows: Tensor
    sizes_of_folds: Tensor
    losses: Tensor
    whole: Tensor
    spectra: Tensor


@dataclass(frozen=True, eq=False)
class Fold:
    """What one fold says about the rows it has held out: its columns of `CrossFit`.

    Attributes:
        losses: `(K + 1, m)` float64.
        whole: `(m,)` float64.
        sizes: `(K + 1,)` float64.
    """

    losses: Tensor
    whole: Tensor
    sizes: Tensor


Keep = Callable[[int, Callable[[], Fold]], Fold]
"""Gives the fold of this index: one that was kept, or else the one that it lets be made."""


@flushed_denormals()
@torch.no_grad()
def cross_fit(
    train: Train,
    x: Tensor,
    y: Tensor,
    folds: Sequence[tuple[Rows, Rows]],
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    evaluations: int = EVALUATIONS,
    keep: Keep = lambda index, made: made(),
    report: Report = silent,
) -> CrossFit:
    """Train on each fold's rows, narrow the network to every k, and take the losses at the fold's held-out rows.

    Args:
        train: Trains a network on some of the rows.
        x: Inputs `(n, d_in)` in the units of the data.
        y: Outputs `(n, d_out)` or labels `(n,)`.
        folds: Pairs of (rows to train on, rows held out); no row is held out twice.
        tolerance: ε of the decision that the losses are for. K is what the first network needs to be kept within
            ε/10, and two more.
        evaluations: Gradient evaluations of each refit.
        keep: Where folds that are done are kept, so that they need not be done again.
        report: Told the fraction done.
    """
    found: list[Fold] = []
    for index, (trained, held_out) in enumerate(folds):
        told = part(report, index / len(folds), (index + 1) / len(folds))
        most = len(found[0].losses) - 1 if found else None
        rows = x[held_out], y[held_out]
        made = partial(_fold, train, trained, rows, most, tolerance=tolerance, evaluations=evaluations, report=told)
        found.append(keep(index, made))
    return CrossFit(
        torch.cat([held_out for _, held_out in folds]),
        torch.tensor([len(held_out) for _, held_out in folds]),
        torch.cat([fold.losses for fold in found], 1),
        torch.cat([fold.whole for fold in found]),
        torch.stack([fold.sizes for fold in found]),
    )


def _fold(
    train: Train,
    trained: Rows,
    held_out: tuple[Tensor, Tensor],
    most: int | None,
    *,
    tolerance: Tolerance,
    evaluations: int,
    report: Report,
) -> Fold:
    fitted = train(trained, part(report, 0.0, 0.7))
    inputs, outputs = fitted.standardized(*held_out)
    most = most or _carried(fitted, tolerance)
    narrowed = descent(
        fitted.network, fitted.objective, most=most, evaluations=evaluations, report=part(report, 0.7, 1.0)
    )
    whole = likelihood_losses(fitted.network(inputs), outputs)
    losses = [likelihood_losses(best_constant(fitted.objective).expand(len(inputs), -1), outputs)]
    losses += [likelihood_losses(each.network(inputs), outputs) for each in narrowed]
    # Where no layer carries K coordinates the network passes through fewer already.
    losses += [whole] * (most + 1 - len(losses))
    sizes = direction_sizes(fitted.network, fitted.objective, inputs, most + 1)
    return Fold(torch.stack(losses).cpu(), whole.cpu(), sizes.cpu())


def _carried(fitted: FittedNetwork, tolerance: Tolerance) -> int:
    sample = fitted.objective.sample()[0]
    return max(1, narrowings(fitted.network, sample, until=tolerance.relative / 10.0, extra=2)[-1].rank)


def direction_sizes(network: FullyConnected, objective: Objective, x: Tensor, count: int) -> Tensor:
    r"""$\rho_j = \sqrt{\sum_i s_{j+1}(Jf(x_i))^2 / \sum_i s_1(Jf(x_i))^2}$ for j = 0 … `count` − 1, float64.

    Of a classification f are the logits up to a number that is added to all of them: it changes no probability.

    Args:
        network: f.
        objective: What it was trained on; its loss says whether f is a classification.
        x: Rows `(n, d_in)` in the network's units.
        count: How many; zero from the smallest width on.
    """
    if objective.loss is cross_entropy:
        network = _centred(network)
    squares = jacobian_spectra(network, spaced(x, _POINTS)).singular_values.square().sum(0)
    sizes = (squares / squares[0].clamp_min(torch.finfo(torch.float64).tiny)).sqrt()
    return torch.nn.functional.pad(sizes, (0, max(0, count - len(sizes))))[:count]


def _centred(network: FullyConnected) -> FullyConnected:
    last = network.weights[-1]
    return replace(network, weights=(*network.weights[:-1], last - last.mean(0)))
