"""Reactors: settings drive slow concentrations, fast ones are near their balance, and electrodes read all."""

from __future__ import annotations

from math import ceil

import numpy as np

from _rank_tasks import Floats, Teacher, inputs, standard
from rank_families.driven_numbers import driven, of_their_own


def reactors(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of k concentrations: half are slow, the others near their balance.

    In its balance a fast intermediate is made by one or two slow substances and used up by a third, with saturation
    (Michaelis and Menten, 1913). Electrodes give a saturating current by a weighed sum of concentrations: weights of k
    electrodes are independent, so derivatives have rank k.
    """
    draw = inputs(d_in, rng)
    rows = draw(2000)
    drivers = driven(rows, k, rng)
    slow = ceil(k / 2)
    made = rng.dirichlet(np.ones(slow), k - slow).T * 2.0
    used, saturates = rng.integers(slow, size=k - slow), rng.uniform(0.3, 2.0, k - slow)
    off = of_their_own(k - slow, rng)

    def concentrations(x: Floats) -> Floats:
        g = np.clip(drivers(x), -3.0, 3.0)
        amounts = np.exp(0.9 * g[:, :slow])
        balance = np.log(0.2 + amounts @ made) + np.log((saturates + amounts[:, used]) / (0.1 + amounts[:, used]))
        return np.hstack([0.9 * g[:, :slow], balance, g[:, slow:]])

    usual = standard(concentrations, rows)

    def state(x: Floats) -> Floats:
        own = usual(x)
        return np.hstack([own[:, :slow], own[:, slow:k] + off * own[:, k:]])

    encode = standard(state, rows)
    weights = 0.15 * rng.random((k, d_out))
    weights[np.arange(d_out) % k, np.arange(d_out)] += rng.uniform(0.5, 1.5, d_out)
    half = rng.uniform(0.5, 3.0, d_out)

    def decode(z: Floats) -> Floats:
        current = np.exp(0.9 * np.clip(z, -4.0, 4.0)) @ weights
        return current / (half + current)

    return Teacher(draw, encode, decode)
