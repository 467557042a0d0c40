"""Options: returns and ranges of the last days tell prices and volatilities, and these what contracts are worth."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from scipy.special import ndtr

from _rank_tasks import Floats, Teacher, standard

Map = Callable[[Floats], Floats]


def _market(assets: int, d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Returns and daily ranges of some assets by turns, `(n, d)`, in units of a calm day.

    Column j is of asset j mod assets. Each has a trend and a volatility of its own, parts of which are the market's;
    returns are heavy-tailed.
    """
    column = np.arange(d)
    asset, is_range = column % assets, (column // assets) % 2 == 1
    shared = rng.uniform(0.2, 0.5)

    def draw(n: int) -> Floats:
        trend, calm = (
            np.sqrt(1.0 - shared) * rng.standard_normal((n, assets)) + np.sqrt(shared) * rng.standard_normal((n, 1))
            for _ in range(2)
        )
        volatility = np.exp(0.35 * calm)[:, asset]
        news = rng.standard_t(8, (n, d)) / np.sqrt(8.0 / 6.0)
        returns = 0.8 * trend[:, asset] + 0.7 * volatility * news
        return np.where(is_range, volatility * np.exp(0.3 * rng.standard_normal((n, d))), returns)

    return draw


def _signals(assets: int, listed: int, k: int, d: int) -> Map:
    """Logarithms of the highest prices of the first assets listed and, of k − assets of them, of volatilities.

    The highest is smooth, a mean of high powers, and counts the price at the start. A part of the variance is taken off
    its logarithm, as what swings cost.
    """
    owner, turn = np.arange(d) % listed, np.arange(d) // listed

    def observe(x: Floats) -> Floats:
        prices, volatilities = [], []
        for asset in range(assets):
            returns, ranges = (x[:, (owner == asset) & (turn % 2 == kind)] for kind in range(2))
            variance = np.square(ranges).mean(1)  # Parkinson (1980)
            path = np.cumsum(returns, 1) / np.sqrt(returns.shape[1])
            prices.append(np.log1p(np.exp(2.0 * path).sum(1)) / 2.0 - 0.15 * variance)
            volatilities.append(0.5 * np.log(0.05 + variance))
        return np.stack((*prices, *volatilities[: k - assets]), 1)

    return observe


def _contracts(d_out: int, assets: int, rng: np.random.Generator) -> Callable[[Floats, Floats], Floats]:
    """Values of d_out books of one to three contracts, calls or bets that a price will be reached, long or short.

    The books read the logarithms of prices and the volatilities of assets, `(n, assets)` both (Black and Scholes, 1973,
    without interest). The first contract of book j is on asset j mod assets.
    """
    on = np.stack((np.arange(d_out) % assets, *rng.integers(assets, size=(2, d_out))))
    strike, years = 0.25 * rng.standard_normal((3, d_out)), np.exp(rng.uniform(-3.5, 0.0, (3, d_out)))
    is_bet, size = rng.random((3, d_out)) < 0.4, rng.choice((-1.0, 1.0), (3, d_out)) * rng.uniform(0.5, 1.0, (3, d_out))
    size[1:] *= rng.random((2, d_out)) < 0.5

    def value(log_price: Floats, volatility: Floats) -> Floats:
        book = np.zeros((len(log_price), d_out))
        for asset, k, t, bet, amount in zip(on, strike, years, is_bet, size, strict=True):
            spread = volatility[:, asset] * np.sqrt(t)
            high = (log_price[:, asset] - k) / spread + spread / 2.0
            call = np.exp(log_price[:, asset]) * ndtr(high) - np.exp(k) * ndtr(high - spread)
            book += amount * np.where(bet, 0.4 * ndtr(high - spread), call)
        return book

    return value


def options(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of highest prices and volatilities of one to four assets, y values of books.

    Up to two more assets are listed that no book holds.
    """
    assets = ceil(k / 2)
    listed = min(assets + 2, d_in // 2)
    draw = _market(listed, d_in, rng)
    encode = standard(_signals(assets, listed, k, d_in), draw(2000))
    usual = 0.35 * np.exp(0.2 * rng.standard_normal(assets))
    value = _contracts(d_out, assets, rng)

    def decode(z: Floats) -> Floats:
        settings = np.zeros((len(z), assets))
        settings[:, : k - assets] = z[:, assets:]
        return value(0.2 * z[:, :assets], usual * np.exp(0.6 * settings))

    return Teacher(draw, encode, decode)
