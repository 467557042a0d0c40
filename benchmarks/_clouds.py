"""Clouds of known dimension that are not ideal: near copies, designs, far rows, units, quantised values, noise, bends.

`CHOSEN_ON` are those that the method was chosen on; `OTHERS` are of the same kinds but of other shapes, sizes and
shares, and only reported. Each is a function of a generator and has its dimension beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from _manifold_sets import sphere, swiss_roll

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Floats]


def gaussian(rows: int, d: int, columns: int) -> Draw:
    return lambda rng: rng.standard_normal((rows, d)) @ rng.standard_normal((d, columns))


def copied(draw: Draw, share: float, noise: float) -> Draw:
    """A share of the rows repeated with noise of so many times the median distance to the nearest row."""

    def of(rng: np.random.Generator) -> Floats:
        x = draw(rng)
        count = round(share * len(x))
        apart = np.linalg.norm(x[:200, None] - x[None], axis=2)
        apart[np.arange(len(apart)), np.arange(len(apart))] = np.inf
        scale = noise * float(np.median(apart.min(1))) / np.sqrt(x.shape[1])
        return np.concatenate([x, x[:count] + scale * rng.standard_normal((count, x.shape[1]))])

    return of


def grid(*levels: int, units: tuple[float, ...] = ()) -> Floats:
    """A full factorial, the columns in these units."""
    return np.array(list(itertools.product(*map(range, levels))), float) * (units or (1.0,) * len(levels))


def in_columns(x: Floats, columns: int) -> Draw:
    return lambda rng: x @ rng.standard_normal((x.shape[1], columns))


def bent(x: Floats, columns: int) -> Draw:
    """Columns are sines of directions of x, half a period over its extent."""

    def of(rng: np.random.Generator) -> Floats:
        unit = (x - x.min(0)) / np.ptp(x, axis=0).max()
        return np.sin(unit @ rng.standard_normal((x.shape[1], columns)) * np.pi / 2 + rng.random(columns))

    return of


def jittered(x: Floats, noise: float) -> Draw:
    return lambda rng: x + noise * rng.standard_normal(x.shape)


def far_cells(draw: Draw, value: float, share: float = 0.0) -> Draw:
    """One cell, or a share of the rows in a random column, holds a fill value."""

    def of(rng: np.random.Generator) -> Floats:
        x = draw(rng)
        count = max(1, round(share * len(x)))
        x[np.arange(count), rng.integers(x.shape[1], size=count)] = value
        return x

    return of


def in_unit(draw: Draw, unit: float) -> Draw:
    return lambda rng: draw(rng) * unit


def rounded(draw: Draw, step: float) -> Draw:
    return lambda rng: np.round(draw(rng) / step) * step


def noisy(draw: Draw, noise: float, columns: int) -> Draw:
    """Turned into so many columns, with noise in each of so many times the deviation of a column before."""

    def of(rng: np.random.Generator) -> Floats:
        x = draw(rng)
        frame = np.linalg.qr(rng.standard_normal((columns, x.shape[1])))[0]
        return x @ frame.T + noise * x.std() * rng.standard_normal((len(x), columns))

    return of


def box(rows: int, d: int) -> Draw:
    return lambda rng: rng.random((rows, d))


def normal(rows: int, d: int) -> Draw:
    return lambda rng: rng.standard_normal((rows, d))


def ball_surface(rows: int, d: int) -> Draw:
    return lambda rng: sphere(rng, rows, d)


def roll(rows: int) -> Draw:
    return lambda rng: swiss_roll(rng, rows)


def bent_box(rows: int, d: int, columns: int) -> Draw:
    return lambda rng: bent(rng.random((rows, d)), columns)(rng)


def spiral(rows: int, turns: int) -> Draw:
    def of(rng: np.random.Generator) -> Floats:
        t = 2 * np.pi * turns * rng.random(rows)
        return np.stack([100 * np.cos(t), 100 * np.sin(t), t], 1)

    return of


def circle(rows: int) -> Floats:
    t = 2 * np.pi * np.arange(rows) / rows
    return np.stack([np.cos(t), np.sin(t)], 1)


def of_rows(x: Floats) -> Draw:
    return lambda _: x.copy()


_SHEAR = np.array([[1.0, 0.0], [1.7, 0.6]])

CHOSEN_ON: dict[str, dict[str, tuple[int, Draw]]] = {
    "near copies": {
        f"{name}, {share:.0%} at {noise:g}": (d, copied(draw, share, noise))
        for name, d, draw in (
            ("gauss 5 in 64", 5, gaussian(1800, 5, 64)),
            ("sphere 2", 2, ball_surface(800, 2)),
            ("box 8", 8, box(1000, 8)),
        )
        for share in (0.02, 0.05, 0.1, 0.25, 1.0)
        for noise in (1e-4, 1e-2, 0.1)
    },
    "designs": {
        "40 x 40": (2, of_rows(grid(40, 40))),
        "40 x 40, ratio 3": (2, of_rows(grid(40, 40, units=(1.0, 3.0)))),
        "40 x 40, ratio 8": (2, of_rows(grid(40, 40, units=(1.0, 8.0)))),
        "80 x 80, ratio 3": (2, of_rows(grid(80, 80, units=(1.0, 3.0)))),
        "40 x 40, sheared": (2, of_rows(grid(40, 40) @ _SHEAR)),
        "40 x 40 in 6": (2, in_columns(grid(40, 40), 6)),
        "40 x 40 bent in 6": (2, bent(grid(40, 40), 6)),
        "10 x 10 x 10": (3, of_rows(grid(10, 10, 10))),
        "10 x 10 x 10, ratios 1 2 4": (3, of_rows(grid(10, 10, 10, units=(1.0, 2.0, 4.0)))),
        "12 x 12 x 12 in 6": (3, in_columns(grid(12, 12, 12), 6)),
        "6^4": (4, of_rows(grid(6, 6, 6, 6))),
        "2^9": (9, of_rows(grid(*[2] * 9))),
        "circle, even": (1, of_rows(circle(300))),
        "circle in 6, even": (1, in_columns(circle(300), 6)),
        "40 x 40 jittered": (2, jittered(grid(40, 40, units=(1.0, 3.0)), 0.02)),
    },
    "far rows": {
        f"box 5, {value:g}, {share:.0%}": (5, far_cells(box(1500, 5), value, share))
        for value in (-9999.0, 1e7, 1e20, 9.96921e36)
        for share in (0.0, 0.01, 0.1)
    },
    "units": {
        f"{name} times {unit:g}": (d, in_unit(draw, unit))
        for name, d, draw in (("box 5", 5, box(800, 5)), ("sphere 2", 2, ball_surface(500, 2)))
        for unit in (1e-300, 1e-160, 1e-8, 1e160, 1e300)
    },
    "quantised": {
        "normal 2, step 0.1": (2, rounded(normal(1000, 2), 0.1)),
        "normal 2, step 0.02": (2, rounded(normal(1000, 2), 0.02)),
        "normal 3, step 0.25": (3, rounded(normal(2000, 3), 0.25)),
        "normal 5, step 0.5": (5, rounded(normal(2000, 5), 0.5)),
        "normal 5, step 1": (5, rounded(normal(2000, 5), 1.0)),
        "box 8, step 0.25": (8, rounded(box(1000, 8), 0.25)),
        "sphere 2, step 0.02": (2, rounded(ball_surface(1000, 2), 0.02)),
        "counts 4": (4, lambda rng: rng.poisson(6.0, (2000, 4)).astype(float)),
        "gauss 5 in 64, step 0.1": (5, rounded(gaussian(1800, 5, 64), 0.1)),
        "bits 10": (10, lambda rng: rng.integers(2, size=(600, 10)).astype(float)),
    },
    "noise": {
        f"{name}, noise {noise:g}": (d, noisy(draw, noise, columns))
        for name, d, draw, columns in (
            ("circle", 1, ball_surface(1000, 1), 10),
            ("sphere 2", 2, ball_surface(1000, 2), 10),
            ("sphere 2 of 4000", 2, ball_surface(4000, 2), 10),
            ("roll", 2, roll(1500), 10),
            ("box 3", 3, box(1500, 3), 20),
            ("box 5", 5, box(2000, 5), 20),
        )
        for noise in (0.01, 0.03, 0.1)
    },
    "bends": {
        "sphere 5": (5, ball_surface(800, 5)),
        "bent square": (2, bent_box(1500, 2, 10)),
        "bent cube": (3, bent_box(2000, 3, 10)),
        "bent box 6": (6, bent_box(2000, 6, 20)),
        "spiral of 5 turns": (1, spiral(1000, 5)),
    },
}

_SKEW = np.array([[1.0, 0.0, 0.0], [0.4, 1.0, 0.0], [0.7, 0.3, 1.5]])

OTHERS: dict[str, dict[str, tuple[int, Draw]]] = {
    "near copies": {
        f"{name}, {share:.0%} at {noise:g}": (d, copied(draw, share, noise))
        for name, d, draw in (
            ("gauss 7 in 30", 7, gaussian(1500, 7, 30)),
            ("roll", 2, roll(1200)),
            ("sphere 4", 4, ball_surface(900, 4)),
            ("box 3", 3, box(600, 3)),
        )
        for share in (0.03, 0.08, 0.15, 1.0)
        for noise in (1e-6, 3e-3, 0.05)
    },
    "designs": {
        "30 x 60, ratio 3": (2, of_rows(grid(30, 60, units=(3.0, 1.0)))),
        "50 x 50, ratio 5": (2, of_rows(grid(50, 50, units=(1.0, 5.0)))),
        "32 x 32, sheared": (2, of_rows(grid(32, 32) @ np.array([[1.0, 0.2], [0.9, 0.5]]))),
        "60 x 60 in 8": (2, in_columns(grid(60, 60), 8)),
        "50 x 50 bent in 5": (2, bent(grid(50, 50), 5)),
        "9 x 9 x 9, ratios 1 1 3": (3, of_rows(grid(9, 9, 9, units=(1.0, 1.0, 3.0)))),
        "11 x 11 x 11, skew": (3, of_rows(grid(11, 11, 11) @ _SKEW)),
        "10 x 12 x 14 in 9": (3, in_columns(grid(10, 12, 14), 9)),
        "5^4, ratios 1 2 2 1": (4, of_rows(grid(5, 5, 5, 5, units=(1.0, 2.0, 2.0, 1.0)))),
        "4^5": (5, of_rows(grid(*[4] * 5))),
        "3^6": (6, of_rows(grid(*[3] * 6))),
        "2^10": (10, of_rows(grid(*[2] * 10))),
        "circle of 1000, even": (1, of_rows(circle(1000))),
        "20 x 70 jittered": (2, jittered(grid(20, 70, units=(2.0, 1.0)), 0.03)),
    },
    "far rows": {
        f"{name}, {value:g}, {share:.0%}": (d, far_cells(draw, value, share))
        for name, d, draw in (("normal 4", 4, normal(1000, 4)), ("roll", 2, roll(1000)))
        for value in (99999.0, -1e9, 1e300)
        for share in (0.0, 0.02, 0.05)
    },
    "units": {
        f"{name} times {unit:g}": (d, in_unit(draw, unit))
        for name, d, draw in (("normal 3", 3, normal(600, 3)), ("roll", 2, roll(900)))
        for unit in (-1e-290, 1e-200, 1e-30, 1e90, -1e290)
    },
    "quantised": {
        "normal 2, step 0.2": (2, rounded(normal(1500, 2), 0.2)),
        "normal 4, step 0.3": (4, rounded(normal(1500, 4), 0.3)),
        "normal 6, step 1": (6, rounded(normal(2000, 6), 1.0)),
        "box 5, step 0.1": (5, rounded(box(1200, 5), 0.1)),
        "roll, step 0.25": (2, rounded(roll(1500), 0.25)),
        "sphere 3, step 0.05": (3, rounded(ball_surface(1500, 3), 0.05)),
        "counts 3": (3, lambda rng: rng.poisson(15.0, (1200, 3)).astype(float)),
        "gauss 4 in 40, step 0.3": (4, rounded(gaussian(1500, 4, 40), 0.3)),
        "levels 7": (7, lambda rng: rng.integers(4, size=(1500, 7)).astype(float)),
    },
    "noise": {
        f"{name}, noise {noise:g}": (d, noisy(draw, noise, columns))
        for name, d, draw, columns in (
            ("circle", 1, ball_surface(600, 1), 5),
            ("spiral", 1, spiral(2000, 1), 8),
            ("sphere 3", 3, ball_surface(1500, 3), 15),
            ("roll", 2, roll(3000), 6),
            ("normal 4", 4, normal(1500, 4), 30),
        )
        for noise in (0.01, 0.02, 0.05)
    },
    "bends": {
        "sphere 7": (7, ball_surface(1500, 7)),
        "bent square": (2, bent_box(700, 2, 6)),
        "bent box 4": (4, bent_box(1500, 4, 12)),
        "bent box 8": (8, bent_box(2500, 8, 30)),
        "spiral of 3 turns": (1, spiral(700, 3)),
    },
}
