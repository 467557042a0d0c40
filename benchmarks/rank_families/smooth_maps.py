"""Smooth maps: both halves are Gaussian processes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, inputs, standard

WAVES = 300  # random Fourier features of one map: its kernel is right to 1/√300, 6 per cent


def _fourier(d: int, out: int, length: float, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """Samples of `out` Gaussian processes with kernel exp(−|x − x'|²/2 length²) (Rahimi and Recht, 2007)."""
    waves, phases = rng.standard_normal((d, WAVES)) / length, rng.uniform(0.0, 2.0 * np.pi, WAVES)
    weights = rng.standard_normal((WAVES, out)) * np.sqrt(2.0 / WAVES)
    return lambda rows: np.cos(rows @ waves + phases) @ weights


def smooth(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Both halves are Gaussian processes; their length scales are 1.2 to 2 and 1.5 to 2.5 norms of their inputs."""
    draw = inputs(d_in, rng)
    rows = draw(2000)
    norm = float(np.sqrt(np.square(rows).sum(1).mean()))
    encode = standard(_fourier(d_in, k, rng.uniform(1.2, 2.0) * norm, rng), rows)
    return Teacher(draw, encode, _fourier(k, d_out, rng.uniform(1.5, 2.5) * np.sqrt(k), rng))
