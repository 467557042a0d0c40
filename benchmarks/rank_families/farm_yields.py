"""One target: what is put into a field, on logarithmic scales, and its yield."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, standard
from rank_families.active_columns import active_count


def farms(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The yield of k bundles of inputs, each a geometric mean of some, as linear combinations of logarithms show it.

    Bundles can replace each other only in part (constant elasticity of substitution, 0.25 to 0.5; Arrow and others,
    1961), and some are too much of a good thing beyond an optimum. The weights of the bundles in the gradient, which
    sum to one where nothing is too much, take all values: the gradients span k dimensions.
    """
    active = active_count(d_in, k, rng)
    columns = rng.permutation(d_in)[:active]
    shares = np.zeros((d_in, k))
    shares[columns] = rng.exponential(size=(active, k)) * (rng.random((active, k)) < rng.uniform(0.4, 1.0))
    shares[columns[np.arange(k)], np.arange(k)] += 1.0
    region, unit = rng.uniform(0.0, 0.5, d_in), rng.uniform(0.3, 0.8, d_in)

    def draw(n: int) -> Floats:
        own = np.sqrt(1.0 - region**2) * rng.standard_normal((n, d_in)) + region * rng.standard_normal((n, 1))
        return unit * own

    encode = standard(lambda x: x @ shares, draw(2000))
    stiff, weight = rng.uniform(1.0, 3.0), rng.uniform(0.6, 1.4, k)
    too_much = rng.uniform(0.0, 0.15, k)

    def decode(z: Floats) -> Floats:
        scarce = weight * np.exp(-stiff * 0.7 * z)
        grown = -np.log(scarce.sum(1)) / stiff
        return (grown - (too_much * np.square(z - 0.5)).sum(1))[:, None]

    return Teacher(draw, encode, decode)
