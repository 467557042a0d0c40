"""Layers that flow: forces drive long waves, short waves are slaved to their products, and the layer's form is seen."""

from __future__ import annotations

from math import ceil

import numpy as np

from _rank_tasks import Floats, Teacher, inputs, standard
from rank_families.driven_numbers import driven, of_their_own


def layers(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are amplitudes of k waves on a circle, the short half of which products of long ones drive.

    Products determine 30 to 98 % of a short wave, as near an inertial manifold (Foias,
    Sell and Temam, 1988). Seen are heights after crests have run a little ahead of troughs, u − τ u u'. Before that
    heights are linear in k amplitudes of independent waves, and steepening is invertible at these τ: derivatives have
    rank k.
    """
    draw = inputs(d_in, rng)
    rows = draw(2000)
    drivers = driven(rows, k, rng)
    slow = ceil(k / 2)
    products = rng.standard_normal((slow, slow, k - slow)) / slow
    straight = 0.4 * rng.standard_normal((slow, k - slow))
    own = of_their_own(k - slow, rng)

    def slaved(x: Floats) -> Floats:
        g = np.clip(drivers(x), -3.0, 3.0)
        long = g[:, :slow]
        pushed = np.einsum("na,nb,abf->nf", long, long, products) + long @ straight
        return np.hstack([long, pushed, g[:, slow:]])

    usual = standard(slaved, rows)

    def amplitudes(x: Floats) -> Floats:
        found = usual(x)
        return np.hstack([found[:, :slow], found[:, slow:k] + own * found[:, k:]])

    encode = standard(amplitudes, rows)
    place = 2.0 * np.pi * (np.arange(d_out) + 0.5 * rng.random()) / d_out
    number = 1 + np.arange(k) // 2
    phase = 0.5 * np.pi * (np.arange(k) % 2) + rng.uniform(0.0, 2.0 * np.pi)
    size = rng.uniform(0.5, 1.0, k)
    waves = size[:, None] * np.cos(number[:, None] * place + phase[:, None])
    slopes = -(size * number)[:, None] * np.sin(number[:, None] * place + phase[:, None])
    tau = rng.uniform(0.05, 0.25)

    def decode(z: Floats) -> Floats:
        held = 3.0 * np.tanh(z / 3.0)
        return held @ waves * (1.0 - tau * np.tanh(held @ slopes))

    return Teacher(draw, encode, decode)
