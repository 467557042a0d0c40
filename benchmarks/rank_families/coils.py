"""Coils: settings move k sliders along spirals, and points that hang on them are seen."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import driven


def coils(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are places on k spirals of 0.7 to 1.6 turns; y are mixtures of all their coordinates.

    A spiral lies in a plane and takes two numbers that are linear, but one tells where on it a slider is: turns are
    apart, so that y is a function of k numbers and folds nowhere onto itself. A mixture of products of two sliders'
    places is added. Derivatives by the k places are independent: rank k.
    """
    draw = inputs(d_in, rng)
    encode = driven(draw(2000), k, rng)
    turns, inner = rng.uniform(0.7, 1.6, k), rng.uniform(0.3, 0.8, k)
    start = rng.uniform(0.0, 2.0 * np.pi, k)
    across, along, both = (rng.standard_normal((k, d_out)) / np.sqrt(k) for _ in range(3))

    def decode(z: Floats) -> Floats:
        at = 0.5 + 0.5 * np.tanh(0.8 * z)
        radius, angle = inner + at, start + 2.0 * np.pi * turns * at
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        return x @ across + y @ along + 0.3 * (x * np.roll(y, 1, 1)) @ both

    return Teacher(draw, encode, decode)
