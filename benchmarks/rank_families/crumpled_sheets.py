"""Crumpled sheets: settings say where on a sheet of k dimensions one is, and it is crumpled in all directions."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import driven


def crumpled(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """y are sums of 60 waves of k numbers, of lengths about 2π / 1.5 where the numbers have variance 1.

    Such random sheets in ten dimensions or more pass no place twice, and k of their slopes are independent at almost
    every place: rank k.
    """
    draw = inputs(d_in, rng)
    encode = driven(draw(2000), k, rng)
    waves = rng.uniform(0.9, 1.5) * rng.standard_normal((k, 60)) / np.sqrt(max(1.0, k / 2.0))
    phase, heights = rng.uniform(0.0, 2.0 * np.pi, 60), rng.standard_normal((60, d_out)) / np.sqrt(60)

    def decode(z: Floats) -> Floats:
        return np.cos(z @ waves + phase) @ heights

    return Teacher(draw, encode, decode)
