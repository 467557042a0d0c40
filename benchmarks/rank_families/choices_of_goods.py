"""Goods: what people say of themselves tells what they value and can pay, and this which of some goods they buy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from _rank_tasks import Floats, Teacher, standard

Map = Callable[[Floats], Floats]


def _answers(d: int, k: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Marks on lines from 0, not at all, to 1, very much, `(n, d)`; people differ by some traits and in how they mark.

    Source:
        Samejima (1969): answers as sigmoid functions of traits.
    """
    traits = max(2 * k, d // 4)
    loading = rng.standard_normal((traits, d)) / np.sqrt(traits)
    sharp, easy = rng.uniform(0.7, 1.8, d), 0.7 * rng.standard_normal(d)
    own_part, agreeing = rng.uniform(0.1, 0.3), rng.uniform(0.0, 0.5)

    def draw(n: int) -> Floats:
        trait = rng.standard_normal((n, traits)) @ loading
        felt = np.sqrt(1.0 - own_part) * trait + np.sqrt(own_part) * rng.standard_normal((n, d))
        return expit(sharp * felt + easy + agreeing * rng.standard_normal((n, 1)))

    return draw


def _attitudes(d: int, k: int, rng: np.random.Generator) -> Map:
    """k sums of beliefs times how much each matters, `(n, k)`, of pairs of answers (Fishbein and Ajzen, 1975)."""
    part = max(3, d // 6)
    belief, matter = (np.stack([rng.choice(d, part, replace=d < part) for _ in range(k)]) for _ in range(2))
    weight = rng.uniform(0.5, 1.5, (k, part)) * rng.choice((-1.0, 1.0), (k, part), p=(0.3, 0.7))
    return lambda x: np.einsum("nkp,kp->nk", x[:, belief] * (0.3 + x[:, matter]), weight)


def _qualities(utility: Floats, shares: Floats) -> Floats:
    """What to add to utilities `(n, goods)` so that each good is best for about its share of people.

    Source:
        Galichon, Optimal transport methods in economics (2016), chapters 5 and 7: the smooth dual, which is convex.
    """
    warmth = 0.05 * utility.std()

    def dual(quality: Floats) -> tuple[float, Floats]:
        odds = (utility + quality) / warmth
        total = logsumexp(odds, axis=1, keepdims=True)
        return float(warmth * total.mean() - shares @ quality), np.exp(odds - total).mean(0) - shares

    return np.asarray(minimize(dual, -utility.mean(0), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x)


def goods(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """What people can pay and k − 1 tastes decide which of k + 2 or more goods each buys; logits are utilities.

    A taste weighs the logarithm of how much a good has of what is tasted (Lancaster, 1966), and what is left of the
    income after its price has a utility that is concave (Berry, Levinsohn and Pakes, 1995).
    """
    draw = _answers(d_in, k, rng)
    rows = draw(2000)
    encode = standard(_attitudes(d_in, k, rng), rows)
    count = min(k + 2 + int(rng.integers(4)), max(k + 2, min(d_out, 12)))
    place = rng.permuted(np.tile(np.arange(count)[:, None], (1, k)), axis=0) + rng.uniform(0.2, 0.8, (count, k))
    price, has = 1.5 * place[:, 0] / count, 2.0 * place[:, 1:] / count - 1.0
    price_matters = rng.uniform(1.6, 3.0)

    def utility(z: Floats) -> Floats:
        left = np.logaddexp(0.0, 4.0 * (np.exp(0.4 * z[:, :1]) - price)) / 4.0
        worth = price_matters * np.log(left + 0.2) + np.exp(0.6 * z[:, 1:]) @ has.T
        return worth - worth.mean(1, keepdims=True)

    quality = _qualities(utility(encode(rows)), rng.dirichlet(np.full(count, 20.0)))
    return Teacher(draw, encode, lambda z: utility(z) + quality - quality.mean(), is_classification=True)
