"""Orbits: directions in which a comet is seen early tell where it is, how far and how fast, later."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher

Map = Callable[[Floats], Floats]
ELEMENTS = 6  # logarithm of the axis, eccentricity, inclination, node, perihelion, mean anomaly at time 0
SPREAD = np.array([0.05, 0.08, 0.25, 0.25, 0.25, 0.3])
NEWTON = 15  # steps; Kepler's equation is then solved to rounding


def _state(elements: Floats, time: Floats) -> tuple[Floats, Floats]:
    """Places and velocities `(n, times, 3)` around the Sun; axis 1 and period 2 pi are the units."""
    axis, shape, tilt, node, turn, start = (column[:, None] for column in elements.T)
    mean = start + time * np.exp(-1.5 * axis)
    angle = mean + shape * np.sin(mean)
    for _ in range(NEWTON):
        angle = angle - (angle - shape * np.sin(angle) - mean) / (1.0 - shape * np.cos(angle))
    flat = np.sqrt(1.0 - shape**2)
    rate = np.exp(-0.5 * axis) / (1.0 - shape * np.cos(angle))
    along = np.stack((np.cos(angle) - shape, flat * np.sin(angle))) * np.exp(axis)
    speed = np.stack((-np.sin(angle), flat * np.cos(angle))) * rate
    c, s = np.cos, np.sin
    to_perihelion = (c(node) * c(turn) - s(node) * s(turn) * c(tilt), s(node) * c(turn) + c(node) * s(turn) * c(tilt))
    across = (-c(node) * s(turn) - s(node) * c(turn) * c(tilt), -s(node) * s(turn) + c(node) * c(turn) * c(tilt))
    frame = np.stack((np.stack((*to_perihelion, s(turn) * s(tilt))), np.stack((*across, c(turn) * s(tilt)))))
    return np.einsum("ant,acnt->ntc", along, frame), np.einsum("ant,acnt->ntc", speed, frame)


def _seen(elements: Floats, time: Floats, axis_of_sight: float) -> tuple[Floats, Floats, Floats]:
    """Directions from Earth `(n, times, 3)`, and logarithms of distance and speeds along the sight `(n, times)`."""
    place, velocity = _state(elements, time)
    phase = time / axis_of_sight**1.5
    earth = axis_of_sight * np.stack((np.cos(phase), np.sin(phase), 0.0 * phase), 1)
    moving = np.stack((-np.sin(phase), np.cos(phase), 0.0 * phase), 1) / np.sqrt(axis_of_sight)
    away = place - earth
    distance = np.sqrt(np.square(away).sum(2))
    direction = away / distance[..., None]
    return direction, np.log(distance), ((velocity - moving) * direction).sum(2)


def comets(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """k of the six elements of an orbit vary; x is a direction's parts at early times, y directions, distances, speeds.

    The elements are told by where a body is and how it moves, and each moves it otherwise: derivatives of later places
    have rank k. The plates of x are displaced a little, all by the same, which y does not know.
    """
    varies = rng.permutation(ELEMENTS)[:k]
    usual = np.array([0.0, rng.uniform(0.25, 0.45), rng.uniform(0.4, 0.9), *rng.uniform(0.0, 2.0 * np.pi, 3)])
    sight = rng.uniform(0.35, 0.5)  # radius of Earth's orbit

    def elements(z: Floats) -> Floats:
        full = np.tile(usual, (len(z), 1))
        full[:, varies] += (2.5 * np.tanh(z / 2.5)) * SPREAD[varies]
        return full

    early, late = np.sort(rng.uniform(0.0, 2.0, d_in)), np.sort(rng.uniform(2.5, 7.0, d_out))
    part, asked = np.arange(d_in) % 3, rng.integers(5, size=d_out)

    def shown(causes: Floats) -> Floats:
        direction = _seen(elements(causes[:, :k]), early, sight)[0]
        return direction[:, np.arange(d_in), part] + 0.1 * causes[:, k:][:, part]

    def decode(z: Floats) -> Floats:
        direction, distance, speed = _seen(elements(z), late, sight)
        everything = np.concatenate((direction, distance[..., None], speed[..., None]), 2)
        return everything[:, np.arange(d_out), asked]

    return Teacher(lambda n: rng.standard_normal((n, k + 3)), lambda causes: causes[:, :k], decode, shown)
