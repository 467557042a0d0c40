"""Roads: homes and jobs in districts tell who drives where, and this how full and how slow the roads are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard

Map = Callable[[Floats], Floats]
HOURS, ROUTES, ROUNDS = 3, 3, 40  # of a day that are counted; of a pair of places; in which drivers learn


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
