"""Four families of tasks of known rank that come from other trades: mixtures, epidemics, options, and one of classes.

They were written by someone who had not seen how a rank is decided, and corrected by what `_rank_family_checks` prints
of seeds 100 and 101 only. Nobody who develops a method should read on, or read `_rank_family_plants`, before it is
fixed. Run as a script, it prints the checks.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from scipy.special import ndtr

from _rank_family_checks import report
from _rank_family_plants import plants
from _rank_tasks import Family, Floats, Teacher, standard

Map = Callable[[Floats], Floats]
DAYS, STEPS = 120.0, 80  # of an epidemic
SHARES = 5  # columns of a census that add up to 1


# Mixtures: an absorption spectrum is measured, and the fluorescence of the same sample predicted.


def _bands(chemicals: int, places: Floats, width: float, rng: np.random.Generator) -> Floats:
    """Spectra `(chemicals, channels)`: a band of its own each, which overlaps its neighbours', and a weaker one."""
    own = (rng.permutation(chemicals) + rng.uniform(0.3, 0.7, chemicals)) / chemicals
    centres = np.stack((own, rng.uniform(0.0, 1.0, chemicals)))[..., None]
    widths = np.maximum(width * rng.uniform(0.8, 1.5, (2, chemicals)), 0.6 / len(places))[..., None]
    heights = np.stack((rng.uniform(0.7, 1.3, chemicals), rng.uniform(0.1, 0.5, chemicals)))[..., None]
    return (heights * np.exp(-0.5 * np.square((places - centres) / widths))).sum(0)


def _absorbance(k: int, d: int, rng: np.random.Generator) -> Map:
    """What a spectrometer shows `(n, d)` of a sample: k logarithms of concentrations, two of dirt, path, level, slope.

    Absorbance is linear in concentrations (Beer and Lambert) and saturates by stray light, 2 per cent of the lamp's.
    The solvent, always as concentrated, tells the path. With fewer than 3 (k + 2) channels there is no dirt, and with
    fewer than 2 (k + 1) the path, level and slope are fixed too.
    """
    has_dirt, has_path = d >= 3 * (k + 2), d >= 2 * (k + 1)
    channel = (np.arange(d) + 0.5) / d
    spectra = _bands(k + 3, channel, 0.8 / (k + 3), rng)  # of k analytes, two kinds of dirt, the solvent

    def show(causes: Floats) -> Floats:
        analytes, dirt = np.exp(0.7 * causes[:, :k]), 0.5 * has_dirt * np.exp(0.4 * causes[:, k : k + 2])
        path, level, slope = causes[:, k + 2 :].T[..., None] * has_path
        amounts = np.hstack((0.4 * analytes, 0.4 * dirt, np.full((len(causes), 1), 0.7)))
        light = 10.0 ** (-np.exp(0.25 * path) * (amounts @ spectra))
        return -np.log10((light + 0.02) / 1.02) + 0.1 * level + 0.1 * slope * (channel - 0.5)

    return show


def mixtures(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of k concentrations, x is an absorption spectrum, y what the mixture emits.

    One to three lamps excite it in turn; what chemicals absorb of a lamp they share by their absorbances, and the more
    there is of them all, the less comes from each (inner filter effect; Lakowicz, Principles of fluorescence
    spectroscopy, chapter 2). A quencher among them dims all others (Stern and Volmer).
    """
    together = rng.uniform(0.0, 0.5)
    is_uniform = rng.random() < 0.5

    def draw(n: int) -> Floats:
        own = rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), (n, k)) if is_uniform else rng.standard_normal((n, k))
        dilution = rng.standard_normal((n, 1))
        return np.hstack((np.sqrt(1.0 - together) * own + np.sqrt(together) * dilution, rng.standard_normal((n, 5))))

    lamps = int(rng.integers(1, 4))
    lamp = rng.integers(lamps, size=d_out)
    emission = _bands(k, (np.arange(d_out) + rng.uniform(0.2, 0.8, d_out)) / d_out, 0.7 / k, rng)
    absorbs = rng.uniform(0.3, 1.5, (k, lamps))
    quencher, quenching = int(rng.integers(k)), rng.uniform(0.2, 0.6) * (k > 1)
    filtered = rng.uniform(0.0, 0.6, (k, d_out)) / k  # absorption of what is emitted

    def decode(z: Floats) -> Floats:
        amounts = np.exp(0.7 * z)
        total = 0.5 * amounts @ absorbs / np.sqrt(k)
        excited = (-np.expm1(-total) / total)[:, lamp]
        dimmed = amounts / (1.0 + quenching * amounts[:, [quencher]] * (np.arange(k) != quencher))
        glow = np.einsum("nk,kd,kd->nd", dimmed, emission, absorbs[:, lamp])
        return np.sqrt(excited * glow * np.exp(-amounts @ filtered))

    return Teacher(draw, lambda causes: causes[:, :k], decode, _absorbance(k, d_in, rng))


# Epidemics: a census tells how people in some regions live, tests of sewage how an epidemic passes.


def _census(d: int, k: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Columns in fives that add up to 1 (ages, trades, ways to travel), the rest logarithms of densities.

    Some common causes, 3 k or a sixth of the columns if that is more, make most of every column.
    """
    causes = max(3 * k, d // 6)
    loading = rng.standard_normal((causes, d)) / np.sqrt(causes)
    blocks = d // SHARES if d > 10 else 1
    spread = rng.uniform(0.7, 1.2, blocks)

    def draw(n: int) -> Floats:
        columns = np.sqrt(0.8) * rng.standard_normal((n, causes)) @ loading + np.sqrt(0.2) * rng.standard_normal((n, d))
        parts = columns[:, : blocks * SHARES].reshape(n, blocks, SHARES)
        parts = np.exp(spread[:, None] * parts)
        parts = parts / parts.sum(2, keepdims=True)
        return np.hstack((parts.reshape(n, -1), 0.2 * columns[:, blocks * SHARES :]))

    return draw


def _habits(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Logarithms of contacts at home and elsewhere together; either is exponential in a score of the columns."""
    scaled = standard(lambda x: x, rows)
    directions = np.linalg.svd(scaled(rows), full_matrices=False)[2]
    directions = directions[: max(k, 2 * rows.shape[1] // 3)]  # along which places differ, no sums of shares
    at_home, elsewhere = (directions.T @ np.linalg.qr(rng.standard_normal((len(directions), k)))[0] for _ in range(2))
    homely, outgoing = (standard(lambda x, w=w: scaled(x) @ w, rows) for w in (at_home, elsewhere))

    def respond(x: Floats) -> Floats:
        a, b = homely(x), outgoing(x)
        return np.logaddexp(a, 1.5 * b - 0.5 * np.tanh(a))

    return respond


def _epidemic(infect: Floats, recover: Floats, seed: Floats, travel: Floats) -> Floats:
    """Shares of the infectious `(n, STEPS + 1, regions)` in an SEIR epidemic, by fourth-order Runge-Kutta steps.

    Args:
        infect: Rate of infection a day, `(n, regions)`.
        recover: Rate of recovery a day, `(n, regions)`.
        seed: Share of the infectious on the first day, `(n, regions)`.
        travel: Shares of the contacts of each region with each other, `(regions, regions)`.

    Source:
        Keeling and Rohani, Modeling infectious diseases in humans and animals (2008), chapters 2 and 7.
    """

    def change(state: Floats) -> Floats:
        susceptible, exposed, infectious = state
        caught = infect * susceptible * (infectious @ travel.T)
        return np.stack((-caught, caught - exposed / 3.0, exposed / 3.0 - recover * infectious))

    state, step = np.stack((1.0 - seed, np.zeros_like(seed), seed)), DAYS / STEPS
    course = [state[2]]
    for _ in range(STEPS):
        a = change(state)
        b = change(state + 0.5 * step * a)
        c = change(state + 0.5 * step * b)
        state = state + step / 6.0 * (a + 2.0 * b + 2.0 * c + change(state + step * c))
        course.append(state[2])
    return np.stack(course, 1)


def epidemics(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of rates in one to four regions: infection and one other in each.

    The other is the share of first cases, the rate of recovery or how much the sick shed. Each of d_out sewage works
    serves the regions in parts of its own and is sampled on a day of its own; y are square roots, which steady counts.
    """
    draw = _census(d_in, k, rng)
    rows = draw(2000)
    encode = standard(_habits(rows, k, rng), rows)
    regions = ceil(k / 2)
    both = np.arange(k - regions)  # regions that have two numbers
    kinds = np.zeros((regions, 4), dtype=bool)
    kinds[:, 0] = kinds[both, rng.integers(1, 4, len(both))] = True
    effect = (0.25, 1.0, 0.4, 0.5)
    usual = np.array((0.36, 0.005, 0.14, 1.0)) * np.exp(0.15 * rng.standard_normal((regions, 4)))
    travel = np.eye(regions) * 0.95 + 0.05 / regions
    served = rng.dirichlet(np.full(regions, 0.3), d_out)
    day = rng.permutation((np.arange(d_out) + rng.uniform(0.2, 0.8, d_out)) / d_out) * 0.9 + 0.1
    before = np.minimum((day * STEPS).astype(int), STEPS - 1)
    part = (day * STEPS - before)[:, None]

    def decode(z: Floats) -> Floats:
        settings = np.zeros((len(z), regions, 4))
        settings[:, kinds] = 3.0 * np.tanh(z / 3.0)  # no region is beyond what a model of days can follow
        infect, seed, recover, shed = np.moveaxis(usual * np.exp(effect * settings), 2, 0)
        course = _epidemic(infect, recover, seed, travel)
        sampled = (1.0 - part) * course[:, before] + part * course[:, before + 1]
        return np.sqrt((sampled * shed[:, None] * served).sum(2))

    return Teacher(draw, encode, decode)


# Options: returns and ranges of the last days tell highest prices and volatilities, and these what contracts are worth.


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


THIRD: dict[str, Family] = {"mixtures": mixtures, "epidemics": epidemics, "options": options, "plants": plants}


if __name__ == "__main__":
    report(THIRD, __doc__)
