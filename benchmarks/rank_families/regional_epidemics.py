"""Epidemics: a census tells how people in some regions live, tests of sewage how an epidemic passes."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from _rank_tasks import Floats, Teacher, standard

Map = Callable[[Floats], Floats]
DAYS, STEPS = 120.0, 80  # of an epidemic
SHARES = 5  # columns of a census that add up to 1


def _census(d: int, k: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Columns in fives that add up to 1 (ages, trades, ways to travel), the rest logarithms of densities.

    Some common causes, 3 k or a sixth of the columns if that is more, make most of every column.
    """
    causes = max(3 * k, d // 6)
    loading = rng.standard_normal((causes, d)) / np.sqrt(causes)
    blocks = d // SHARES if d > 10 else 1
    spread = rng.uniform(0.7, 1.2, blocks)

    def draw(n: int) -> Floats:
        columns = np.sqrt(0.8) * rng.standard_normal((n, causes)) @ loading + np.sqrt(0.2) * rng.standard_normal((n, d))
        parts = columns[:, : blocks * SHARES].reshape(n, blocks, SHARES)
        parts = np.exp(spread[:, None] * parts)
        parts = parts / parts.sum(2, keepdims=True)
        return np.hstack((parts.reshape(n, -1), 0.2 * columns[:, blocks * SHARES :]))

    return draw


def _habits(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Logarithms of contacts at home and elsewhere together; either is exponential in a score of the columns."""
    scaled = standard(lambda x: x, rows)
    directions = np.linalg.svd(scaled(rows), full_matrices=False)[2]
    directions = directions[: max(k, 2 * rows.shape[1] // 3)]  # along which places differ, no sums of shares
    at_home, elsewhere = (directions.T @ np.linalg.qr(rng.standard_normal((len(directions), k)))[0] for _ in range(2))
    homely, outgoing = (standard(lambda x, w=w: scaled(x) @ w, rows) for w in (at_home, elsewhere))

    def respond(x: Floats) -> Floats:
        a, b = homely(x), outgoing(x)
        return np.logaddexp(a, 1.5 * b - 0.5 * np.tanh(a))

    return respond


def _epidemic(infect: Floats, recover: Floats, seed: Floats, travel: Floats) -> Floats:
    """Shares of the infectious `(n, STEPS + 1, regions)` in an SEIR epidemic, by fourth-order Runge-Kutta steps.

    Args:
        infect: Rate of infection a day, `(n, regions)`.
        recover: Rate of recovery a day, `(n, regions)`.
        seed: Share of the infectious on the first day, `(n, regions)`.
        travel: Shares of the contacts of each region with each other, `(regions, regions)`.

    Source:
        Keeling and Rohani, Modeling infectious diseases in humans and animals (2008), chapters 2 and 7.
    """

    def change(state: Floats) -> Floats:
        susceptible, exposed, infectious = state
        caught = infect * susceptible * (infectious @ travel.T)
        return np.stack((-caught, caught - exposed / 3.0, exposed / 3.0 - recover * infectious))

    state, step = np.stack((1.0 - seed, np.zeros_like(seed), seed)), DAYS / STEPS
    course = [state[2]]
    for _ in range(STEPS):
        a = change(state)
        b = change(state + 0.5 * step * a)
        c = change(state + 0.5 * step * b)
        state = state + step / 6.0 * (a + 2.0 * b + 2.0 * c + change(state + step * c))
        course.append(state[2])
    return np.stack(course, 1)


def epidemics(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of rates in one to four regions: infection and one other in each.

    The other is the share of first cases, the rate of recovery or how much the sick shed. Each of d_out sewage works
    serves the regions in parts of its own and is sampled on a day of its own; y are square roots, which steady counts.
    """
    draw = _census(d_in, k, rng)
    rows = draw(2000)
    encode = standard(_habits(rows, k, rng), rows)
    regions = ceil(k / 2)
    both = np.arange(k - regions)  # regions that have two numbers
    kinds = np.zeros((regions, 4), dtype=bool)
    kinds[:, 0] = kinds[both, rng.integers(1, 4, len(both))] = True
    effect = (0.25, 1.0, 0.4, 0.5)
    usual = np.array((0.36, 0.005, 0.14, 1.0)) * np.exp(0.15 * rng.standard_normal((regions, 4)))
    travel = np.eye(regions) * 0.95 + 0.05 / regions
    served = rng.dirichlet(np.full(regions, 0.3), d_out)
    day = rng.permutation((np.arange(d_out) + rng.uniform(0.2, 0.8, d_out)) / d_out) * 0.9 + 0.1
    before = np.minimum((day * STEPS).astype(int), STEPS - 1)
    part = (day * STEPS - before)[:, None]

    def decode(z: Floats) -> Floats:
        settings = np.zeros((len(z), regions, 4))
        settings[:, kinds] = 3.0 * np.tanh(z / 3.0)  # no region is beyond what a model of days can follow
        infect, seed, recover, shed = np.moveaxis(usual * np.exp(effect * settings), 2, 0)
        course = _epidemic(infect, recover, seed, travel)
        sampled = (1.0 - part) * course[:, before] + part * course[:, before + 1]
        return np.sqrt((sampled * shed[:, None] * served).sum(2))

    return Teacher(draw, encode, decode)
