"""Wave forms: how a bell is made tells its pitch, decay, delay and how much a second tone is heard."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import driven


def bells(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Pitch, decay, delay and the second tone's pitch: the first k vary; y is the sound at moments.

    At the end phases differ by up to two turns between bells, so that sounds take many numbers that are linear, but
    they are functions of k. The four change sounds in ways of their own: derivatives have rank k.
    """
    draw = inputs(d_in, rng)
    encode = driven(draw(2000), k, rng)
    moments = np.linspace(0.05, 1.0, d_out)
    pitch, bend = rng.uniform(2.0, 4.0), rng.uniform(0.6, 1.2)
    start = rng.uniform(0.0, 2.0 * np.pi, 2)

    def decode(z: Floats) -> Floats:
        held = np.tanh(0.6 * np.pad(z, ((0, 0), (0, 4 - k))))
        first, decay, delay, second = held.T[:, :, None]
        after = moments - 0.1 * delay
        tone = np.sin(2.0 * np.pi * (pitch + bend * first) * after + start[0])
        other = np.sin(2.0 * np.pi * (0.6 * pitch + bend * second) * after + start[1])
        return np.exp(-2.0 * np.exp(0.9 * decay) * after) * (tone + 0.7 * other)

    return Teacher(draw, encode, decode)
