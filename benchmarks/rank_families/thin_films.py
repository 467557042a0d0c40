"""Thin films: how layers were deposited tells how thick they are, and this which colours the glass reflects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard
from rank_families.active_columns import active_count, apart

Map = Callable[[Floats], Floats]
GLASS = 1.52


def _log_book(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Settings and readings `(n, d)` of a chamber: many hover about a set point, some drift together, some jump."""
    drifting, jumps = rng.uniform(0.0, 0.7, d), rng.random(d) < 0.15
    unit = np.exp(rng.standard_normal(d))

    def draw(n: int) -> Floats:
        age = rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), (n, 1))  # of the target
        hovering = np.sqrt(1.0 - drifting**2) * rng.standard_normal((n, d)) + drifting * age
        jumping = rng.integers(-1, 2, (n, d)) + 0.3 * hovering
        return unit * (5.0 + np.where(jumps, jumping, hovering))

    return draw


def _thicknesses(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Logarithms of k thicknesses: linear in some columns, with an optimum in others, and wear that saturates."""
    d = rows.shape[1]
    active, scaled = active_count(d, k, rng), standard(lambda x: x, rows)
    linear, optimum, wear = (apart(d, k, active, rng) for _ in range(3))

    def respond(x: Floats) -> Floats:
        s = scaled(x)
        return s @ linear - 0.4 * np.log1p(np.square(s @ optimum - 0.5)) + 0.4 * np.tanh(1.5 * s @ wear)

    return respond


def _reflected(phase: Floats, index: Floats) -> Floats:
    """Share `(n, d)` that layers `(n, d, layers)` on glass reflect, with phases passed once and refractive indices.

    Source:
        Heavens, Optical properties of thin solid films (1955), section 4.4: reflectances from the glass upwards.
    """
    below = np.full(phase.shape[:2], (index[-1] - GLASS) / (index[-1] + GLASS), dtype=complex)
    for layer in range(len(index) - 1, -1, -1):
        above = index[layer - 1] if layer else 1.0
        step = (above - index[layer]) / (above + index[layer])
        turned = below * np.exp(2j * phase[..., layer])
        below = (step + turned) / (1.0 + step * turned)
    return np.square(np.abs(below))


def films(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of the thicknesses of k layers, y the light reflected at colours and angles.

    At k wavelengths or more the phases are independent functions of the thicknesses: derivatives have rank k.
    """
    draw = _log_book(d_in, rng)
    rows = draw(2000)
    encode = standard(_thicknesses(rows, k, rng), rows)
    layers = max(k, 3)
    varies = rng.permutation(layers)[:k]
    index = np.where((np.arange(layers) + rng.integers(2)) % 2, 2.3, 1.43) + 0.1 * rng.standard_normal(layers)
    quarters = rng.uniform(0.7, 2.2, layers)
    colour = rng.permutation((np.arange(d_out) + 0.5) / d_out) * 0.5 + 0.42  # micrometres
    slant = rng.choice((1.0, 0.88), d_out)  # cosine within a layer
    spread = rng.uniform(0.12, 0.22)

    def decode(z: Floats) -> Floats:
        change = np.zeros((len(z), layers))
        change[:, varies] = spread * 3.0 * np.tanh(z / 3.0)
        passed = 0.5 * np.pi * quarters * np.exp(change) * 0.6  # of light of 0.6 micrometres
        return _reflected(passed[:, None] * (slant / colour)[:, None], index)

    return Teacher(draw, encode, decode)
