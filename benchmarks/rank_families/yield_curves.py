"""Bonds: the state of an economy drives rates and how nervous markets are, and these yields and their volatilities."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import driven, followers, shares


def bonds(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Level, volatility, slope, hump, how volatility falls, and where the hump is: the first k of them vary.

    Yields are those of Nelson and Siegel (1987), their volatilities exponential in maturity. Slope and volatility
    follow the level (near zero rates hardly move), the hump the slope, the rest both, by 30 to 98 %. Level and slope
    are told by two maturities, the hump and its place by others, the volatilities by two: derivatives have rank k.
    """
    draw = inputs(d_in, rng)
    rows = draw(2000)
    own = driven(rows, k, rng)
    causes = (
        lambda z: np.logaddexp(0.0, 2.0 * z[:, 0]),
        lambda z: -np.tanh(1.2 * z[:, 0]) + 0.3 * z[:, 1],
        lambda z: np.square(z[:, 2]) - 0.5 * z[:, 0],
        lambda z: np.tanh(z[:, 1]) + 0.5 * np.square(z[:, 0]),
        lambda z: np.sin(1.2 * z[:, 2]) + 0.4 * z[:, 0],
    )
    rates = shares(k - 1, rng)
    encode = followers(rows, own, causes, rates)
    maturity = np.geomspace(0.1, 30.0, d_out)[rng.permutation(d_out)]
    is_volatility = np.arange(d_out) % 3 == 1
    size = np.array([1.0, 0.5, 1.2, 1.6, 0.6, 0.5])

    def decode(z: Floats) -> Floats:
        level, nervous, slope, hump, falls, place = (np.pad(z, ((0, 0), (0, 6 - k))) * size).T[:, :, None]
        decay = maturity * 0.5 * np.exp(np.clip(place, -1.5, 1.5))
        loading = (1.0 - np.exp(-decay)) / decay
        yields = level + slope * loading + hump * (loading - np.exp(-decay))
        usual_hump = loading - np.exp(-decay) if k < 4 else 0.0
        volatility = 1.5 * np.exp(np.clip(nervous, -2.0, 2.0) - np.exp(np.clip(falls, -1.5, 1.5)) * maturity / 10.0)
        return np.where(is_volatility, volatility, yields + usual_hump)

    return Teacher(draw, encode, decode)
