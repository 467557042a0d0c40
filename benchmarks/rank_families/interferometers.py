"""One target: temperatures, strains and voltages along the arms of an interferometer, and the light that comes out."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, standard


def interferometers(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Light of k arms and of one that stays meets; each phase is a linear combination of what acts on its arm.

    The light is the squared sum of waves (Born and Wolf, Principles of optics, section 7.3). It is no function of fewer
    combinations: the derivative by a phase is minus the arm's amplitude times the rest's part at right angles, which
    vanishes elsewhere for every arm. Sensors are read by several arms, and some by none.
    """
    reads = rng.random((d_in, k)) < rng.uniform(0.3, 1.0)
    reads[rng.permutation(d_in)[:k], np.arange(k)] = True
    gain = rng.standard_normal((d_in, k)) * reads
    shared, is_uniform = rng.uniform(0.0, 0.4), rng.random(d_in) < 0.5

    def draw(n: int) -> Floats:
        uniform = rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), (n, d_in))
        own = np.where(is_uniform, uniform, rng.standard_normal((n, d_in)))
        return np.sqrt(1.0 - shared) * own + np.sqrt(shared) * rng.standard_normal((n, 1))

    encode = standard(lambda x: x @ gain, draw(2000))
    amplitude, bias = rng.uniform(0.5, 1.0, k), rng.uniform(0.0, 2.0 * np.pi, k)
    swing = rng.uniform(0.6, 1.2, k)

    def decode(z: Floats) -> Floats:
        wave = 1.0 + (amplitude * np.exp(1j * (swing * z + bias))).sum(1)
        return np.square(np.abs(wave))[:, None]

    return Teacher(draw, encode, decode)
