"""A family of sharp classes: where beacons say a ball starts decides in which valley it comes to rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher

Map = Callable[[Floats], Floats]
STEPS, STEP = 60, 0.1  # of the motion
FIELDS = 15  # drawn, before one is taken


def _beacons(k: int, d: int, rng: np.random.Generator) -> Map:
    """Logarithms `(n, d)` of what d beacons beside the field receive of a sender whose strength nobody knows."""
    place, height = 2.0 * rng.standard_normal((d, k)), rng.uniform(0.5, 2.0, d)

    def show(causes: Floats) -> Floats:
        squared = np.square(causes[:, None, :k] - place).sum(2)
        return 0.5 * causes[:, k:] - np.log(squared + np.square(height))

    return show


def _field(k: int, count: int, rng: np.random.Generator) -> Map:
    """Logits `(n, count)` of where a ball comes to rest that starts from a point, `(n, k)`, of one field of valleys.

    They are logarithms of depths less half the squared distances in widths, of the place after some time.
    """
    lowest = 1.3 * rng.standard_normal((count, k)) / np.sqrt(max(k, 2) / 2.0)
    away = np.sqrt(np.square(lowest[:, None] - lowest).sum(2))
    width = np.clip(rng.uniform(0.4, 0.6, count) * np.sort(away, 1)[:, 1], 0.3, 1.2)  # 0 is to itself
    depth = rng.dirichlet(np.full(count, 15.0)) * count
    friction, steep = rng.uniform(1.0, 2.0), rng.uniform(1.0, 1.6)
    push = 0.5 * rng.standard_normal((k, k))
    push = push - push.T

    def rest(z: Floats) -> Floats:
        place, speed = z, np.zeros_like(z)
        for _ in range(STEPS):
            away = place[:, None] - lowest
            pull = depth * np.exp(-0.5 * np.square(away).sum(2) / np.square(width))
            force = -steep * ((pull / np.square(width))[..., None] * away).sum(1) - 0.15 * place
            speed = speed + STEP * (force + speed @ push - friction * speed)
            place = place + STEP * speed
        near = np.log(depth) - 0.5 * np.square(place[:, None] - lowest).sum(2) / np.square(width)
        return near - near.mean(1, keepdims=True)

    return rest


def valleys(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """A ball rolls from a point in k dimensions into one of k + 2 to k + 4 valleys, with friction and a sideways push.

    Differences of squared distances to k + 1 valleys in general position tell where it ends, and this depends on where
    it starts with a regular derivative nearly everywhere: logits have rank k. Of some fields the one is taken whose
    rarest valley is the commonest.
    """

    def draw(n: int) -> Floats:
        return rng.standard_normal((n, k + 1))

    count = k + 2 + int(rng.integers(3))
    starts = draw(500)[:, :k]

    def rarest(rest: Map) -> int:
        return int(np.bincount(rest(starts).argmax(1), minlength=count).min())

    decode = max((_field(k, count, rng) for _ in range(FIELDS)), key=rarest)
    show = _beacons(k, d_in, rng)
    return Teacher(draw, lambda causes: causes[:, :k], decode, show, is_classification=True)
