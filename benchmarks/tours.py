"""Claim: the shortest path through N outputs of a rank-k teacher grows like N^{1 − 1/k}; C_N only like log N.

The teachers of the seed setting (50 → k → 50), nested subsets of 5,000 rows, three seeds each. For every N the path
found and a lower bound; the slopes of log length over log N, by least squares over the seeds; Theorem 2's bound of R/L
at depth 13 with its constant; and C_N of Proposition 2 from the rank-1 interpolant that is built, where float64 holds
it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from _environment import keep
from isthmus.costs.growth_exponent import log_slope
from isthmus.costs.interpolant import rank_one_interpolant
from isthmus.costs.rank_one import RankOneBound, diameter_of
from isthmus.costs.tour import short_path, shortest_path_lower
from isthmus.data.synthetic import random_teacher
from isthmus.errors import InexactNetworkError

SIZES, RANKS, SEEDS, DEPTH = (50, 100, 200, 500, 1000, 2000, 5000), (1, 2, 3, 4), (0, 1, 2), 13


def measured(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, Any]:
    path = short_path(y, seconds=5.0 if len(y) > 2000 else 2.0)
    lower = shortest_path_lower(y, upper=path.length, steps=60)
    bound = RankOneBound(DEPTH, lower, diameter_of(torch.from_numpy(x)))
    row: dict[str, Any] = {"n": len(y), "upper": path.length, "lower": lower, "R_per_depth_at_13": bound.per_depth}
    try:
        found = rank_one_interpolant(x, y, rng=np.random.default_rng(seed))
        row |= {"C_N": found.constant, "own_depth": found.depth, "C_N_limit": found.limit, "error": found.error}
    except InexactNetworkError as inexact:
        row |= {"C_N": None, "error": inexact.error}
    return row


def main() -> None:
    torch.set_num_threads(1)
    figures: list[dict[str, Any]] = []
    for k in RANKS:
        rows = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            x = rng.standard_normal((max(SIZES), 50))
            y = random_teacher(x, k=k, d_out=50, width=100, train=max(SIZES), rng=rng)(x)
            for n in SIZES:
                rows.append({"seed": seed, **measured(x[:n], y[:n], seed)})
                print(k, rows[-1], flush=True)
        n = [row["n"] for row in rows]
        slopes = {end: log_slope(n, [row[end] for row in rows]) for end in ("lower", "upper")}
        late = [row for row in rows if row["n"] >= 500]
        slopes |= {
            f"{end}_from_500": log_slope([r["n"] for r in late], [r[end] for r in late]) for end in ("lower", "upper")
        }
        figures.append(
            {
                "k": k,
                "1 - 1/k": 1 - 1 / k,
                "slopes": {end: {"slope": s.value, "error": s.error} for end, s in slopes.items()},
                "rows": rows,
            }
        )
        print(f"k = {k}: 1 - 1/k = {1 - 1 / k:.3f}", figures[-1]["slopes"], flush=True)
        keep("tours", "the shortest path through N outputs of rank k grows like N^(1 - 1/k); C_N like log N", figures)


if __name__ == "__main__":
    main()
