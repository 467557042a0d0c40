"""Gas turbines: what an operator and the weather set drives the machine's state, and this its instruments."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import driven, followers, shares


def turbines(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Speed, pressure ratio, firing temperature, vane angle, efficiency, bleed: the first k vary, kept near schedules.

    A controller holds each near a schedule of those before it, by 30 to 98 %. Instruments read pressures, temperatures
    and flows at stations along the machine, products of powers of the six, each of independent exponents: derivatives
    of their logarithms have rank k.
    """
    draw = inputs(d_in, rng)
    rows = draw(2000)
    own = driven(rows, k, rng)
    causes = (
        lambda z: np.square(1.0 + 0.4 * z[:, 0]),
        lambda z: np.tanh(1.2 * z[:, 1]) + 0.3 * np.square(z[:, 0]),
        lambda z: np.logaddexp(0.0, 4.0 * (z[:, 0] - 0.2)),
        lambda z: -np.square(z[:, 1] - 0.3) + 0.4 * z[:, 3],
        lambda z: np.tanh(2.0 * z[:, 2] - z[:, 0]),
    )
    rates = shares(k - 1, rng)
    encode = followers(rows, own, causes, rates)
    exponents = 0.35 * rng.standard_normal((k, d_out))
    exponents[np.arange(d_out) % k, np.arange(d_out)] += rng.choice((-0.5, 0.5), d_out)
    limit = rng.uniform(1.0, 3.0, d_out)

    def decode(z: Floats) -> Floats:
        level = np.exp(0.5 * np.clip(z, -4.0, 4.0) @ exponents)
        return level / (1.0 + level / (3.0 * limit))

    return Teacher(draw, encode, decode)
