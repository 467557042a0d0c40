"""Drug levels: what is known of a patient tells how a drug is taken up and leaves, and this its levels in blood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard

Map = Callable[[Floats], Floats]
STEPS, HOURS = 192, 48.0  # of the course
USUAL = np.log([0.9, 6.0, 0.7, 1.5, 8.0])  # clearance, volume, uptake, exchange, second volume: l/h, l, 1/h, l/h, l
EFFECT = np.array([0.35, 0.35, 0.6, 0.7, 0.7])


def _patients(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Columns `(n, d)` in units of their own: sizes and laboratory values, ages, counts of alleles, yes and no."""
    kind = rng.permutation(np.arange(d) % 5)
    unit, odds = np.exp(1.5 * rng.standard_normal(d)), rng.uniform(0.2, 0.5, d)
    build = rng.uniform(0.2, 0.7, d)

    def draw(n: int) -> Floats:
        normal = np.sqrt(1.0 - build**2) * rng.standard_normal((n, d)) + build * rng.standard_normal((n, 1))
        log_normal = unit * np.exp(0.25 * normal)
        alleles = rng.binomial(2, odds, (n, d)).astype(float)
        return np.choose(
            kind, (log_normal, log_normal, rng.uniform(18.0, 90.0, (n, d)), alleles, (alleles > 0).astype(float))
        )

    return draw


def _parameters(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Logarithms of k parameters: allometric in some columns, falling late in one, and an interaction of two."""
    d = rows.shape[1]
    scaled = standard(lambda x: x, rows)
    part = max(2, min(8, d // 3))
    reads = np.stack([rng.choice(d, part, replace=False) for _ in range(k)])
    weight = rng.uniform(0.4, 1.0, (k, part)) * rng.choice((-1.0, 1.0), (k, part))
    late, onset = rng.integers(d, size=k), rng.uniform(0.0, 1.0, k)
    pair = rng.integers(d, size=(2, k))

    def respond(x: Floats) -> Floats:
        s = scaled(x)
        falls = np.logaddexp(0.0, 3.0 * (s[:, late] - onset)) / 3.0
        score = np.einsum("nkp,kp->nk", s[:, reads], weight) / np.sqrt(part)
        return np.arcsinh(1.5 * (score - 0.5 * falls + 0.2 * s[:, pair[0]] * s[:, pair[1]])) / 1.5

    return respond


def _levels(log_parameters: Floats, every: float, saturates: float) -> Floats:
    """Levels in blood and in tissue `(n, STEPS, 2)` by Runge and Kutta, doses by mouth at intervals of hours.

    Two compartments, and elimination that saturates (Gabrielsson and Weiner, Pharmacokinetic and pharmacodynamic data
    analysis, 2000, chapter 3).
    """
    clearance, volume, uptake, exchange, second = np.exp(log_parameters).T

    def change(state: Floats) -> Floats:
        gut, blood, tissue = state
        leaves = clearance * blood / (1.0 + saturates * blood)
        passes = exchange * (blood - tissue)
        return np.stack((-uptake * gut, (uptake * gut - leaves - passes) / volume, passes / second))

    step, state = HOURS / STEPS, np.zeros((3, len(log_parameters)))
    course = np.empty((len(log_parameters), STEPS, 2))
    for number in range(STEPS):
        if number % round(every / step) == 0:
            state = state + np.array([[20.0], [0.0], [0.0]])
        a = change(state)
        b = change(state + 0.5 * step * a)
        c = change(state + 0.5 * step * b)
        state = state + step / 6.0 * (a + 2.0 * b + 2.0 * c + change(state + step * c))
        course[:, number] = state[1:].T
    return course


def drugs(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of k of five parameters, y logarithms of levels in blood, some in tissue.

    Early levels tell uptake and volume, the fast fall the exchange and the second volume, the slow one the clearance:
    derivatives have rank k.
    """
    draw = _patients(d_in, rng)
    rows = draw(2000)
    encode = standard(_parameters(rows, k, rng), rows)
    varies = rng.permutation(5)[:k]
    usual = USUAL + 0.2 * rng.standard_normal(5)
    every, saturates = rng.choice((8.0, 12.0, 24.0)), rng.choice((0.0, 0.3))
    sampled = np.sort((STEPS * rng.random(d_out) ** 1.5).astype(int))
    where = (rng.random(d_out) < 0.25).astype(int)

    def decode(z: Floats) -> Floats:
        full = np.tile(usual, (len(z), 1))
        full[:, varies] += EFFECT[varies] * 3.0 * np.tanh(z / 3.0)
        return np.log(_levels(full, every, saturates)[:, sampled, where] + 0.05)

    return Teacher(draw, encode, decode)
