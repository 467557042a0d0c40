r"""Sets of known dimension, with the fewest numbers that a continuous map can describe them by.

The second number is that of an exact description: the smallest k for which the set has a continuous one-to-one map into
$\mathbb R^k$ (Tietze's theorem extends the way back). For closed surfaces of dimension d it is at least d + 1: their
image would be open in $\mathbb R^d$ (invariance of domain) and compact, which no set but the empty one is. A knot is a
circle to such a map, so it needs 2, though its picture in the plane crosses itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class KnownSet(NamedTuple):
    """How rows are drawn, their dimension and the fewest numbers."""

    draw: Callable[[np.random.Generator, int], Floats]
    dimension: int
    numbers: int


def angles(rng: np.random.Generator, n: int) -> Floats:
    return 2 * np.pi * rng.random(n)


def on_circle(t: Floats) -> Floats:
    return np.stack([np.cos(t), np.sin(t)], 1)


def sphere(rng: np.random.Generator, n: int, d: int) -> Floats:
    v = rng.standard_normal((n, d + 1))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def torus(rng: np.random.Generator, n: int) -> Floats:
    a, b = angles(rng, n), angles(rng, n)
    return np.stack([(2 + np.cos(b)) * np.cos(a), (2 + np.cos(b)) * np.sin(a), np.sin(b)], 1)


def trefoil(rng: np.random.Generator, n: int) -> Floats:
    t = angles(rng, n)
    return np.stack([np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)], 1)


def closed_curve(rng: np.random.Generator, n: int) -> Floats:
    """Five harmonics with random phases in ten columns, turned at random."""
    t, phases = angles(rng, n), angles(rng, 5)
    waves = [on_circle(k * t + phase) / k for k, phase in enumerate(phases, 1)]
    return np.concatenate(waves, 1) @ np.linalg.qr(rng.standard_normal((10, 10)))[0]


def noisy_circle(rng: np.random.Generator, n: int) -> Floats:
    """In ten columns, with noise of a fiftieth of the radius in each."""
    frame = np.linalg.qr(rng.standard_normal((10, 2)))[0]
    return on_circle(angles(rng, n)) @ frame.T + 0.02 * rng.standard_normal((n, 10))


def swiss_roll(rng: np.random.Generator, n: int) -> Floats:
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    return np.stack([t * np.cos(t), 21 * rng.random(n), t * np.sin(t)], 1)


SETS = {
    "half a circle": KnownSet(lambda rng, n: on_circle(np.pi * rng.random(n)), 1, 1),
    "circle": KnownSet(lambda rng, n: on_circle(angles(rng, n)), 1, 2),
    "circle in R^10, noise": KnownSet(noisy_circle, 1, 2),
    "closed curve in R^10": KnownSet(closed_curve, 1, 2),
    "knot in R^3": KnownSet(trefoil, 1, 2),
    "swiss roll": KnownSet(swiss_roll, 2, 2),
    "sphere": KnownSet(lambda rng, n: sphere(rng, n, 2), 2, 3),
    "torus": KnownSet(torus, 2, 3),
    "3-sphere": KnownSet(lambda rng, n: sphere(rng, n, 3), 3, 4),
}
