"""One target: a row of grey bars is shown to an eye, and how often a neuron of the cortex fires is counted."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, standard


def _filters(d: int, k: int, rng: np.random.Generator) -> Floats:
    """Gabor's filters `(d, k)`: waves under bumps, pairs of them a quarter of a wave apart (Daugman, 1985)."""
    place = (np.arange(d) + 0.5) / d
    columns = []
    for number in range(k):
        if number % 2 == 0:
            centre, width, waves = rng.uniform(0.25, 0.75), rng.uniform(0.15, 0.4), rng.uniform(0.7, min(4.0, d / 3.0))
            phase = rng.uniform(0.0, np.pi)
        carrier = np.cos(2.0 * np.pi * waves * (place - centre) + phase + 0.5 * np.pi * (number % 2))
        columns.append(np.exp(-0.5 * np.square((place - centre) / width)) * carrier)
    return np.stack(columns, 1)


def neurons(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Some of k filters' outputs excite, squared or half-wave rectified and smooth, others suppress by division.

    Source:
        Rust, Schwartz, Movshon and Simoncelli (2005): the filters are the space that the rate depends on. Each filter
        changes the rate where the others are silent or not: gradients span k dimensions.
    """
    filters = _filters(d_in, k, rng)
    turned = np.linalg.qr(rng.standard_normal((d_in, d_in)))[0]
    smooth = turned * np.geomspace(1.0, rng.uniform(0.3, 1.0), d_in) @ turned.T  # of the pictures

    def draw(n: int) -> Floats:
        return rng.standard_normal((n, d_in)) @ smooth

    encode = standard(lambda x: x @ filters, draw(2000))
    is_simple = rng.random(k) < 0.4
    suppresses = (rng.random(k) < 0.3) & (np.arange(k) > 0)
    strength = rng.uniform(0.6, 1.2, k)

    def decode(z: Floats) -> Floats:
        drive = strength * np.where(is_simple, np.logaddexp(0.0, 3.0 * z) / 3.0, np.square(z) / (1.0 + 0.1 * z**2))
        excited, suppressed = (drive * ~suppresses).sum(1), (drive * suppresses).sum(1)
        return np.sqrt(0.1 + excited / (1.0 + 0.8 * suppressed))[:, None]

    return Teacher(draw, encode, decode)
