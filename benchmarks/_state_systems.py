"""Systems whose number of state variables is known, simulated: each gives rows (before, after) of what is seen of it.

Pendulums are seen as two successive pictures, the least from which positions and speeds can be told; the fields of
partial differential equations as they are on a grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PIXELS, BLOB = 12, 0.25  # of a picture of [-1.2, 1.2]², and the radius of a bob in it
STEP, PERIOD = 0.01, 10  # of the integration, and in steps from picture to picture


@dataclass(frozen=True)
class System:
    """A system, and what others found.

    Attributes:
        variables: How many state variables it has; of a dissipative one, the dimension of what it settles on.
        literature: What is reported of it, and by whom: Chen and others (2022), Zeng and others (2024).
        rows: Draws so many pairs (before, after), each `(n, columns)`.
    """

    variables: int
    literature: str
    rows: Callable[[int, np.random.Generator], tuple[Floats, Floats]]


def runge_kutta(slope: Callable[[Floats], Floats], state: Floats, steps: int, step: float = STEP) -> Floats:
    """The state after so many steps of the classical method of fourth order."""
    for _ in range(steps):
        a = slope(state)
        b = slope(state + 0.5 * step * a)
        c = slope(state + 0.5 * step * b)
        state = state + step / 6.0 * (a + 2.0 * b + 2.0 * c + slope(state + step * c))
    return state


def pictures(bobs: Floats) -> Floats:
    """Bobs at `(n, count, 2)` as pictures `(n, PIXELS²)`."""
    axis = np.linspace(-1.2, 1.2, PIXELS)
    across = np.exp(-np.square((bobs[:, :, :1] - axis) / BLOB) / 2.0)
    along = np.exp(-np.square((bobs[:, :, 1:] - axis) / BLOB) / 2.0)
    found: Floats = np.einsum("nca,ncb->nab", along, across).reshape(len(bobs), -1)
    return found


def seen_twice(
    slope: Callable[[Floats], Floats], bobs: Callable[[Floats], Floats], state: Floats
) -> tuple[Floats, Floats]:
    """Two successive pictures, and the two after them."""
    moments = [state]
    for _ in range(3):
        moments.append(runge_kutta(slope, moments[-1], PERIOD))
    seen = [pictures(bobs(moment)) for moment in moments]
    return np.hstack(seen[:2]), np.hstack(seen[2:])


def single_pendulum(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    def slope(state: Floats) -> Floats:
        return np.column_stack([state[:, 1], -9.81 * np.sin(state[:, 0])])

    def bobs(state: Floats) -> Floats:
        return np.stack([np.sin(state[:, 0]), -np.cos(state[:, 0])], 1)[:, None, :]

    return seen_twice(slope, bobs, np.column_stack([rng.uniform(-2.0, 2.0, n), rng.uniform(-3.0, 3.0, n)]))


def double_pendulum(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Two equal rods of length 1/2 and two equal masses."""
    length = 0.5

    def slope(state: Floats) -> Floats:
        one, two, v, w = state.T
        apart = one - two
        below = length * (3.0 - np.cos(2.0 * apart))
        first = -3.0 * 9.81 * np.sin(one) - 9.81 * np.sin(one - 2.0 * two)
        first -= 2.0 * np.sin(apart) * length * (w**2 + v**2 * np.cos(apart))
        second = 2.0 * np.sin(apart) * (2.0 * v**2 * length + 2.0 * 9.81 * np.cos(one) + w**2 * length * np.cos(apart))
        return np.column_stack([v, w, first / below, second / below])

    def bobs(state: Floats) -> Floats:
        elbow = length * np.stack([np.sin(state[:, 0]), -np.cos(state[:, 0])], 1)
        end = elbow + length * np.stack([np.sin(state[:, 1]), -np.cos(state[:, 1])], 1)
        return np.stack([elbow, end], 1)

    start = np.column_stack([rng.uniform(-1.5, 1.5, (n, 2)), rng.uniform(-3.0, 3.0, (n, 2))])
    return seen_twice(slope, bobs, start)


def reaction_diffusion(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The spiral of a λ-ω system on [-10, 10]², seen on 12 × 12 points at moments drawn from some ten periods."""
    points, seen = 48, 12
    axis = np.linspace(-10.0, 10.0, points)
    spacing = axis[1] - axis[0]
    across, along = np.meshgrid(axis, axis)
    radius, angle = np.hypot(across, along), np.arctan2(along, across)
    field = np.tanh(radius) * np.stack([np.cos(angle - radius), np.sin(angle - radius)])

    def slope(state: Floats) -> Floats:
        u, v = state
        square = u * u + v * v
        padded = np.pad(state, ((0, 0), (1, 1), (1, 1)), mode="edge")  # no flux through the edge
        spread = padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1] + padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] - 4.0 * state
        return np.stack([(1.0 - square) * u + square * v, (1.0 - square) * v - square * u]) + 0.1 * spread / spacing**2

    step, every = 0.05, points // seen
    field = runge_kutta(slope, field, 400, step)
    films = []
    for _ in range(1200):  # 60 units of time: about ten periods
        field = runge_kutta(slope, field, 1, step)
        films.append(field[0, ::every, ::every].ravel())
    film, before = np.array(films), rng.permutation(1190)[:n]
    return film[before], film[before + 10]


def kuramoto_sivashinsky(n: int, rng: np.random.Generator, every: int = 10) -> tuple[Floats, Floats]:
    r"""$u_t = -u u_x - u_{xx} - u_{xxxx}$ on a circle of length 22, 64 points, every / 4 units of time from row to row.

    Source:
        Kassam and Trefethen (2005), exponential time differencing.
    """
    points, step = 64, 0.25
    waves = 2.0 * np.pi / 22.0 * np.arange(points // 2 + 1)
    linear = waves**2 - waves**4
    circle = step * linear[:, None] + np.exp(1j * np.pi * (np.arange(1, 33) - 0.5) / 32)
    half, whole = np.exp(step * linear / 2.0), np.exp(step * linear)
    q = step * ((np.exp(circle / 2.0) - 1.0) / circle).mean(1).real
    f1 = step * ((-4.0 - circle + np.exp(circle) * (4.0 - 3.0 * circle + circle**2)) / circle**3).mean(1).real
    f2 = step * ((2.0 + circle + np.exp(circle) * (-2.0 + circle)) / circle**3).mean(1).real
    f3 = step * ((-4.0 - 3.0 * circle - circle**2 + np.exp(circle) * (4.0 - circle)) / circle**3).mean(1).real

    def bent(v: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return -0.5j * waves * np.fft.rfft(np.fft.irfft(v) ** 2)

    at = 2.0 * np.pi * np.arange(points)[:, None] / points
    v = np.fft.rfft(np.cos(at * [1, 2, 3] + rng.uniform(0.0, 2.0 * np.pi, 3)).sum(1))
    film = []
    for moment in range(2000 + every * (n + 1)):
        own = bent(v)
        a = half * v + q * own
        of_a = bent(a)
        b = half * v + q * of_a
        of_b = bent(b)
        of_c = bent(half * a + q * (2.0 * of_b - own))
        v = whole * v + own * f1 + 2.0 * (of_a + of_b) * f2 + of_c * f3
        if moment >= 2000 and moment % every == 0:
            film.append(np.fft.irfft(v))
    rows = np.array(film)
    return rows[:n], rows[1 : n + 1]


SYSTEMS = {
    "single pendulum": System(2, "2 (videos, Neural State Variables)", single_pendulum),
    "double pendulum": System(4, "4 (videos, Neural State Variables)", double_pendulum),
    "reaction and diffusion": System(2, "2 (videos, Neural State Variables)", reaction_diffusion),
    "Kuramoto-Sivashinsky, L = 22": System(8, "8 (IRMAE-WD)", kuramoto_sivashinsky),
}
