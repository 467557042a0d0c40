"""Mountain roads: traffic moves k cars along roads with hairpins, and receivers hear them."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import driven


def passes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are how far k cars are on roads of two to four hairpins; receivers hear one car, others less.

    Loudness is the logarithm of one over the squared distance and a height. A road passes no place twice and its legs
    are apart by as much as receivers tell, so one number tells where a car is however often its road turns. Receivers
    hear cars by independent weights: derivatives have rank k.
    """
    draw = inputs(d_in, rng)
    encode = driven(draw(2000), k, rng)
    bends, width = rng.uniform(1.0, 2.0, k), rng.uniform(0.6, 1.2, k)
    phase = rng.uniform(0.0, 2.0 * np.pi, k)
    place = rng.uniform(-2.0, 2.0, (2, d_out))
    height = rng.uniform(0.5, 1.0, d_out)
    loud = 0.1 * rng.random((k, d_out))
    loud[np.arange(d_out) % k, np.arange(d_out)] += 1.0

    def decode(z: Floats) -> Floats:
        far = np.tanh(0.7 * z)
        x, y = width * np.sin(2.0 * np.pi * bends * 0.5 * far + phase), 1.8 * far
        squared = np.square(x[..., None] - place[0]) + np.square(y[..., None] - place[1])
        return -(loud * np.log(squared + np.square(height))).sum(1)

    return Teacher(draw, encode, decode)
