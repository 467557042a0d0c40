"""A family of many classes: how bright a star is in some bands tells its type and in what it is peculiar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher

TYPES = (6, 5, 4, 3, 3)  # along the temperature, for k = 1 to 5; three from there on


def _photometry(k: int, d: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """Magnitudes `(n, d)`: Planck's law of the first number, and k − 1 patterns of absorption of the others.

    How far the star is shifts all of them. Absorption saturates (curve of growth), and is weaker where it is hot.
    """
    frequency = 1.0 + 5.0 * (np.arange(d) + 0.5) / d  # in units of the usual temperature
    centre = (rng.permutation(k - 1) + rng.uniform(0.3, 0.7, k - 1)) / max(k - 1, 1)
    width = np.maximum(0.5 / k * rng.uniform(0.6, 1.2, k - 1), 0.7 / d)
    place = (np.arange(d) + 0.5) / d
    depth = np.exp(-0.5 * np.square((place - centre[:, None]) / width[:, None])) + 0.15 * rng.random((k - 1, d))

    def show(causes: Floats) -> Floats:
        warmth = np.exp(0.25 * causes[:, :1])
        light = 3.0 * np.log(frequency) - np.log(np.expm1(frequency / warmth))
        amount = np.exp(0.6 * causes[:, 1:k] - 0.3 * causes[:, :1])
        return -1.09 * (light - np.log1p(amount @ depth)) + 0.7 * causes[:, k:]

    return show


def stars(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The class is one of some types along a temperature and one of k kinds: normal, or peculiar in one of k − 1 ways.

    Logits are sums of an ordinal part of the first number, bent by the second, and of a part of k kinds whose odds to
    "normal" rise with each of the others: rank k. Classes are up to 15, of very different sizes.
    """
    types = TYPES[min(k, len(TYPES)) - 1]
    shares = np.cumsum(rng.dirichlet(np.full(types, 8.0)))[:-1]
    sharp, bend = rng.uniform(3.0, 6.0), 0.3 * (k > 1)
    odds = rng.uniform(1.5, 3.0, k - 1)

    def draw(n: int) -> Floats:
        return rng.standard_normal((n, k + 1))

    def warmth(z: Floats) -> Floats:
        return z[:, 0] + bend * np.square(z[:, min(1, k - 1)])

    sample = draw(2000)[:, :k]
    cuts = np.quantile(warmth(sample), shares)
    offset = np.quantile(sample[:, 1:], 0.5 ** (1.0 / k), axis=0) * odds if k > 1 else np.zeros(0)

    def decode(z: Floats) -> Floats:
        ordinal = np.cumsum(np.hstack((np.zeros((len(z), 1)), sharp * (warmth(z)[:, None] - cuts))), 1)
        peculiar = np.hstack((np.zeros((len(z), 1)), odds * z[:, 1:] + 0.5 * z[:, :1] * np.tanh(z[:, 1:]) - offset))
        logits = (ordinal[:, :, None] + peculiar[:, None, :]).reshape(len(z), -1)
        return logits - logits.mean(1, keepdims=True)

    show = _photometry(k, d_in, rng)
    return Teacher(draw, lambda causes: causes[:, :k], decode, show, is_classification=True)
