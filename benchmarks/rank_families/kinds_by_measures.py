"""Five families of classes told from tables: ballots, loans, genotypes, wines and texts.

That the logits have rank k is argued at each; `sharpened` makes them as sharp as those of other families and gives
every class about its share.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard
from rank_families.soils_and_plants import balanced

Map = Callable[[Floats], Floats]
SPREAD = 3.0  # standard deviation of the logits of a task


def classes_of(k: int, rng: np.random.Generator) -> int:
    """k + 2 classes or up to four more."""
    return k + 2 + int(rng.integers(5))


def sharpened(logits: Map, z: Floats, rng: np.random.Generator) -> Map:
    """Logits less their mean, of standard deviation 3 on the rows of z, shifted so that classes have about 1/c each."""
    found = logits(z)
    centred = found - found.mean(1, keepdims=True)
    scale = SPREAD / (centred - centred.mean(0)).std()
    shift = balanced(scale * centred, rng.dirichlet(np.full(found.shape[1], 20.0)))

    def decode(z: Floats) -> Floats:
        own = scale * logits(z) + shift
        return own - own.mean(1, keepdims=True)

    return decode


def ballots(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Answers from 1 to 5 place a voter on k axes; each party loses by its distance on each axis, as blocks are walked.

    Distances to k + 1 or more parties in general position tell the place (Enelow and Hinich, 1984).
    """
    count, loading = classes_of(k, rng), rng.standard_normal((max(k + 2, d_in // 5), d_in))
    cuts = np.sort(rng.standard_normal((4, d_in)), 0)

    def draw(n: int) -> Floats:
        leaning = rng.standard_normal((n, len(loading))) @ loading / np.sqrt(len(loading))
        felt = leaning + 0.5 * rng.standard_normal((n, d_in))
        return 1.0 + (felt[:, None] > cuts).sum(1)

    weight = rng.standard_normal((d_in, k)) * (rng.random((d_in, k)) < 0.5)
    rows = draw(2000)
    encode = standard(lambda x: np.tanh((x - 3.0) @ weight / np.sqrt(d_in)), rows)
    party, matters = rng.permuted(encode(rows), axis=0)[:count], rng.uniform(0.6, 1.4, k)
    utility = sharpened(lambda z: -(matters * np.sqrt(np.square(z[:, None] - party) + 0.05)).sum(2), encode(rows), rng)
    return Teacher(draw, encode, utility, is_classification=True)


def loans(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Sums of money in log-normal columns; k logarithms of ratios of sums are judged, the worst is the reason given.

    Class j ≤ k is "refused for ratio j", whose logit rises with how far that ratio is beyond its limit; the others
    are grades of what is granted, by sums of the margins that are left. Refusals alone tell all k ratios.
    """
    count, spread = classes_of(k, rng), rng.uniform(0.4, 1.0, d_in)
    common = 0.5 * rng.standard_normal((4, d_in))

    def draw(n: int) -> Floats:
        return np.exp(rng.standard_normal((n, 4)) @ common + spread * rng.standard_normal((n, d_in)))

    over, under = (rng.exponential(size=(d_in, k)) * (rng.random((d_in, k)) < 0.3) + 0.02 for _ in range(2))
    rows = draw(2000)
    encode = standard(lambda x: np.log(x @ over) - np.log(x @ under), rows)
    limit, weight = rng.uniform(-0.3, 0.8, k), rng.uniform(0.2, 1.0, (k, count - k))

    def judged(z: Floats) -> Floats:
        return np.hstack((1.5 * np.logaddexp(0.0, 2.0 * (z - limit)), np.logaddexp(0.0, limit - z) @ weight))

    return Teacher(draw, encode, sharpened(judged, encode(rows), rng), is_classification=True)


def genotypes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """0, 1 or 2 copies of alleles; k liabilities, sums with some pairs that act together; which trait shows most.

    A trait has one liability or mixes two, and shows by a logistic step: k traits have one each.
    """
    count, often = classes_of(k, rng), rng.uniform(0.15, 0.85, d_in)

    def draw(n: int) -> Floats:
        return rng.binomial(2, often, (n, d_in)).astype(float)

    effect = rng.standard_normal((d_in, k)) * (rng.random((d_in, k)) < max(0.3, 4.0 / d_in))
    pairs = rng.integers(d_in, size=(2, d_in, k))
    together = 0.5 * rng.standard_normal((d_in, k)) * (rng.random((d_in, k)) < max(0.2, 3.0 / d_in))

    def liability(x: Floats) -> Floats:
        own = x - 2.0 * often
        return own @ effect + np.einsum("ndk,dk->nk", own[:, pairs[0]] * own[:, pairs[1]], together)

    rows = draw(2000)
    encode = standard(liability, rows)
    mixing = np.hstack((np.eye(k), rng.dirichlet(np.full(k, 0.5), count - k).T * rng.choice((-1.0, 1.0), count - k)))
    step, steep = 0.5 * rng.standard_normal(count), rng.uniform(1.0, 2.5, count)
    shown = sharpened(lambda z: 1.0 / (1.0 + np.exp(-steep * (z @ mixing - step))), encode(rows), rng)
    return Teacher(draw, encode, shown, is_classification=True)


def wines(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Shares of d_in substances that sum to 1; k log-contrasts; styles have heavy-tailed densities of their own spread.

    Logarithms of Student densities around k + 2 or more centres are functions of as many distances.
    """
    count, processes = classes_of(k, rng), max(k + 2, d_in // 4)
    loading, usual = rng.standard_normal((processes, d_in)) / np.sqrt(processes), rng.standard_normal(d_in)

    def draw(n: int) -> Floats:
        amount = np.exp(usual + rng.standard_normal((n, processes)) @ loading + 0.3 * rng.standard_normal((n, d_in)))
        return np.sqrt(amount / amount.sum(1, keepdims=True))  # as shares are mostly shown: not on their first axis

    contrast = rng.standard_normal((d_in, k)) * (rng.random((d_in, k)) < 0.6)
    contrast -= contrast.mean(0)
    rows = draw(2000)
    encode = standard(lambda x: np.log(np.square(x) + 1e-6) @ contrast, rows)
    centre, shape = encode(rows)[:count], np.eye(k) + 0.4 * rng.standard_normal((count, k, k)) / np.sqrt(k)

    def density(z: Floats) -> Floats:
        distance = np.square(np.einsum("cij,ncj->nci", shape, z[:, None] - centre)).sum(2)
        return -0.5 * (3.0 + k) * np.log1p(distance / 3.0)

    return Teacher(draw, encode, sharpened(density, encode(rows), rng), is_classification=True)


def texts(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Counts of words, shown as logarithms; k themes, each how often its words come; kinds of text mix themes.

    The logit of a kind is the logarithm of a sum of themes' likelihood ratios and of no theme (Hofmann, 1999).
    """
    count = classes_of(k, rng)
    word = rng.dirichlet(np.full(d_in, 0.5), max(k + 2, 6)) + 0.2 / d_in

    def draw(n: int) -> Floats:
        rate = rng.dirichlet(np.full(len(word), 0.4), n) @ word
        return np.log1p(rng.poisson(6.0 * d_in * rate / rate.sum(1, keepdims=True)))

    theme = rng.exponential(size=(d_in, k)) * (rng.random((d_in, k)) < 0.4) + 0.02
    rows = draw(2000)
    encode = standard(lambda x: np.log(np.expm1(x) @ theme + 1.0), rows)
    share = rng.dirichlet(np.full(k + 1, 0.4), count) + 0.02
    mixture = sharpened(lambda z: np.log(np.exp(1.5 * z) @ share[:, 1:].T + share[:, 0]), encode(rows), rng)
    return Teacher(draw, encode, mixture, is_classification=True)
