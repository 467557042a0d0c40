"""Bodies of animals: genes and food drive mass, which nearly determines all sizes, and these what is measured."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs, standard
from rank_families.driven_numbers import driven, of_their_own


def bodies(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of mass and k − 1 sizes; a size is a bent power of mass times one of its own.

    Measured are areas, volumes, rates and times, products of powers of two or three sizes, over their means. Mass
    determines 30 to 98 % of a size. Exponents of k measures or more are independent, so the
    derivatives of the logarithms of measures have rank k everywhere.
    """
    draw = inputs(d_in, rng)
    rows = draw(2000)
    drivers = driven(rows, k, rng)
    power, bend = rng.uniform(0.6, 1.2, k - 1), 0.35 * rng.standard_normal(k - 1)
    own = power * of_their_own(k - 1, rng)

    def sizes(x: Floats) -> Floats:
        g = np.clip(drivers(x), -3.0, 3.0)
        mass = g[:, :1]
        return np.hstack([mass, power * mass + bend * np.square(mass) + own * g[:, 1:]])

    encode = standard(sizes, rows)
    exponents = np.zeros((k, d_out))
    exponents[np.arange(d_out) % k, np.arange(d_out)] = rng.uniform(0.5, 1.0, d_out)
    exponents[rng.integers(k, size=d_out), np.arange(d_out)] += rng.choice((-0.5, 0.25, 0.5), d_out)
    exponents[0] += rng.choice((0.0, 0.3), d_out)
    scale = rng.uniform(0.3, 0.5)

    def decode(z: Floats) -> Floats:
        return np.exp(scale * np.clip(z, -4.0, 4.0) @ exponents)

    return Teacher(draw, encode, decode)
