"""Weather: what satellites see drives the air over a valley, and this what its stations read."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import driven, followers, shares


def weather(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Temperature, vapour, cloud, wind, sunshine, pressure: the first k vary, each follows those before by 30 to 98 %.

    Stations at heights and slopes of their own read one of k kinds of instruments: thermometers (cooled with height,
    less so under cloud), dew points (at most the temperature), cloud, wind by exposure, ground temperature, pressure.
    An instrument of the last kind reads what those of the other kinds do not: derivatives have rank k.
    """
    draw = inputs(d_in, rng)
    rows = draw(2000)
    own = driven(rows, k, rng)
    causes = (
        lambda z: np.exp(np.clip(z[:, 0], -2.5, 2.5)),
        lambda z: np.square(z[:, 1] - z[:, 0]),
        lambda z: np.square(z[:, 0]) + 0.3 * z[:, 2],
        lambda z: -np.square(z[:, 2] - 0.5) + 0.3 * z[:, 0],
        lambda z: np.tanh(z[:, 0] - z[:, 3]) + 0.3 * z[:, 4],
    )
    rates = shares(k - 1, rng)
    encode = followers(rows, own, causes, rates)
    height, exposure = rng.uniform(0.0, 1.5, d_out), rng.uniform(0.5, 1.5, d_out)
    kind = np.arange(d_out) % k

    def decode(z: Floats) -> Floats:
        heat, vapour, cloud, wind, sun, pressure = (np.pad(z, ((0, 0), (0, 6 - k)))).T[:, :, None]
        air_heat = heat - height * (1.0 - 0.4 * np.tanh(cloud)) + 0.2 * exposure * np.tanh(sun)
        dew = air_heat - np.logaddexp(0.0, 2.0 * (air_heat - vapour)) / 2.0
        read = (
            0.8 * air_heat,
            0.5 * dew + 1.5 * vapour,
            np.logaddexp(0.0, 3.0 * (cloud + 0.5 * height)) + 0.5 * cloud,
            1.5 * np.exp(0.5 * exposure * np.clip(wind, -3.0, 3.0)) - 0.2 * cloud,
            0.4 * air_heat * (1.0 + 0.2 * np.tanh(sun)) + 2.5 * exposure * np.tanh(0.7 * sun),
            2.0 * pressure * np.exp(-0.3 * height) - 0.3 * height * heat,
        )
        return np.choose(kind, [np.broadcast_to(each, (len(z), d_out)) for each in read[:k]])

    return Teacher(draw, encode, decode)
