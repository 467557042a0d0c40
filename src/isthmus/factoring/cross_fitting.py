"""Losses of every k on rows that were not trained on: each row is held out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from isthmus.ranks.jacobian import jacobians, spaced
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.training import FittedNetwork, Objective, cross_entropy

_POINTS = 300  # held-out rows of a fold at which f is differentiated
_ROWS = 50  # of them at a time where the derivative is formed

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
    """What one fold says about the rows it has held out.

    Attributes:
        losses: Through k = 0, 1, 2, … numbers, as many as its network carries, `(·, m)` float64.
        whole: Of its whole network, `(m,)` float64.
        sizes: Of the derivative's directions, as many as the network is wide, float64.
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
        tolerance: ε of the decision that the losses are for. K is what one of the networks needs to be kept within
            ε/10, and two more.
        evaluations: Gradient evaluations of each refit.
        keep: Where folds that are done are kept, so that they need not be done again.
        report: Told the fraction done.
    """
    found: list[Fold] = []
    for index, (trained, held_out) in enumerate(folds):
        told = part(report, index / len(folds), (index + 1) / len(folds))
        rows = x[held_out], y[held_out]
        made = partial(_fold, train, trained, rows, tolerance=tolerance, evaluations=evaluations, report=told)
        found.append(keep(index, made))
    ranks = max(len(fold.losses) for fold in found)
    # A network that carries fewer than K directions passes through K numbers as it is.
    losses = [torch.cat([fold.losses, fold.whole.expand(ranks - len(fold.losses), -1)]) for fold in found]
    return CrossFit(
        torch.cat([held_out for _, held_out in folds]),
        torch.tensor([len(held_out) for _, held_out in folds]),
        torch.cat(losses, 1),
        torch.cat([fold.whole for fold in found]),
        torch.stack([torch.nn.functional.pad(fold.sizes, (0, ranks))[:ranks] for fold in found]),
    )


def _fold(
    train: Train,
    trained: Rows,
    held_out: tuple[Tensor, Tensor],
    *,
    tolerance: Tolerance,
    evaluations: int,
    report: Report,
) -> Fold:
    fitted = train(trained, part(report, 0.0, 0.7))
    inputs, outputs = fitted.standardized(*held_out)
    narrowed = descent(
        fitted.network,
        fitted.objective,
        most=_carried(fitted, tolerance),
        evaluations=evaluations,
        report=part(report, 0.7, 1.0),
    )
    losses = [likelihood_losses(best_constant(fitted.objective).expand(len(inputs), -1), outputs)]
    losses += [likelihood_losses(each.network(inputs), outputs) for each in narrowed]
    whole = likelihood_losses(fitted.network(inputs), outputs)
    sizes = direction_sizes(fitted.network, fitted.objective, inputs, min(fitted.network.widths) + 1)
    return Fold(torch.stack(losses).cpu(), whole.cpu(), sizes.cpu())


def _carried(fitted: FittedNetwork, tolerance: Tolerance) -> int:
    sample = fitted.objective.sample()[0]
    return max(1, narrowings(fitted.network, sample, until=tolerance.relative / 10.0, extra=2)[-1].rank)


def direction_sizes(network: FullyConnected, objective: Objective, x: Tensor, count: int) -> Tensor:
    r"""$\rho_j = \sqrt{\sum_i s_{j+1}(Jf(x_i))^2 / \sum_i s_1(Jf(x_i))^2}$ for j = 0 … `count` − 1, float64.

    Of a classification f is $2\sqrt{p}$, p the probabilities: lengths are then those of the Fisher information, and a
    direction along which the classes are as certain as before is none.

    Args:
        network: f.
        objective: What it was trained on; its loss says whether f is a classification.
        x: Rows `(n, d_in)` in the network's units.
        count: How many; zero from the smallest width on.
    """
    points = spaced(x, _POINTS)
    if objective.loss is cross_entropy:
        values = torch.cat([_fisher_lengths(network, rows) for rows in points.split(_ROWS)])
    else:
        values = jacobian_spectra(network, points).singular_values
    squares = values.square().sum(0)
    sizes = (squares / squares[0].clamp_min(torch.finfo(torch.float64).tiny)).sqrt()
    return torch.nn.functional.pad(sizes, (0, max(0, count - len(sizes))))[:count]


def _fisher_lengths(network: FullyConnected, x: Tensor) -> Tensor:
    roots = network(x).double().softmax(1).sqrt()
    slopes = roots[:, :, None] * jacobians(network, x)
    # d(2√p) = (√p − √p √pᵀ √p) dz with dz the change of the logits
    slopes = slopes - roots[:, :, None] * (roots[:, None, :] @ slopes)
    lengths: Tensor = torch.linalg.svdvals(slopes)
    return lengths
