"""The rank that the folds ask for, and the evidence for each k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.statistics import standard_error, weighted_mean
from isthmus.foundation.task import Task
from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import NOTHING_LEFT
from isthmus.selection.cross_validation import CrossValidation
from isthmus.selection.features import Averages
from isthmus.selection.posterior import posterior, sufficient_probabilities


@dataclass(frozen=True)
class RankEvidence:
    r"""What is known about k = 0 … K: tuples of K + 1 numbers.

    Attributes:
        weighed: What the weights of the evidence give each k: its probability, where they hold.
        errors: Held-out loss through k numbers: squared errors summed over the standardised outputs, or −log of the
            probability of the class.
        standard_errors: Of the excess over the best k, rows paired; 0 for that one.
        objectives: Training objective through k numbers, relative to the constant's, mean over the folds.
        sensitivities: How much coordinate k + 1 of the network through k + 1 numbers matters, relative to the first,
            root mean square over the folds.
        redundancies: How much of that coordinate the k before it determine (R²), mean over the folds with its squared
            sensitivities as weights: near 1 it is a bend.
        correlations: Of the k + 1st pair of linear functions of inputs and outputs (`CanonicalCorrelations`).
        linear: How significantly linear functions of the inputs alone need more than k numbers, in standard deviations
            of Bartlett's statistic.
        residual_lines: By how much clearer linear functions of the inputs see what k numbers leave than what the whole
            networks leave, in standard deviations (`residual_lines`); 0 of autoencoders.
        shared_slopes: How far networks of two halves of the rows share direction k + 1 along which classes change,
            relative to the first (`shared_slopes`); 0 unless classes are learned.
        label_scores: How clearly number k + 1, as a network has learned it, speaks for the classes of rows that were
            held out, in standard deviations (`label_scores`); 0 unless classes are learned.
        network_errors: What a person counts at the same rows (`Likelihood.row_errors`), through k numbers.
        linear_errors: The same of the linear method through k numbers: reduced-rank regression, or PCA.
        whole_error: Held-out loss of the whole networks.
        whole_standard_error: Its standard error.
        folds: How many folds were evaluated.
        rows: How many rows they held out.
    """

    weighed: tuple[float, ...]
    errors: tuple[float, ...]
    standard_errors: tuple[float, ...]
    objectives: tuple[float, ...]
    sensitivities: tuple[float, ...]
    redundancies: tuple[float, ...]
    correlations: tuple[float, ...]
    linear: tuple[float, ...]
    residual_lines: tuple[float, ...]
    shared_slopes: tuple[float, ...]
    label_scores: tuple[float, ...]
    network_errors: tuple[float, ...]
    linear_errors: tuple[float, ...]
    whole_error: float
    whole_standard_error: float
    folds: int
    rows: int

    @staticmethod
    def without_variation(error: float, rows: int) -> RankEvidence:
        """Of rows whose inputs or outputs are all the same; `error` is that of the best constant."""
        nothing = (0.0,)
        own = (error,)
        seen = own, nothing, (1.0,), nothing, nothing, nothing, (NOTHING_LEFT,), nothing, nothing, nothing
        return RankEvidence((1.0,), *seen, own, own, error, 0.0, 0, rows)


def weigh_evidence(
    cross: CrossValidation, weights: Tensor, task: Task, tolerance: Tolerance
) -> tuple[Tensor, RankEvidence]:
    """Probabilities of k = 0 … K, `(K + 1,)`, and what they were weighed from.

    Args:
        cross: Losses, objectives and coordinates of every k.
        weights: How much each row of the data counts, `(n,)`, positive.
        task: What is learned.
        tolerance: ε.
    """
    seen = Averages.of(cross, weights)
    chances = posterior(sufficient_probabilities(seen, task, tolerance))
    counted = weights[cross.rows].double()
    return chances, RankEvidence(
        _plain(chances),
        _plain(seen.errors),
        _plain(seen.deviations),
        _plain(seen.objectives),
        _plain(seen.sensitivities),
        _plain(seen.redundancies),
        _plain(cross.linear.correlations),
        _plain(cross.linear.significance),
        _plain(seen.residual_lines),
        _plain(seen.shared_slopes),
        _plain(seen.label_scores),
        tuple(float(weighted_mean(row, counted)) for row in cross.errors),
        tuple(float(weighted_mean(row, counted)) for row in cross.linear_errors),
        float(weighted_mean(cross.whole, counted)),
        standard_error(cross.whole, counted),
        len(cross.objectives),
        len(cross.rows),
    )


def _plain(values: Tensor | Sequence[float]) -> tuple[float, ...]:
    return tuple(torch.as_tensor(values).tolist())
