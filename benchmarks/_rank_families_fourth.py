"""Four families of tasks of known rank from yet other trades: voices, telescopes, roads, and one of classes, goods.

They were written by someone who had not seen how a rank is decided, and corrected by what `_rank_family_checks` prints
of seeds 100 and 101 only, and by the derivatives of teachers drawn apart from tasks of any seed. Nobody who develops a
method should read on, or read `_rank_family_voices` or `_rank_family_telescopes`, before it is fixed. Run as a script,
it prints the checks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from _rank_family_checks import report
from _rank_family_telescopes import telescopes
from _rank_family_voices import voices
from _rank_tasks import Family, Floats, Teacher, standard

Map = Callable[[Floats], Floats]
HOURS, ROUTES, ROUNDS = 3, 3, 40  # of a day that are counted; of a pair of places; in which drivers learn


# Roads: homes and jobs in districts tell who drives where, and this how full and how slow the roads are.


def _districts(d: int, k: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Homes and jobs by turns, `(n, d)`, in units of a usual district; towns differ by some causes."""
    causes = max(3 * k, d // 5)
    loading = rng.standard_normal((causes, d)) / np.sqrt(causes)
    spread, own_part = rng.uniform(0.4, 0.9, d), rng.uniform(0.1, 0.4)

    def draw(n: int) -> Floats:
        common, own = rng.standard_normal((n, causes)) @ loading, rng.standard_normal((n, d))
        return np.exp(spread * (np.sqrt(1.0 - own_part) * common + np.sqrt(own_part) * own))

    return draw


def _trips(d: int, k: int, rng: np.random.Generator) -> Map:
    """Logarithms of trips of k pairs of places: homes near the one times jobs near the other (Hansen, 1959)."""
    place = rng.uniform(-1.0, 1.0, (d, 2))
    reach = rng.uniform(0.15, 0.35)

    def near(is_job: bool) -> Floats:
        own = np.arange(int(is_job), d, 2)
        at = place[rng.permutation(own)[np.arange(k) % len(own)]]
        weight = np.exp(-np.hypot(*(place[:, None] - at).transpose(2, 0, 1)) / reach) * rng.uniform(0.3, 1.0, (d, k))
        weight[(np.arange(d) % 2 == 1) != is_job] *= 0.03
        return weight / weight.sum(0)

    homes, jobs = near(False), near(True)
    return lambda x: np.log(x @ homes) + 0.7 * np.log(x @ jobs)


def _network(k: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Which roads each of ROUTES routes of k pairs takes, `(k, ROUTES, roads)`, and the times when they are empty."""
    roads = k + 8
    takes = np.zeros((k, ROUTES, roads))
    for pair in range(k):
        takes[pair, :, pair] = 1.0  # the street at home
        for route in range(ROUTES):
            takes[pair, route, k + rng.permutation(8)[: rng.integers(2, 4)]] = 1.0
    takes = takes[:, :, takes.any((0, 1))]  # no road that nobody takes
    return takes, np.exp(0.3 * rng.standard_normal(takes.shape[2]))


def _assigned(trips: Floats, takes: Floats, empty: Floats, capacity: Floats, taste: float) -> tuple[Floats, Floats]:
    """Flows on roads and the times they take, `(n, roads)` both, when no driver would rather take another route.

    Times grow by the fourth power of flow over capacity (Bureau of Public Roads, 1964), linearly when roads are jammed;
    routes are chosen by logit. After ROUNDS the drivers may still have a little to learn.

    Source:
        Sheffi, Urban transportation networks (1985), chapter 12: stochastic user equilibrium by averages.
    """
    time = np.broadcast_to(empty, (len(trips), len(empty)))
    for _ in range(ROUNDS):
        cost = -taste * np.einsum("nl,krl->nkr", time, takes, optimize=True)
        chosen = np.exp(cost - cost.max(2, keepdims=True))
        chosen = trips[..., None] * chosen / chosen.sum(2, keepdims=True)
        flow = np.einsum("nkr,krl->nl", chosen, takes, optimize=True)
        full = flow / capacity
        now = empty * (1.0 + 0.4 * full**4 / (1.0 + 0.3 * full**3))
        time = time + (now - time) * 0.15
    return flow, time


def roads(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of trips between k pairs of places, y what is measured on roads at some hours.

    Some outputs, a third to two thirds, are logarithms of times that a course of one to three roads takes, the rest
    sums of square roots of counts of cars, which steady them.
    """
    draw = _districts(d_in, k, rng)
    encode = standard(_trips(d_in, k, rng), draw(2000))
    takes, empty = _network(k, rng)
    busy, taste = np.exp(0.3 * rng.standard_normal((HOURS, k))), rng.uniform(0.4, 1.2)
    usual = busy.mean(0) @ takes.mean(1)
    capacity = usual * rng.uniform(0.8, 1.5, len(empty))
    hour = rng.integers(HOURS, size=d_out)
    first, *others = np.arange(d_out) % len(empty), *rng.integers(len(empty), size=(2, d_out))
    course = np.eye(len(empty))[:, first]
    for road in others:
        course = np.maximum(course, np.eye(len(empty))[:, road] * (rng.random(d_out) < 0.5))
    is_delay = rng.random(d_out) < rng.uniform(0.33, 0.67)

    def decode(z: Floats) -> Floats:
        trips = np.exp(0.6 * 3.0 * np.tanh(z / 3.0))
        measured = np.empty((len(z), d_out))
        for now in range(HOURS):
            flow, time = _assigned(trips * busy[now], takes, empty, capacity, taste)
            shown = np.where(is_delay, np.log(time @ course), np.sqrt(flow / usual) @ course)
            measured[:, hour == now] = shown[:, hour == now]
        return measured

    return Teacher(draw, encode, decode)


# Goods: what people say of themselves tells what they value and can pay, and this which of some goods they buy.


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


FOURTH: dict[str, Family] = {"voices": voices, "telescopes": telescopes, "roads": roads, "goods": goods}


if __name__ == "__main__":
    report(FOURTH, __doc__)
