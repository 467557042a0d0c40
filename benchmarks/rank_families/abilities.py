"""Tests of abilities: what is known of a pupil drives a tree of abilities, and these the scores of tests."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats, Teacher, inputs
from rank_families.driven_numbers import CURVES, driven, followers, shares


def abilities(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Each ability follows one above it in a tree, by 30 to 98 %; a test asks one ability, and two others a little.

    Scores are the expected points of a graded test, logistic in a weighed sum of abilities (Samejima, 1969). Every
    ability has a part of its own and tests of its own, of other slopes than those of the ability above it: derivatives
    have rank k wherever no test is at its end.
    """
    draw = inputs(d_in, rng)
    rows = draw(2000)
    own = driven(rows, k, rng)
    above = [int(rng.integers(i)) for i in range(1, k)]
    curves = [CURVES[rng.integers(len(CURVES))] for _ in above]
    rates = shares(k - 1, rng)
    causes = [lambda z, parent=p, curve=c: curve(z[:, parent]) for p, c in zip(above, curves, strict=True)]
    encode = followers(rows, own, causes, rates)
    asks = np.zeros((k, d_out))
    asks[np.arange(d_out) % k, np.arange(d_out)] = rng.uniform(0.8, 1.5, d_out)
    for _ in range(2):
        asks[rng.integers(k, size=d_out), np.arange(d_out)] += 0.4 * rng.standard_normal(d_out)
    steps = np.sort(1.2 * rng.standard_normal((3, 1, d_out)), 0)

    def decode(z: Floats) -> Floats:
        return (1.0 / (1.0 + np.exp(steps - 1.5 * z @ asks))).sum(0)

    return Teacher(draw, encode, decode)
