"""Pictures: bars seen from two places."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, isqrt

import numpy as np

from _rank_tasks import WEAKEST, Floats, Teacher, weakest_direction

ACROSS, UP, BRIGHTNESS, SIZE, ANGLE = range(5)
BLUR = 0.35  # spread of a pixel in its sides: a Gaussian about as wide as the pixel
EDGE = np.sqrt(3.0)  # of uniform numbers of variance 1
Scene = Callable[[Floats], Floats]  # hidden numbers (n, k) to objects (n, objects, 5)
DRAWS = 30  # of scenes, before the most readable one is taken


def _pixels(d: int) -> tuple[Floats, Floats]:
    """Centres `(d, 2)` and sides `(2,)` of the pixels of the squarest picture with d pixels, in the unit square."""
    height = next(side for side in range(isqrt(d), 0, -1) if d % side == 0)
    sides = np.array([height / d, 1.0 / height])
    up, across = np.divmod(np.arange(d), d // height)
    return (np.stack((across, up), 1) + 0.5) * sides, sides


def _blobs(objects: Floats, points: Floats, blur: Floats) -> tuple[Floats, Floats]:
    """Brightness `(n, p)` of bars with Gaussian profiles, and its gradient `(n, p, 2)`.

    Args:
        objects: Position, brightness, size and angle of each, `(n, objects, 5)`.
        points: Where to look, `(p, 2)`.
        blur: Spread of one pixel in both directions, `(2,)`.
    """
    size, angle = objects[..., SIZE], objects[..., ANGLE]
    axis = np.stack((np.cos(angle), np.sin(angle)), -1)
    bar = (axis[..., :, None] * axis[..., None, :] * 3.0 + np.eye(2)) * np.square(size)[..., None, None]
    precision = np.linalg.inv(bar + np.diag(blur**2))
    away = points[:, None, :] - objects[:, None, :, : UP + 1]
    pull = np.einsum("npoi,noij->npoj", away, precision)
    light = objects[:, None, :, BRIGHTNESS] * np.exp(-0.5 * (pull * away).sum(-1))
    return light.sum(2), -(light[..., None] * pull).sum(2)


def _scene(k: int, rng: np.random.Generator) -> Scene:
    """k numbers `(n, k)` set as many of the 5 properties of ⌈k/3⌉ bars `(n, bars, 5)`; the other properties stay."""
    bars = ceil(k / 3)
    home = np.empty((bars, 5))
    home[:, ACROSS] = (np.arange(bars) + rng.uniform(0.4, 0.6, bars)) / bars
    home[:, UP] = rng.uniform(0.35, 0.65, bars)
    home[:, BRIGHTNESS], home[:, SIZE] = 1.0, 0.11
    home[:, ANGLE] = rng.uniform(0.0, np.pi, bars)
    setting = rng.permutation(5 * bars)[:k]

    def place(z: Floats) -> Floats:
        settings = np.zeros((len(z), 5 * bars))
        settings[:, setting] = z
        s = settings.reshape(len(z), bars, 5)
        objects = home + s * (0.24 / (bars + 1), 0.14, 0.0, 0.0, 0.45)
        objects[..., BRIGHTNESS] *= np.exp(0.3 * s[..., BRIGHTNESS])
        objects[..., SIZE] *= np.exp(0.3 * s[..., SIZE])
        return objects

    return place


def _elsewhere(scene: Scene, d: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """A picture from another camera, turned, perhaps mirrored, in perspective: on film, or a relief lit from a side."""
    turn, depth, is_relief = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(-0.4, 0.4, 2), rng.random() < 0.5
    camera = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * (1.0, rng.choice((-1.0, 1.0)))
    pixels, sides = _pixels(d)
    points = 0.5 + (pixels - 0.5) @ camera / (1.0 + (pixels - 0.5) @ depth)[:, None]
    blur = np.full(2, BLUR * np.sqrt(sides.prod()))
    sun = rng.uniform(0.0, 2.0 * np.pi)

    def decode(z: Floats) -> Floats:
        light, slope = _blobs(scene(z), points, blur)
        return np.tanh(0.15 * slope @ (np.cos(sun), np.sin(sun))) if is_relief else -np.expm1(-light)

    return decode


def _most_readable(k: int, pixels: Floats, sides: Floats, plane: Floats, rng: np.random.Generator) -> Scene:
    """Of `DRAWS` scenes the first whose numbers all show beside the plane as much as tasks ask of y, or the best."""
    z, span = rng.uniform(-EDGE, EDGE, (100, k)), np.linalg.qr(plane)[0]

    def readable(scene: Scene) -> float:
        def beside(z: Floats) -> Floats:
            picture = _blobs(scene(z), pixels, BLUR * sides)[0]
            return picture - picture @ span @ span.T

        return weakest_direction(Teacher(lambda n: z[:n], lambda rows: rows, beside), z)

    best, share = _scene(k, rng), -1.0
    for _ in range(DRAWS):
        scene = _scene(k, rng)
        if (found := readable(scene)) > share:
            best, share = scene, found
        if share >= WEAKEST:
            break
    return best


def scenes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """x is a picture of bars whose properties are the hidden numbers, y a picture of the same bars from elsewhere.

    With four pixels of x or more for each number, the background of x has a random level and slope; with six or more
    for each number and background number, a ball passes that y does not see.
    """
    pixels, sides = _pixels(d_in)
    has_background, has_ball = d_in >= 4 * k, d_in >= 6 * (k + 3)
    plane = np.column_stack((np.full(d_in, 0.2), 0.5 * (pixels - 0.5))) * has_background
    scene = _most_readable(k, pixels, sides, plane[:, : 3 * has_background], rng)

    def draw(n: int) -> Floats:
        z, ball = rng.uniform(-EDGE, EDGE, (n, k)), rng.uniform(0.0, 1.0, (n, 2))
        return np.hstack((z, rng.standard_normal((n, 3)), ball))

    def encode(causes: Floats) -> Floats:
        return causes[:, :k]

    def shown(causes: Floats) -> Floats:
        bars = _blobs(scene(encode(causes)), pixels, BLUR * sides)[0]
        away = (pixels - causes[:, None, k + 3 :]) / np.hypot(0.1, BLUR * sides)
        ball = 0.7 * has_ball * np.exp(-0.5 * np.square(away).sum(2))
        return bars + ball + causes[:, k : k + 3] @ plane.T

    return Teacher(draw, encode, _elsewhere(scene, d_out, rng), shown)
