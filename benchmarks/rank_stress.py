"""Claim: the rank survives what real data do: much noise, few rows, columns that mean nothing, weak directions.

Functions of four numbers of the families relu and polynomial (`_rank_tasks`), 500 rows of 10 inputs and 20 outputs with
5 % noise, and one thing changed at a time. `weak` scales the last hidden number until the size of its effect is the
given share of the first's; `useless` adds columns that nothing depends on; `heavy` has Student noise with three degrees
of freedom; `correlated` multiplies inputs by a matrix whose singular values fall from 1 to 0.1.

The result is of seed 0, on which nothing was chosen; further seeds are arguments.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from _environment import keep
from _rank_tasks import Family, Floats, Teacher, polynomial, relu, weakest_direction
from isthmus import RankRegressor

K, ROWS, INPUTS, OUTPUTS, NOISE = 4, 500, 10, 20, 0.05
FAMILIES: dict[str, Family] = {"relu": relu, "polynomial": polynomial}
CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "noise 30 %": {"noise": 0.3},
    "100 rows": {"rows": 100},
    "useless 190": {"useless": 190},
    "heavy": {"heavy": True},
    "correlated": {"correlated": True},
    "weak 0.2": {"weak": 0.2},
    "weak 0.1": {"weak": 0.1},
    "weak 0.05": {"weak": 0.05},
}


def weakened(teacher: Teacher, z: Floats, share: float) -> Teacher:
    """The teacher with its last number scaled so that σ_k/σ_1 is the share, by bisection."""

    def scaled(factor: float) -> Teacher:
        by = np.ones(z.shape[1])
        by[-1] = factor
        return Teacher(teacher.inputs, teacher.encode, lambda rows: teacher.decode(rows * by))

    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2.0
        low, high = (middle, high) if weakest_direction(scaled(middle), z) < share else (low, middle)
    return scaled(high)


def measured(family: str, change: str, seed: int) -> dict[str, Any]:
    setting = CHANGES[change]
    rng = np.random.default_rng([seed, sum(map(ord, family))])
    mixing = np.linalg.qr(rng.standard_normal((INPUTS, INPUTS)))[0]
    teacher = FAMILIES[family](K, INPUTS, OUTPUTS, rng)
    n = setting.get("rows", ROWS)
    x = rng.standard_normal((n, INPUTS))
    if setting.get("correlated"):
        x = x @ (mixing * np.geomspace(1.0, 0.1, INPUTS)) @ mixing.T
    z = teacher.encode(x)
    if "weak" in setting:
        teacher = weakened(teacher, z, setting["weak"])
    y = teacher.decode(z)
    y = (y - y.mean(0)) / np.sqrt(np.square(y - y.mean(0)).mean())
    noise = rng.standard_t(3, y.shape) / np.sqrt(3.0) if setting.get("heavy") else rng.standard_normal(y.shape)
    y = y + setting.get("noise", NOISE) * noise
    x = np.concatenate([x, rng.standard_normal((n, setting.get("useless", 0)))], 1)
    begin = time.process_time()
    found = RankRegressor(random_state=seed).fit(x, y).selection_
    chances = found.evidence.weighed
    return {
        "family": family,
        "change": change,
        "seed": seed,
        "weakest": round(weakest_direction(teacher, z), 3),
        "rank": found.rank,
        "interval": list(found.interval),
        "probability_of_4": chances[K] if len(chances) > K else 0.0,
        "seconds": round(time.process_time() - begin, 1),
    }


if __name__ == "__main__":
    seeds = tuple(int(s) for s in sys.argv[1:]) or (0,)
    rows = []
    for change in CHANGES:
        for family in FAMILIES:
            for seed in seeds:
                rows.append(measured(family, change, seed))
                print(rows[-1], flush=True)
    if len(sys.argv) == 1:
        keep("rank_stress", "The rank survives noise, few rows, useless columns and weak directions.", rows)
