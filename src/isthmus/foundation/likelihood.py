"""Losses on held-out rows, and how well the mean of their differences is known."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.foundation.statistics import effective_rows, standard_error, weighted_mean


def row_losses(outputs: Tensor, targets: Tensor, *, is_classification: bool) -> Tensor:
    """What counts on held-out rows: squared errors, or 1 where the class is wrong; `(n,)` float64."""
    if is_classification:
        return (outputs.argmax(1) != targets).double()
    return likelihood_losses(outputs, targets)


def likelihood_losses(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared errors of outputs `(n, d_out)`, or −log of the probability of class indices `(n,)`; `(n,)` float64."""
    if targets.is_floating_point():
        return (outputs.double() - targets.double()).square().sum(1)
    return torch.nn.functional.cross_entropy(outputs.double(), targets, reduction="none")


def excess_error(excess: Tensor, *, is_classification: bool, weights: Tensor | None = None) -> float:
    """Standard error of the mean of `excess` `(n,)`, the differences of paired losses, of rows with `weights`.

    Differences of losses of 0 or 1 get half a row in each of the four outcomes: without it a k that happens to agree
    with the whole network on a few rows would be certain to do so everywhere. With weights the number of rows is the
    effective one (`standard_error`).

    Source:
        Agresti and Min (2005), intervals for differences of proportions of matched pairs.
    """
    if not is_classification:
        return standard_error(excess, weights)
    rows = len(excess) if weights is None else effective_rows(weights)
    n = rows + 2
    scatter = rows * float(weighted_mean(excess.square(), weights)) + 1.0
    scatter -= (rows * float(weighted_mean(excess, weights))) ** 2 / n
    return float(scatter**0.5 / n)
