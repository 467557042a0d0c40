"""Of very many rows some: what more of them would tell is not worth their time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from isthmus.data import Sample
from isthmus.data.dataset import Integers
from isthmus.data.splitting import Parts

MOST_ROWS = 50_000
"""Different rows that a selection learns from and judges on; of more so many are drawn."""
_OF_A_CLASS = 10
Cut = int | Integers | Parts | None
"""How many folds, or the part of each row."""


def drawn_rows(sample: Sample, cv: Cut, seed: int) -> tuple[Sample, Cut, str]:
    """About `MOST_ROWS` rows at most, drawn without replacement, with the parts that belong to them.

    Of each class there are its share, and at least ten.

    Args:
        sample: All different rows, in an order that they alone decide: so the draw does not depend on another.
        cv: How many folds, or the part of each row.
        seed: Of the draw.

    Returns:
        The rows, their parts, and a sentence on it; the sentence is empty where all rows are taken.
    """
    count = len(sample.x)
    if count <= MOST_ROWS:
        return sample, cv, ""
    rows = np.sort(_drawn(sample, np.random.default_rng(seed).permutation(count)))
    kept = cv
    if isinstance(cv, Parts):
        kept = replace(cv, of_row=cv.of_row[rows])
    elif isinstance(cv, np.ndarray):
        kept = cv[rows]
    return sample.at(rows), kept, f"Of {count:,} different rows {len(rows):,} were drawn."


def _drawn(sample: Sample, order: Integers) -> Integers:
    if sample.labels is None:
        return order[:MOST_ROWS]
    labels = sample.labels[order]
    counts = np.bincount(labels)
    asked = np.maximum(np.ceil(MOST_ROWS * counts / len(labels)), np.minimum(counts, _OF_A_CLASS))
    by_class = np.argsort(labels, kind="stable")
    place = np.empty_like(by_class)
    place[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[place < asked[labels]]
