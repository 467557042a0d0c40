"""Coupled systems that have run for long: sensors see the state now, other sensors a little later."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard
from _state_systems import runge_kutta

Map = Callable[[Floats], Floats]
STEP = 0.02


def _slope(k: int) -> Map:
    """Van der Pol's oscillator (2), Lorenz's systems of 1963 (3) and of 1996 with k sites."""
    if k == 2:
        return lambda s: np.stack([s[:, 1], 2.0 * (1.0 - s[:, 0] ** 2) * s[:, 1] - s[:, 0]], 1)
    if k == 3:
        return lambda s: np.stack(
            [10.0 * (s[:, 1] - s[:, 0]), s[:, 0] * (28.0 - s[:, 2]) - s[:, 1], s[:, 0] * s[:, 1] - 8.0 / 3.0 * s[:, 2]],
            1,
        )
    return lambda s: (np.roll(s, -1, 1) - np.roll(s, 2, 1)) * np.roll(s, 1, 1) - s + 8.0


def _later(slope: Map, state: Floats, steps: int) -> Floats:
    return runge_kutta(slope, state, steps, STEP)


def runs(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are the k variables of a system on its attractor, shaken a little and left alone for a moment.

    Shaking makes the thin set of states a thick one, so that k numbers are needed; a flow is invertible, and sensors
    are nearly linear with independent weights: derivatives have rank k.
    """
    slope = _slope(k)
    state = rng.standard_normal((200, k)) + 8.0 * (np.arange(k) == 2)
    settled = _later(slope, state, 1000)
    spread = settled.std(0)
    shaken, ahead = rng.uniform(0.05, 0.15), int(rng.integers(3, 9))

    def draw(n: int) -> Floats:
        start = settled[rng.integers(len(settled), size=n)] + 0.02 * spread * rng.standard_normal((n, k))
        times = rng.integers(100, 300, n)
        for moment in range(times.max()):
            runs_on = times > moment
            start[runs_on] = _later(slope, start[runs_on], 1)
        return _later(slope, start + shaken * spread * rng.standard_normal((n, k)), 3)

    known = draw(1000)
    middle, scale = known.mean(0), known.std(0)
    encode = standard(lambda rows: rows, known)

    def sensors(d: int) -> Map:
        weights, bent = rng.standard_normal((k, d)) / np.sqrt(k), rng.standard_normal((k, d)) / np.sqrt(k)
        return lambda z: z @ weights + 0.3 * np.sin(z @ bent)

    now, after = sensors(d_in), sensors(d_out)
    return Teacher(
        draw,
        encode,
        lambda z: after((_later(slope, 4.0 * np.tanh(z / 4.0) * scale + middle, ahead) - middle) / scale),
        lambda rows: now((rows - middle) / scale),
    )
