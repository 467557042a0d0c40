"""Whether outputs depend on inputs at all: a test of rank 0 whose false alarms have a stated level."""

from __future__ import annotations

import math

LEVEL = 0.05
"""The p-value at which a constant is as probable as not: at most so many draws of noise are given a rank above 0."""
CLASS_VARIANCE = 0.5
"""What stands for the variance of outputs where losses are −log of probabilities: half a square, near a constant."""
_MET_TWICE = 2.0


def constant_probability(gain: float, variance: float, rows: float, chance_of_lines: float) -> float:
    r"""The probability that a constant is enough, from what functions of the inputs gain on it at held-out rows.

    Two tests of independence are taken together, $p = \min(1, 2 \min(p_f, p_l))$ (Bonferroni). $p_l$ is that of lines.
    $p_f$ is the probability that a normal variable is above $\sqrt{n G / 2 V}$ with G the mean gain of n rows. Without
    the 2 this bounds the chance of such a gain whatever was learned: if outputs of variance V do not depend on the
    inputs, a prediction of mean square v gains $\nu - v$ with $\nu$ of deviation at most $2 \sqrt{V v / n}$, and
    $(G + v) / (2 \sqrt{V v / n})$ is least, $\sqrt{n G / V}$, where v = G. As the rows that were met are not asked for
    their own scatter, a few large ones hide nothing. The 2 is for folds: every pair of rows of different folds is met
    twice, once with either in training, so that of predictions that are linear in the outputs with symmetric weights,
    as of kernels, the gain has twice the variance that independent rows would give.

    The probability is $-e p \log p$ over twice its value at the `LEVEL`, where it is 1/2, and at most 1: the most that
    p leaves for a hypothesis, so that a p-value of 5 % is not taken for 95 % against it.

    Args:
        gain: G, what the best number of latent coordinates gains on the constant.
        variance: V, the constant's squared error; `CLASS_VARIANCE` for classes.
        rows: n.
        chance_of_lines: $p_l$ in [0, 1].

    Source:
        Sellke, Bayarri and Berger (2001) for the bound.
    """
    chance = chance_of_lines
    if gain > 0.0:
        chance = min(chance, 0.5 * math.erfc(math.sqrt(rows * gain / variance / _MET_TWICE / 2.0)))
    return min(1.0, _most_left(min(1.0, 2.0 * chance)) / (2.0 * _most_left(LEVEL)))


def _most_left(p: float) -> float:
    """The bound on the Bayes factor of a hypothesis with this p-value."""
    if p <= 0.0:
        return 0.0
    return -math.e * p * math.log(p) if p < 1.0 / math.e else 1.0
