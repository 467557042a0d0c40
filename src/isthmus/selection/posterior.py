"""How probably k numbers are enough, weighed from what speaks for it and against it."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import NOTHING_LEFT, CanonicalCorrelations

EVIDENCE = (
    "one",
    "loss",
    "significance",
    "effect",
    "drop",
    "objective",
    "bend",
    "bend before",
    "linear",
    "linear after",
    "correlation",
)
"""What is weighed; the columns of `evidence`."""
Kind = Literal["regression", "classification"]
# Fitted by benchmarks/rank_weights.py on functions of known rank, see docs/decisions/0023-unfolded-sheets.md.
WEIGHTS: dict[Kind, tuple[float, ...]] = {
    "regression": (-2.18, -0.65, -0.08, -0.55, -0.68, -0.2, 5.02, 4.03, 0.0, 0.0, 0.0),
    "classification": (-1.38, -0.3, -0.18, -0.11, -0.06, -0.44, 1.58, -0.98, 0.0, 0.0, 0.0),
}
LINEAR_WEIGHTS: dict[Kind, tuple[float, ...]] = {
    "regression": (0.03, -1.22, 0.36, 0.32, -1.29, 0.01, 5.85, 5.1, -1.44, 0.47, 0.0),
    "classification": (-2.05, -0.13, -0.12, 0.38, -0.7, 0.31, 1.65, -1.33, -0.51, -0.24, -1.71),
}
"""Where linear functions explain all that the networks explain."""
_LOSS, _EFFECT, _OBJECTIVE, _CORRELATION = 0.1, 0.1, 0.01, 0.01  # below these differences are rounding and luck
_NO_CHANCE = 2.0  # standard errors
_SIGNIFICANT, _UNDOUBTED = 4.0, 5.0  # standard errors of losses, and deviations of t, that no more are told from


def evidence(
    excess: Tensor,
    errors: Tensor,
    objectives: Tensor,
    effects: Tensor,
    dependences: Tensor,
    linear: CanonicalCorrelations,
    tolerance: Tolerance,
) -> Tensor:
    r"""What speaks for "k numbers are enough" at k = 0, 1, …, K: `(K + 1, 11)`, columns as in `EVIDENCE`.

    With ε the tolerance:

    - loss: $\log(e_k / \varepsilon^2 e_0 + 0.1)$, the held-out loss that more numbers avoid.
    - significance: $\min(e_k / s_k, 4)$.
    - effect: $\log(r_k / \varepsilon + 0.1)$, how much the next coordinate matters.
    - drop: the same less that of the coordinate before.
    - objective: $\log(o_k / \min o - 1 + 0.01)$, what more numbers lower the training objective by.
    - bend: $D_k$, how much of the next coordinate is determined by those before: it bends a sheet and is no number of
      its own.
    - bend before: $D_{k-1}$, the same of coordinate k: a network that bends its sheet at k already will do so at k + 1.
    - linear: $t_k$ between −2 and 5, how significantly linear functions of the inputs alone need more than k numbers.
    - linear after: $t_{k+1}$, the same of one number more.
    - correlation: $\log(\rho_{k+1}^2 + 0.01)$, of the linear functions that k numbers leave out.

    Args:
        excess: $e_k \ge 0$, mean held-out loss of the best function through k numbers less the least, `(K + 1,)`.
        errors: $s_k$, standard errors of $e_k$, `(K + 1,)`.
        objectives: $o_k > 0$, `(K + 1,)`.
        effects: $r_k$ `(K + 1,)`.
        dependences: $D_k$ `(K + 1,)`.
        linear: ρ and t `(K + 1,)`.
        tolerance: ε.
    """
    epsilon, gained = tolerance.relative, float(excess[0])
    losses = torch.log(excess / (epsilon**2 * gained if gained > 0 else 1.0) + _LOSS)
    effect = torch.log(effects / epsilon + _EFFECT)
    drop = torch.cat([effect[:1] * 0.0, effect.diff()])
    objective = torch.log(objectives / objectives.min() - 1.0 + _OBJECTIVE)
    significance = torch.where(errors > 0, excess / errors.clamp_min(torch.finfo(errors.dtype).tiny), 0.0)
    before = torch.cat([dependences[:1] * 0.0, dependences[:-1]])
    columns = [losses, significance.clamp_max(_SIGNIFICANT), effect, drop, objective, dependences, before]
    linearly = linear.significance.clamp(NOTHING_LEFT, _UNDOUBTED)
    columns += [linearly, torch.cat([linearly[1:], linearly.new_full((1,), NOTHING_LEFT)])]
    columns.append(torch.log(linear.correlations.square() + _CORRELATION))
    return torch.stack([torch.ones_like(losses), *columns], 1)


def sufficiency(
    evidence: Tensor, kind: Kind, linear_share: float, excess: Tensor, errors: Tensor, tolerance: Tolerance
) -> Tensor:
    r"""The probability that k numbers are enough, given that fewer are not, for k = 0, 1, …, K: `(K + 1,)`.

    For k ≥ 1 it is $s / (1 + e^{-a_k}) + (1 - s) / (1 + e^{-b_k})$ with $a_k$ and $b_k$ the sums of the evidence
    weighed by `LINEAR_WEIGHTS` and by `WEIGHTS`, which leave out what linear functions say: it counts as far as they
    explain what networks explain. K is enough where nothing is. Of outputs it is 0 where $e_k > \varepsilon e_0$ and
    both are above twice their standard errors: what is left is much and no chance, whatever else speaks for k.

    No numbers are enough with the probability that the constant's excess is chance, that of a normal variable to be
    larger in size than $e_0 / s_0$, times the most that $t_0$ leaves for it: $-e p \log p$ with p the probability of a
    normal variable above $t_0$, 1 where p > 1/e. Networks that predict no better than a constant may be bad networks.

    Args:
        evidence: `(K + 1, 11)`.
        kind: Of what is learned.
        linear_share: s in [0, 1].
        excess: $e_k$ `(K + 1,)`.
        errors: $s_k$, their standard errors, `(K + 1,)`.
        tolerance: ε.

    Source:
        Sellke, Bayarri and Berger (2001) for the bound.
    """
    with_lines, without = (
        torch.sigmoid(evidence @ torch.tensor(weights[kind], dtype=evidence.dtype))
        for weights in (LINEAR_WEIGHTS, WEIGHTS)
    )
    enough = linear_share * with_lines + (1.0 - linear_share) * without
    gained, error = float(excess[0]), float(errors[0])
    if kind == "regression" and gained > _NO_CHANCE * error:
        enough[(excess > tolerance.relative * gained) & (excess > _NO_CHANCE * errors)] = 0.0
    is_chance = math.erfc(gained / error / math.sqrt(2.0)) if error > 0 else float(gained <= 0)
    enough[0] = is_chance * _left_by(float(evidence[0, EVIDENCE.index("linear")]))
    enough[-1] = 1.0
    return enough


def _left_by(deviations: float) -> float:
    p = 0.5 * math.erfc(deviations / math.sqrt(2.0))
    return 1.0 if p > 1.0 / math.e else -math.e * p * math.log(p)


def probabilities(sufficient: Tensor) -> Tensor:
    r"""Of k being the smallest number that is enough: $s_k \prod_{j<k} (1 - s_j)$, `(K + 1,)`."""
    before = torch.cat([torch.ones_like(sufficient[:1]), (1.0 - sufficient[:-1]).cumprod(0)])
    return sufficient * before
