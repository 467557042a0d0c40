"""Whether outputs depend on inputs at all: a test of rank 0 whose false alarms have a stated level."""

from __future__ import annotations

import math

LEVEL = 0.05
"""The p-value at which a constant is as probable as not: at most so many draws of noise are given a rank above 0."""
_MET_TWICE = math.sqrt(2.0)


def constant_probability(gain: float, error: float, chance_of_lines: float) -> float:
    r"""The probability that a constant is enough, from what functions of the inputs gain on it at held-out rows.

    Two tests of independence are taken together, $p = \min(1, 2 \min(p_f, p_l))$ (Bonferroni). $p_f$ is the probability
    that a normal variable is above $\text{gain} / (\sqrt 2\, \text{error})$: every pair of rows of different folds is
    met twice, once with either in training. Of predictions that are linear in the outputs with symmetric weights, as of
    kernels, the mean gain so has twice the variance that independent rows would give. $p_l$ is that of lines.

    The probability is $-e p \log p$ over twice its value at the `LEVEL`, where it is 1/2, and at most 1: the most that
    p leaves for a hypothesis, so that a p-value of 5 % is not taken for 95 % against it.

    Args:
        gain: What the best number of latent coordinates gains on the constant, ≥ 0: mean over held-out rows.
        error: Standard error of it, of independent rows.
        chance_of_lines: $p_l$ in [0, 1].

    Source:
        Sellke, Bayarri and Berger (2001) for the bound.
    """
    if gain <= 0.0:
        chance = 1.0
    else:
        chance = 0.5 * math.erfc(gain / error / _MET_TWICE / math.sqrt(2.0)) if error > 0.0 else 0.0
    chance = min(1.0, 2.0 * min(chance, chance_of_lines))
    return min(1.0, _most_left(chance) / (2.0 * _most_left(LEVEL)))


def _most_left(p: float) -> float:
    """The bound on the Bayes factor of a hypothesis with this p-value."""
    if p <= 0.0:
        return 0.0
    return -math.e * p * math.log(p) if p < 1.0 / math.e else 1.0
