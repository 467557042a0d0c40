"""What speaks for "k numbers are enough" and against it, as numbers that can be weighed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.statistics import standard_error, weighted_mean
from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import NOTHING_LEFT, CanonicalCorrelations
from isthmus.selection.cross_validation import CrossValidation
from isthmus.selection.independence_test import standardized_agreement

FEATURES = (
    "intercept",
    "loss",
    "significance",
    "sensitivity",
    "sensitivity_drop",
    "redundancy",
    "previous_redundancy",
    "linear",
    "next_linear",
    "correlation",
    "residual_line",
    "slope_drop",
    "score_share",
)
"""What is weighed; the columns of `features`."""
# Below these differences are rounding and luck.
_LOSS, _SENSITIVITY, _CORRELATION, _SLOPE = 0.1, 0.1, 0.01, 1e-5
# Standard errors of losses, deviations of t and of what lines see in residuals that no more are told from.
_SIGNIFICANT, _UNDOUBTED, _SEEN = 4.0, 5.0, 3.0


@dataclass(frozen=True, eq=False)
class Averages:
    """What the folds say about k = 0 … K, put together.

    Attributes:
        errors: Held-out loss through k numbers, `(K + 1,)` as all that follow.
        excess: $e_k$, the same less the least.
        deviations: $s_k$, standard errors of $e_k$, rows paired; 0 for the least.
        objectives: $o_k$, relative to the constant's.
        sensitivities: $r_k$, root mean square over the folds.
        redundancies: $D_k$, mean over the folds with their squared sensitivities as weights: what a fold's network does
            not carry says nothing about what it depends on.
        linear: ρ and t.
        residual_lines: What lines see in what k numbers leave, beyond what the whole network leaves.
        shared_slopes: $q_k$, how far networks of different rows share direction k + 1, relative to the first.
        label_scores: $z_k$, sums of the scores of number k + 1 in their standard deviations.
        agreement: How far what the best k predict agrees with the outputs (`standardized_agreement`); 0 for k = 0.
    """

    errors: Tensor
    excess: Tensor
    deviations: Tensor
    objectives: Tensor
    sensitivities: Tensor
    redundancies: Tensor
    linear: CanonicalCorrelations
    residual_lines: Tensor
    shared_slopes: Tensor
    label_scores: Tensor
    agreement: float

    @staticmethod
    def of(cross: CrossValidation, weights: Tensor) -> Averages:
        """Of rows that count as much as `weights` `(n,)` say."""
        counted = weights[cross.rows].double().cpu()
        errors = torch.stack([weighted_mean(row, counted) for row in cross.losses])
        excess, best = errors - errors.min(), int(errors.argmin())
        more = cross.losses - cross.losses[best]
        deviations = excess.new_tensor([standard_error(row, counted) for row in more]).nan_to_num(0.0)
        squares = cross.sensitivities.square()
        total = squares.sum(0).clamp_min(torch.finfo(squares.dtype).tiny)
        return Averages(
            errors,
            excess,
            deviations,
            cross.objectives.mean(0),
            squares.mean(0).sqrt(),
            (squares * cross.redundancies).sum(0) / total,
            cross.linear,
            cross.residual_lines,
            cross.shared_slopes,
            errors.new_tensor([standardized_agreement(row, counted) for row in cross.scores]),
            standardized_agreement(cross.agreements[best], counted) if best > 0 else 0.0,
        )


def features(seen: Averages, tolerance: Tolerance) -> Tensor:
    r"""What speaks for "k numbers are enough" at k = 0, 1, …, K: `(K + 1, 13)`, columns as in `FEATURES`.

    With ε the tolerance:

    - loss: $\log(e_k / \varepsilon^2 e_0 + 0.1)$, the held-out loss that more numbers avoid.
    - significance: $\min(e_k / s_k, 4)$.
    - sensitivity: $\log(r_k / \varepsilon + 0.1)$, how much the next coordinate matters.
    - sensitivity_drop: the same less that of the coordinate before.
    - redundancy: $D_k$, how much of the next coordinate is determined by those before: it bends a sheet and is no
      number of its own.
    - previous_redundancy: $D_{k-1}$, the same of coordinate k: a network that bends its sheet at k already will do so
      at k + 1.
    - linear: $t_k$ between −2 and 5, how significantly linear functions of the inputs alone need more than k numbers.
    - next_linear: $t_{k+1}$, the same of one number more.
    - correlation: $\log(\rho_{k+1}^2 + 0.01)$, of the linear functions that k numbers leave out.
    - residual_line: what lines see in what k numbers leave, between 0 and 3.
    - slope_drop: $\log(q_k / q_{k-1})$, of numbers above $10^{-5}$: how much less two networks share direction k + 1
      than direction k.
    - score_share: $\log((z_k^+ + 1) / (\max z^+ + 1))$, with $z^+$ what is above 0: how clearly number k + 1 speaks for
      classes, beside the clearest.
    """
    epsilon, gained = tolerance.relative, float(seen.excess[0])
    excess, errors = seen.excess, seen.deviations
    losses = torch.log(excess / (epsilon**2 * gained if gained > 0 else 1.0) + _LOSS)
    sensitivity = torch.log(seen.sensitivities / epsilon + _SENSITIVITY)
    drop = torch.cat([sensitivity[:1] * 0.0, sensitivity.diff()])
    significance = torch.where(errors > 0, excess / errors.clamp_min(torch.finfo(errors.dtype).tiny), 0.0)
    before = torch.cat([seen.redundancies[:1] * 0.0, seen.redundancies[:-1]])
    columns = [losses, significance.clamp_max(_SIGNIFICANT), sensitivity, drop, seen.redundancies, before]
    linearly = seen.linear.significance.clamp(NOTHING_LEFT, _UNDOUBTED)
    columns += [linearly, torch.cat([linearly[1:], linearly.new_full((1,), NOTHING_LEFT)])]
    columns.append(torch.log(seen.linear.correlations.square() + _CORRELATION))
    columns.append(seen.residual_lines.clamp(0.0, _SEEN))
    slopes = torch.log(seen.shared_slopes.clamp_min(_SLOPE))
    columns.append(torch.cat([slopes[:1] * 0.0, slopes.diff()]))
    spoken = torch.log1p(seen.label_scores.clamp_min(0.0))
    columns.append(spoken - spoken.max())
    return torch.stack([torch.ones_like(losses), *columns], 1)
