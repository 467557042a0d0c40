"""Physical formulas: groups of measured quantities set a recorded signal."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from _rank_tasks import Floats, Teacher, standard

QUANTITIES, GROUPS = 10, 14  # what the formulas of `_log_groups` read and return
EDGE = np.sqrt(3.0)  # of uniform numbers of variance 1


def _log_groups(quantities: Floats) -> Floats:
    """Logarithms `(n, 14)` of what physics makes of ten quantities `(n, 10)`, each in units of its typical value."""
    mass, spring, speed, length, density, viscosity, heat, resistance, capacitance, height = quantities.T
    groups = (
        np.sqrt(spring / mass),  # frequency of an oscillator
        density * speed * length / viscosity,  # Reynolds number
        resistance * capacitance,  # time to charge a capacitor
        mass * (speed**2 + height) / 2.0,  # kinetic and potential energy
        viscosity * length / mass,  # Stokes' damping rate
        np.sqrt(heat / spring),  # thermal amplitude of an oscillator
        np.sqrt(length) * (1.0 + 0.1 * density / mass),  # period of a pendulum that air carries a little
        np.sqrt(heat * resistance),  # noise of a resistor
        np.expm1(np.arcsinh(0.5 * speed) + 0.3 * mass / length),  # redshift by motion and by gravity
        np.sqrt(resistance**2 + 1.0 / capacitance**2),  # impedance
        length**2 * (1.0 + heat**3) / mass,  # rate of cooling by conduction and radiation
        density * np.exp(-mass * height / heat),  # density at a height
        length * height / (length + height),  # focal length of two lenses
        heat / (viscosity * length),  # Stokes' and Einstein's diffusion
    )
    return np.log(np.stack(groups, 1))


def _measured(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Positive rows around 1: columns are log-normal or uniform, with spreads from 0.15 to 0.35."""
    spread, is_uniform = rng.uniform(0.15, 0.35, d), rng.random(d) < 0.5

    def draw(n: int) -> Floats:
        uniform = 1.0 + rng.uniform(-EDGE, EDGE, (n, d)) * spread
        return np.where(is_uniform, uniform, np.exp(spread * rng.standard_normal((n, d))))

    return draw


def _independent_groups(logs: Floats, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """k of the groups; of 100 choices the one whose correlations have the largest smallest eigenvalue."""
    choices = [rng.permutation(GROUPS)[:k] for _ in range(100)]
    return max(choices, key=lambda chosen: np.linalg.eigvalsh(np.atleast_2d(np.corrcoef(logs[:, chosen].T)))[0])


def _ring_down(strength: Floats, rate: Floats, place: Floats, t: Floats, events: int) -> Floats:
    tones = 2.0 * np.pi * (0.5 + (events + 0.5) * place)  # half a period to events + 1 periods within the record
    return strength * np.exp(-2.5 * rate * t) * np.cos(tones * t)


def _spectrum(strength: Floats, rate: Floats, place: Floats, t: Floats, events: int) -> Floats:
    return strength / (1.0 + ((t - place) * events * 3.5 * rate) ** 2)


def _pulses(strength: Floats, rate: Floats, place: Floats, t: Floats, events: int) -> Floats:
    rise = 0.12 / events
    since = rise * np.logaddexp(0.0, (t - place + 0.3 / events) / rise)
    return strength * -np.expm1(-since / rise) * np.exp(-1.8 * events * rate * since)


def physics(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of physical groups; they set strengths, rates and places in a recorded signal.

    The signal is a ring-down of damped tones, a spectrum of resonances or a train of relaxing pulses. Columns of x that
    no chosen group reads are nuisance.
    """
    draw, column = _measured(d_in, rng), rng.permutation(d_in)[:QUANTITIES]
    rows = draw(2000)
    chosen = _independent_groups(_log_groups(rows[:, column]), k, rng)
    encode = standard(lambda x: _log_groups(x[:, column])[:, chosen], rows)
    shape = (_ring_down, _spectrum, _pulses)[rng.integers(3)]
    events = ceil(k / 3)
    setting = rng.permutation(3 * events)[:k]
    strength, rate = np.exp(0.2 * rng.standard_normal((2, events)))
    place = (np.arange(events) + rng.uniform(0.35, 0.65, events)) / events
    t = np.linspace(0.0, 1.0, d_out)[:, None]

    def decode(z: Floats) -> Floats:
        settings = np.zeros((len(z), 3 * events))
        settings[:, setting] = z
        a, b, c = settings.reshape(len(z), 3, 1, events).transpose(1, 0, 2, 3)
        signal = shape(strength * np.exp(0.35 * a), rate * np.exp(0.35 * b), place + 0.12 * c / events, t, events)
        return signal.sum(2)

    return Teacher(draw, encode, decode)
