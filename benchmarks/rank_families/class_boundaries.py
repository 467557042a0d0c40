"""Ten families of classes whose boundaries differ in kind; what tells the hidden numbers is that of other families.

Each boundary is a map of hidden numbers to logits that is drawn for some of their values, `(n, k)`, and a number of
classes, k + 2 or more. That logits have rank k is argued at each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from _rank_tasks import Family, Floats, Teacher, polynomial, relu
from rank_families.absorption_spectra import mixtures
from rank_families.gene_programmes import programmes
from rank_families.physical_signals import physics
from rank_families.smooth_maps import smooth

Map = Callable[[Floats], Floats]
Boundary = Callable[[Floats, int, np.random.Generator], Map]
ENCODERS: tuple[Family, ...] = (relu, polynomial, smooth, physics, programmes, mixtures)
DRAWS = 8  # of a boundary, of which the one is taken whose rarest class is the commonest


def _squared_distances(z: Floats, centres: Floats) -> Floats:
    return np.square(z[:, None] - centres).sum(2)


def _some_of(z: Floats, count: int, rng: np.random.Generator) -> Floats:
    return z[rng.choice(len(z), count, replace=False)]


def flat(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Half-spaces, as of logistic regression: count − 1 ≥ k differences of linear forms in general position."""
    form, level = rng.standard_normal((z.shape[1], count)), 0.5 * rng.standard_normal(count)
    return lambda z: z @ form + level


def quadrics(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Gaussian classes of different spreads: their gradients at a point are independent, as precisions are."""
    centre, k = _some_of(z, count, rng), z.shape[1]
    shape = np.eye(k) + 0.5 * rng.standard_normal((count, k, k)) / np.sqrt(k)
    return lambda z: -0.5 * np.square(np.einsum("cij,ncj->nci", shape, z[:, None] - centre)).sum(2)


def grades(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Ordered classes: the odds of a grade to the one below rise with one of the numbers, each number is asked once."""
    k = z.shape[1]
    asked = rng.permutation(np.concatenate((np.arange(k), rng.integers(k, size=count - 1 - k))))
    level = (np.arange(count - 1) + 1.0) / count
    cuts = np.array([np.quantile(z[:, number], at) for number, at in zip(asked, level, strict=True)])
    steep = rng.uniform(1.0, 2.0, count - 1)
    return lambda z: np.cumsum(np.hstack((np.zeros((len(z), 1)), steep * (z[:, asked] - cuts))), 1)


def several_labels(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Nothing, one of k labels, or two of them: the odds of one label to nothing are those of its number."""
    k = z.shape[1]
    pairs = np.eye(k)[rng.integers(k, size=(count - 1 - k, 2))].sum(1)
    holds = np.vstack((np.zeros((1, k)), np.eye(k), pairs))
    cuts, steep = np.quantile(z, rng.uniform(0.4, 0.7), axis=0), rng.uniform(1.5, 3.0, k)
    rarer = 0.5 * np.square(holds.sum(1) - 1.0)
    return lambda z: (steep * (z - cuts)) @ holds.T - rarer


def nests(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Choices first among nests and then within one (McFadden, 1978): an invertible function of count utilities."""
    form = 1.5 * rng.standard_normal((z.shape[1], count))
    nest = np.eye(2 + int(rng.integers(2)))[rng.permutation(np.arange(count) % 2)]
    nest = nest[:, nest.any(0)]
    unlike = rng.uniform(0.3, 0.8, nest.shape[1])

    def logits(z: Floats) -> Floats:
        within = (z @ form) / (nest @ unlike)
        worth = np.stack([logsumexp(within[:, own > 0.0], axis=1) for own in nest.T], 1)
        return within - worth @ nest.T + (unlike * worth) @ nest.T

    return logits


def sectors(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Directions, and a class in the middle: directions tell k − 1 numbers and the odds of the middle the distance."""
    k = z.shape[1]
    towards = np.array([[1.0], [-1.0]]) if k == 1 else rng.standard_normal((count - 1, k))
    towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    middle, sharp = z.mean(0), rng.uniform(2.0, 4.0)
    reach = float(np.quantile(np.linalg.norm(z - middle, axis=1), 1.0 / count))

    def logits(z: Floats) -> Floats:
        distance = np.sqrt(np.square(z - middle).sum(1, keepdims=True) + 0.01)
        return np.hstack((2.0 * (reach - distance), sharp * ((z - middle) / distance) @ towards.T - 0.8 * sharp))

    return logits


def islands(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Rare classes in the sea of a common one: squared distances to k + 1 islands tell the place."""
    centre = _some_of(z, count - 1, rng)
    size = np.array([np.quantile(own, rng.uniform(0.03, 0.1)) for own in _squared_distances(z, centre).T])

    def logits(z: Floats) -> Floats:
        near = 2.0 * size / (size + _squared_distances(z, centre))
        return np.hstack((np.zeros((len(z), 1)), 3.0 * np.log(near)))

    return logits


def clusters(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Classes that lie in three places each: logarithms of sums of Gaussian densities, k + 1 or more of them."""
    centre = _some_of(z, 3 * count, rng)
    width = 0.5 * float(np.median(np.sort(_squared_distances(centre, centre), 1)[:, 1]))
    return lambda z: logsumexp(-0.5 * _squared_distances(z, centre).reshape(len(z), count, 3) / width, axis=2)


def waves(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Stripes: sums of two waves in directions of their own, whose gradients are independent nearly everywhere."""
    k = z.shape[1]
    wave = rng.standard_normal((k, count, 2)) * rng.uniform(0.5, 1.0) / np.sqrt(k)
    phase = rng.uniform(0.0, 2.0 * np.pi, (count, 2))
    return lambda z: np.cos(np.tensordot(z, wave, 1) + phase).sum(2)


def crowds(z: Floats, count: int, rng: np.random.Generator) -> Map:
    """Sixteen more classes, each what is nearest to its prototype in a power of the distance below the second."""
    centre, power = _some_of(z, count + 16, rng), rng.uniform(0.4, 1.0)
    return lambda z: -np.power(_squared_distances(z, centre) + 0.01, power)


def bounded(boundary: Boundary) -> Family:
    """The family of that boundary between classes, whose inputs and hidden numbers are those of another family."""

    def drawn(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
        source = ENCODERS[rng.integers(len(ENCODERS))](k, d_in, 20, rng)
        z = source.encode(source.inputs(2000))
        count = k + 2 + int(rng.integers(4))

        def rarest(logits: Map) -> int:
            found = logits(z)
            return int(np.bincount(found.argmax(1), minlength=found.shape[1]).min())

        logits = max((boundary(z, count, rng) for _ in range(DRAWS)), key=rarest)

        def decode(z: Floats) -> Floats:
            found = logits(z)
            return found - found.mean(1, keepdims=True)

        return replace(source, decode=decode, is_classification=True)

    return drawn


BOUNDARIES = (flat, quadrics, grades, several_labels, nests, sectors, islands, clusters, waves, crowds)
