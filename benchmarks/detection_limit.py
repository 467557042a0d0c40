"""Claim: directions above the stated detection limit are found, and those below it are not.

Functions of two or three numbers of families that methods were chosen on (`_rank_tasks`, `rank_families`), whose last
number is scaled until the size of its effect is a given share of the first's (`rank_stress.weakened`): weaker and
weaker, until it is missed. For each fit the limit that it states (`RankSelection.detection_limit`) beside the
planted size. Where the last number is missed the limit is that of a further one: of this one. Where it is found, that
of one more, which is about the same.

`python benchmarks/detection_limit.py [FIRST SEEDS]`; the record is of seeds from 200 on, on which nothing was chosen.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from _environment import keep
from _rank_tasks import Floats, polynomial, relu, weakest_direction
from isthmus import select_rank
from rank_families.smooth_maps import smooth
from rank_stress import weakened

FIRST, SEEDS = 200, 1
FAMILIES = {"relu": relu, "polynomial": polynomial, "smooth": smooth}
SETTINGS = (  # family, k, inputs, outputs, rows, noise
    ("relu", 3, 8, 10, 200, 0.05),
    ("polynomial", 2, 8, 8, 200, 0.2),
    ("smooth", 2, 6, 8, 300, 0.05),
    ("polynomial", 2, 10, 8, 400, 0.05),
)
SHARES = (0.2, 0.1, 0.05, 0.025)
BOUNDS = (0.0, 0.5, 1.0, 2.0, np.inf)  # of the planted size over the limit


def planted(setting: tuple[Any, ...], share: float, seed: int) -> tuple[Floats, Floats, float]:
    """Inputs, outputs, and the size of the weakest number relative to the first."""
    family, k, d_in, d_out, rows, noise = setting
    rng = np.random.default_rng([seed, sum(map(ord, family)), k, rows])
    teacher = FAMILIES[family](k, d_in, d_out, rng)
    x = teacher.inputs(rows)
    sample = teacher.encode(teacher.inputs(500))
    teacher = weakened(teacher, sample, share)
    y = teacher.decode(teacher.encode(x))
    y = (y - y.mean(0)) / np.sqrt(np.square(y - y.mean(0)).mean())
    return teacher.shown(x), y + noise * rng.standard_normal(y.shape), weakest_direction(teacher, sample)


def measured(setting: tuple[Any, ...], share: float, seed: int) -> dict[str, Any]:
    x, y, size = planted(setting, share, seed)
    begin = time.process_time()
    found = select_rank(x, y, random_state=seed)
    chosen = found.hyperparameters
    assert chosen is not None
    return {
        "setting": list(setting),
        "seed": seed,
        "planted": round(size, 3),
        "limit": None if found.detection_limit is None else round(found.detection_limit, 3),
        "rank": found.rank,
        "interval": list(found.interval),
        "depth": chosen.depth,
        "ridge_share": round(chosen.ridge_share, 4),
        "seconds": round(time.process_time() - begin, 1),
    }


def by_ratio(rows: list[dict[str, Any]]) -> dict[str, list[int]]:
    """[found, fits] by the planted size over the limit."""
    told = [(row["planted"] / row["limit"], row["rank"] >= row["setting"][1]) for row in rows if row["limit"]]
    return {
        f"{low:g} to {high:g}": [sum(is_found for ratio, is_found in told if low <= ratio < high), len(own)]
        for low, high in pairwise(BOUNDS)
        if (own := [ratio for ratio, _ in told if low <= ratio < high])
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    first, seeds = (int(each) for each in sys.argv[1:3]) if len(sys.argv) > 1 else (FIRST, SEEDS)
    rows: list[dict[str, Any]] = []
    for seed in range(first, first + seeds):
        for setting in SETTINGS:
            for share in SHARES:
                rows.append(measured(setting, share, seed))
                print(rows[-1], flush=True)
                if rows[-1]["rank"] < setting[1]:
                    break
    print(by_ratio(rows))
    if len(sys.argv) == 1:
        claim = "Directions above the stated detection limit are found, and those below it are not."
        keep("detection_limit", claim, {"found_by_ratio": by_ratio(rows), "rows": rows}, in_lines=True)
