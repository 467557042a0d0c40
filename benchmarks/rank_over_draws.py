"""Claim: intervals of thirds of one table are not disjoint more often than they say.

Tables of known rank (the smaller families that the weights were fitted on, a fresh teacher for each seed) and real ones
of scikit-learn are cut into three parts at random; the rank of each is selected alone. An interval of 95 % misses the
rank of 5 % of draws, so two of them may be disjoint in 10 % of pairs at most. Told are the pairs whose intervals are
disjoint, the intervals that hold the true rank, and for the answers that were given a probability p how many of the
other two parts give the same answer: where all is as said, p² + … of the probabilities on average.

`python benchmarks/rank_over_draws.py [SEEDS]`; the record is of seed 300, on which nothing was chosen.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn import datasets

from _environment import keep
from _rank_tasks import task
from isthmus import select_rank
from rank_families import FITTED_ON

Floats = NDArray[np.float64]
Table = tuple[Floats, NDArray[Any]]
PARTS, SEEDS, REAL_SEEDS = 3, range(300, 301), 1
KNOWN = (  # family, k, noise, rows of a part
    ("relu", 2, 0.05, 150),
    ("polynomial", 2, 0.2, 150),
    ("physics", 2, 0.05, 150),
    ("epidemics", 3, 0.2, 150),
    ("options", 2, 0.05, 150),
    ("mains", 3, 0.05, 150),
    ("classes", 2, 0.05, 150),
)


def halves_of_digits() -> Table:
    x = datasets.load_digits().data
    return x[:, :32], x[:, 32:]


def blood_of_diabetics() -> Table:
    """Six serum measurements and the progression from age, sex, body mass and blood pressure."""
    data = datasets.load_diabetes(scaled=False)
    return data.data[:, :4], np.column_stack([data.data[:, 4:], data.target])


def contents_of_wine() -> Table:
    x = datasets.load_wine().data
    return x[:, :6], x[:, 6:]


def classes_of_digits() -> Table:
    data = datasets.load_digits()
    return data.data, data.target


REAL: dict[str, Callable[[], Table]] = {
    "digits, right half": halves_of_digits,
    "diabetes, serum": blood_of_diabetics,
    "wine, contents": contents_of_wine,
    "digits, classes": classes_of_digits,
}


@dataclass(frozen=True)
class Whole:
    """A table to be cut, and the rank it has; None where nobody knows."""

    name: str
    x: Floats
    y: NDArray[Any]
    rank: int | None
    seed: int


def tables(seeds: range) -> Iterator[Whole]:
    for at, seed in enumerate(seeds):
        for name, k, noise, rows in KNOWN:
            whole = task(name, FITTED_ON[name], k, noise, PARTS * rows, seed)
            yield Whole(name, whole.x, whole.y, k, seed)
        for name, load in REAL.items() if at < REAL_SEEDS else ():
            yield Whole(name, *load(), None, seed)


def answered(whole: Whole) -> dict[str, Any]:
    """The answers of the parts."""
    parts = np.random.default_rng(whole.seed).permutation(len(whole.x)) % PARTS
    kind = "classification" if whole.y.ndim == 1 else "regression"
    begin, found = time.process_time(), []
    for part in range(PARTS):
        x, y = whole.x[parts == part], whole.y[parts == part]
        if kind == "classification":
            _, y = np.unique(y, return_inverse=True)
        found.append(select_rank(x, y, task=kind, random_state=whole.seed))
    return {
        "table": whole.name,
        "kind": kind,
        "seed": whole.seed,
        "true": whole.rank,
        "ranks": [each.rank for each in found],
        "intervals": [list(each.interval) for each in found],
        "levels": [each.verdict.level for each in found],
        "probabilities": [[round(p, 3) for p in each.evidence.weighed] for each in found],
        "seconds": round(time.process_time() - begin, 1),
    }


def are_disjoint(one: list[int], other: list[int]) -> bool:
    return one[0] > other[1] or other[0] > one[1]


def expected_agreement(one: list[float], other: list[float]) -> float:
    """How often two draws of their own probabilities are the same."""
    return float(sum(p * q for p, q in zip(one, other, strict=False)))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts over pairs of parts, and over parts."""
    pairs = [(row, i, j) for row in rows for i, j in combinations(range(PARTS), 2)]
    said = [expected_agreement(row["probabilities"][i], row["probabilities"][j]) for row, i, j in pairs]
    known = [(row, i) for row in rows if row["true"] is not None for i in range(PARTS)]
    return {
        "pairs": len(pairs),
        "disjoint": sum(are_disjoint(row["intervals"][i], row["intervals"][j]) for row, i, j in pairs),
        "same_answer": sum(row["ranks"][i] == row["ranks"][j] for row, i, j in pairs),
        "same_answer_said": round(sum(said), 1),
        "parts_of_known_rank": len(known),
        "right": sum(row["ranks"][i] == row["true"] for row, i in known),
        "interval_holds": sum(row["intervals"][i][0] <= row["true"] <= row["intervals"][i][1] for row, i in known),
        "mean_width": round(float(np.mean([upper - lower for row in rows for lower, upper in row["intervals"]])), 2),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    seeds = range(int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 1 else SEEDS
    rows = []
    for whole in tables(seeds):
        rows.append(answered(whole))
        print({name: value for name, value in rows[-1].items() if name != "probabilities"}, flush=True)
    kinds = {
        "outputs of known rank": [r for r in rows if r["true"] is not None and r["kind"] == "regression"],
        "classes of known rank": [r for r in rows if r["true"] is not None and r["kind"] == "classification"],
        "real tables": [r for r in rows if r["true"] is None],
    }
    figures: dict[str, Any] = {name: summary(own) for name, own in kinds.items() if own}
    print(figures)
    if len(sys.argv) == 1:
        claim = "Intervals of thirds of one table are not disjoint more often than they say."
        keep("rank_over_draws", claim, {**figures, "rows": rows}, in_lines=True)
