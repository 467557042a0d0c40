"""Gene programmes: variants of genes and a few covariates set how active programmes are, these what is transcribed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard
from rank_families.active_columns import active_count, apart

Map = Callable[[Floats], Floats]


def _genotypes(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Counts 0, 1 or 2 of rarer variants, neighbours correlated, and a fifth of ordinary numbers (two at least)."""
    covariates = max(2, d // 5)
    genes = d - covariates
    linked, rare = rng.uniform(0.2, 0.8, genes), rng.uniform(-0.9, 0.0, genes)

    def draw(n: int) -> Floats:
        own = rng.standard_normal((2, n, genes))
        liability = own.copy()
        for gene in range(1, genes):
            before = linked[gene] * liability[..., gene - 1]
            liability[..., gene] = before + np.sqrt(1.0 - linked[gene] ** 2) * own[..., gene]
        return np.hstack(((liability < rare).sum(0).astype(float), rng.standard_normal((n, covariates))))

    return draw


def _activity(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Scores over the columns, a dominant part (concave in each count) and a product of two scores, which saturate."""
    d = rows.shape[1]
    active, scaled = active_count(d, k, rng), standard(lambda x: x, rows)
    scores, partner, dominant = (apart(d, k, active, rng) for _ in range(3))

    def respond(x: Floats) -> Floats:
        s = scaled(x)
        score = s @ scores + 0.2 * (1.0 - np.square(s)) @ dominant + 0.25 * (s @ scores) * (s @ partner)
        return np.arcsinh(score)

    return respond


def programmes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of the programmes' activities, y logarithms of what d_out genes transcribe.

    A gene is switched on by one programme and, with a chance, helped by a second and repressed by a third; all effects
    are Hill functions with thresholds of its own.
    """
    draw = _genotypes(d_in, rng)
    rows = draw(2000)
    encode = standard(_activity(rows, k, rng), rows)
    on = rng.permutation(np.arange(d_out) % k)
    helper, repressor = rng.integers(k, size=(2, d_out))
    helps, represses = 0.5 * (rng.random(d_out) < 0.5), 1.0 * ((rng.random(d_out) < 0.3) & (repressor != on))
    steep, threshold = rng.uniform(1.0, 3.0, (3, d_out)), 0.5 * rng.standard_normal((3, d_out))
    leak = rng.uniform(0.05, 0.2, d_out)

    def decode(z: Floats) -> Floats:
        hill = [
            1.0 / (1.0 + np.exp(-steep[i] * (0.7 * z[:, chosen] - threshold[i])))
            for i, chosen in enumerate((on, helper, repressor))
        ]
        return np.log(leak + (hill[0] + helps * hill[1]) * (1.0 - 0.8 * represses * hill[2]))

    return Teacher(draw, encode, decode)
