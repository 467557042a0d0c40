"""A family of wave optics: what a wave-front sensor reads tells how a star looks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import erf

from _rank_tasks import Floats, Teacher

PUPIL = 15  # points across the mirror
GOLDEN = np.pi * (3.0 - np.sqrt(5.0))  # by which each point of a sunflower's head is turned against the last


def _aberrations(points: Floats) -> Floats:
    """Two tilts, defocus, two astigmatisms, comas and trefoils, and spherical aberration, `(points, 10)`.

    Each has variance 1 on the unit disk, `(points, 2)` of it are read.

    Source:
        Noll (1976), Zernike polynomials and atmospheric turbulence, table I: numbers 2 to 11.
    """
    x, y = points.T
    square = x**2 + y**2
    return np.stack(
        (
            2.0 * x,
            2.0 * y,
            np.sqrt(3.0) * (2.0 * square - 1.0),
            np.sqrt(24.0) * x * y,
            np.sqrt(6.0) * (x**2 - y**2),
            np.sqrt(8.0) * (3.0 * square - 2.0) * y,
            np.sqrt(8.0) * (3.0 * square - 2.0) * x,
            np.sqrt(8.0) * (3.0 * x**2 * y - y**3),
            np.sqrt(8.0) * (x**3 - 3.0 * x * y**2),
            np.sqrt(5.0) * (6.0 * square**2 - 6.0 * square + 1.0),
        ),
        1,
    )


def _sunflower(count: int, start: float, turn: float) -> Floats:
    """Points `(count, 2)` spread evenly over the ring between the radii start and 1."""
    radius = np.sqrt(start**2 + (1.0 - start**2) * (np.arange(count) + 0.5) / count)
    angle = np.arange(count) * GOLDEN + turn
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1)


def _slopes(modes: list[int], lenses: int, rng: np.random.Generator) -> Floats:
    """Derivatives of the modes in both directions where the lenses are, `(modes, 2 lenses)`.

    Of 20 layouts the one from which the modes are told best, for few lenses can miss one.
    """

    def derivatives(places: Floats) -> Floats:
        sides = [
            (_aberrations(places + step) - _aberrations(places - step))[:, modes] / 2e-3 for step in 1e-3 * np.eye(2)
        ]
        return np.vstack(sides).T

    layouts = [
        _sunflower(lenses, 0.3, turn) + 0.05 * rng.standard_normal((lenses, 2)) for turn in rng.uniform(0, 6, 20)
    ]
    return max(map(derivatives, layouts), key=lambda slopes: np.linalg.svd(slopes, compute_uv=False)[-1])


def _sensor(k: int, modes: list[int], d: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """What d / 2 quad cells behind lenses read, `(n, d)`: erf of the wave's slopes over the width of a spot.

    The telescope shakes, which tilts the wave, and the night's haze dims all; with fewer than 2 (k + 2) columns they
    do neither (Hardy, Adaptive optics for astronomical telescopes, 1998, chapter 5).
    """
    slopes = _slopes([*modes, 0, 1], d // 2, rng)
    slopes = slopes / np.sqrt(np.square(slopes[:k]).sum(0).mean())
    shakes = 0.3 * (d >= 2 * (k + 2))

    def read(causes: Floats) -> Floats:
        waves = np.hstack((causes[:, :k], causes[:, k : k + 2] * shakes))
        return np.exp(0.5 * shakes * causes[:, k + 2 :]) * erf(0.6 * waves @ slopes)

    return read


def _cameras(modes: list[int], size: float, d: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """Square roots of the light in d pixels around a star, by Fraunhofer's integral over the mirror.

    Half of the tasks take half of the pixels from a second camera out of focus (Gonsalves, 1982). The mirror has a hole
    for the second mirror, and errors of its own.
    """
    grid = (np.arange(PUPIL) - (PUPIL - 1) / 2.0) * 2.0 / PUPIL
    mirror = np.stack(np.meshgrid(grid, grid), 2).reshape(-1, 2)
    radius = np.hypot(*mirror.T)
    mirror = mirror[(radius <= 1.0) & (radius >= rng.uniform(0.1, 0.3))]
    shapes = _aberrations(mirror)
    flaw = shapes[:, 2:] @ (0.25 * rng.standard_normal(8))
    is_diverse = rng.random() < 0.5
    counts = (d - d // 2, d // 2) if is_diverse else (d,)
    field = rng.uniform(1.5, 2.5)
    focus = rng.uniform(0.5, 1.2) * rng.choice((-1.0, 1.0), 2)
    focus[1:] *= -1.5
    turns = rng.uniform(0.0, 6.0, 2)
    sky = [
        np.exp(
            1j * (np.pi * mirror @ (field * _sunflower(count, 0.0, turn)).T + (flaw + shapes[:, 2] * defocus)[:, None])
        )
        for count, turn, defocus in zip(counts, turns, focus, strict=False)
    ]
    kernel = np.hstack(sky) / len(mirror)
    waves = size * shapes[:, modes].T

    def expose(z: Floats) -> Floats:
        field_of_wave = np.exp(1j * (3.0 * np.tanh(z / 3.0)) @ waves) @ kernel
        return np.sqrt(np.square(np.abs(field_of_wave)) + 0.01)

    return expose


def telescopes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are k aberrations of a wave, x its slopes on parts of the mirror, y pictures of a star.

    Some warmth of the dome may raise all of them together.
    """
    modes = sorted(2 + rng.permutation(8)[:k])
    size = rng.uniform(0.7, 1.4) / np.sqrt(k)
    shared = rng.uniform(0.0, 0.5) * rng.choice((0.0, 1.0))

    def draw(n: int) -> Floats:
        own, dome = rng.standard_normal((n, k)), rng.standard_normal((n, 1))
        return np.hstack((np.sqrt(1.0 - shared) * own + np.sqrt(shared) * dome, rng.standard_normal((n, 3))))

    return Teacher(draw, lambda causes: causes[:, :k], _cameras(modes, size, d_out, rng), _sensor(k, modes, d_in, rng))
