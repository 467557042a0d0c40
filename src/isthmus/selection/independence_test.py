"""Whether outputs depend on inputs at all: a test of rank 0 whose false alarms have a stated level."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from isthmus.foundation.statistics import weighted_mean

LEVEL = 0.05
"""The p-value at which a constant is as probable as not: at most so many draws of noise are given a rank above 0."""
_MET_TWICE = 2.0


def agreements(predicted: Sequence[Tensor], truths: Tensor, trained: Tensor, weights: Tensor | None) -> Tensor:
    r"""$\langle f, y \rangle$ of predictions f and outputs y about the mean of the training rows, and its variance.

    If y does not depend on the inputs, f is given when y is drawn, so that the variance is $f^\top C f$ with C the
    covariance of the outputs: that of the training rows.

    Args:
        predicted: At the held-out rows, `(m, d_out)` each.
        truths: Outputs there, `(m, d_out)`.
        trained: Outputs of the rows that were trained on, `(n, d_out)`.
        weights: How much each of those counts, `(n,)`; None for all alike.

    Returns:
        `(len(predicted), 2, m)` float64.
    """
    mean = weighted_mean(trained.double(), weights)
    root = trained.double() - mean
    root *= 1.0 / len(root) ** 0.5 if weights is None else (weights / weights.sum()).to(root).sqrt()[:, None]
    if len(root) > root.shape[1]:  # C only sees the triangular factor
        root = torch.linalg.qr(root, mode="r").R
    found = []
    for each in predicted:
        moved = each.double() - mean
        found.append(torch.stack([(moved * (truths.double() - mean)).sum(1), (moved @ root.T).square().sum(1)]))
    return torch.stack(found)


def standardized_agreement(rows: Tensor, weights: Tensor) -> float:
    """Sum of `agreements` of one function, `(2, m)`, in standard deviations; 0 of a constant.

    Args:
        rows: Of `agreements`.
        weights: How much each row counts, `(m,)`, positive.
    """
    agreement, variance = rows
    scale = float((weights.square() @ variance).sqrt())
    return float(weights @ agreement) / scale if scale > 0.0 else 0.0


def constant_probability(agreement: float, chance_of_lines: float) -> float:
    r"""The probability that a constant is enough, from how far predictions of held-out rows agree with the outputs.

    Two tests of independence are taken together, $p = \min(1, 2 \min(p_f, p_l))$ (Bonferroni). $p_l$ is that of lines.
    $p_f$ is the probability that a normal variable is above $T / \sqrt 2$ with T the `standardized_agreement` of the
    function that predicts best. As the variance is that of the outputs, and not of what the few rows that were met
    say of it, some large ones hide nothing. The 2 is for folds: every pair of rows of different folds is met twice,
    once with either in training, so that of predictions that are linear in the outputs with symmetric weights, as of
    kernels, the sum has twice the variance that independent rows would give.

    The probability is $-e p \log p$ over twice its value at the `LEVEL`, where it is 1/2, and at most 1: the most that
    p leaves for a hypothesis, so that a p-value of 5 % is not taken for 95 % against it.

    Args:
        agreement: T.
        chance_of_lines: $p_l$ in [0, 1].

    Source:
        Sellke, Bayarri and Berger (2001) for the bound.
    """
    chance = min(chance_of_lines, 0.5 * math.erfc(agreement / math.sqrt(2.0 * _MET_TWICE)))
    return min(1.0, _most_left(min(1.0, 2.0 * chance)) / (2.0 * _most_left(LEVEL)))


def _most_left(p: float) -> float:
    """The bound on the Bayes factor of a hypothesis with this p-value."""
    if p <= 0.0:
        return 0.0
    return -math.e * p * math.log(p) if p < 1.0 / math.e else 1.0
