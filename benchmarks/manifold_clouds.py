"""Claim: `manifold_dimension` finds the dimension of clouds that are not ideal, where estimators by distances fail.

Near copies, designs, far rows, extreme units, quantised values, noise and bends (`OTHERS` in `_clouds.py`), which the
method was not chosen on, and the reference manifolds of `manifold_dimension.py` without noise and with noise of 2 % and
5 % of the root mean square deviation in every column. Beside it TwoNN and GRIDE of scikit-dimension, the latter at its
first scale and at n1 = 16; and PH on the manifolds of seed 0, with a tenth of its steps and a fifth of its subsamples:
all of them take half a minute a set. Exact are those whose rounded value is the dimension; processor seconds are for
all sets of a kind, in turn.

The method was chosen on `CHOSEN_ON` with seeds 100 to 102 and on the manifolds with seeds 100 to 103; figures are of
seeds 0, 1 and 2. `python manifold_clouds.py before` keeps what another build of the package says, without the others.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import skdim
import torch
from numpy.typing import NDArray

from _clouds import OTHERS
from _environment import keep
from isthmus import manifold_dimension
from manifold_dimension import reference_manifolds, unseen_sets

Floats = NDArray[np.float64]
Sets = dict[str, tuple[int, Floats]]
SEEDS, NOISES = (0, 1, 2), (0.0, 0.02, 0.05)
ESTIMATORS: dict[str, Callable[[Floats], float]] = {
    "isthmus": lambda x: manifold_dimension(x).value,
    "TwoNN": lambda x: float(skdim.id.TwoNN().fit(x).dimension_),
    "GRIDE": lambda x: float(skdim.id.GRIDE().fit(x).dimension_),
    "GRIDE 16": lambda x: float(skdim.id.GRIDE(n1=16).fit(x).dimension_),
    "PH": lambda x: float(skdim.id.PH(nsteps=10, subsamples=2, random_state=0).fit(x).dimension_),
}


def clouds(kind: str, seed: int) -> Sets:
    """One draw of each set of a kind."""
    drawn = enumerate(OTHERS[kind].items())
    return {name: (d, draw(np.random.default_rng([seed, i]))) for i, (name, (d, draw)) in drawn}


def manifolds(noise: float, seed: int) -> Sets:
    """Reference manifolds and other sets of scikit-dimension with noise in every column."""
    found: Sets = {}
    for i, (name, (d, x)) in enumerate((reference_manifolds(seed) | unseen_sets(seed)).items()):
        deviation = noise * np.sqrt(x.var(0).mean())
        found[name] = d, x + deviation * np.random.default_rng([seed, i]).standard_normal(x.shape)
    return found


def answer(estimator: Callable[[Floats], float], x: Floats) -> float | None:
    """Its value, or None where it ends in an error or is not finite."""
    try:
        value = estimator(x)
    except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):
        return None
    return round(value, 2) if np.isfinite(value) else None


def compared(kind: str, draws: list[Sets], names: list[str]) -> dict[str, Any]:
    """For each estimator how many sets it has right and its seconds; and where ours is wrong."""
    found: dict[str, Any] = {"sets": sum(map(len, draws))}
    for name in names:
        begin = time.process_time()
        answers = [{key: (d, answer(ESTIMATORS[name], x)) for key, (d, x) in sets.items()} for sets in draws]
        seconds = time.process_time() - begin
        pairs = [(key, d, value) for sets in answers for key, (d, value) in sets.items()]
        wrong = [[key, d, value] for key, d, value in pairs if value is None or round(value) != d]
        found[name] = {"exact": len(pairs) - len(wrong), "seconds": round(seconds, 1)}
        if name == "isthmus":
            found["wrong"] = [f"{key}: {value} for {d}" for key, d, value in wrong]
        print(kind, name, found[name]["exact"], "of", found["sets"], found[name]["seconds"], "s", flush=True)
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of the estimators, where they have no answer
    is_before = sys.argv[1:] == ["before"]
    names = ["isthmus"] if is_before else [name for name in ESTIMATORS if name != "PH"]
    figures = {kind: compared(kind, [clouds(kind, seed) for seed in SEEDS], names) for kind in OTHERS}
    for noise in NOISES:
        kind = f"manifolds, noise {noise:g}"
        figures[kind] = compared(kind, [manifolds(noise, seed) for seed in SEEDS], names)
    if not is_before:
        figures["PH"] = {str(noise): compared(f"noise {noise:g}", [manifolds(noise, 0)], ["PH"]) for noise in NOISES}
    claim = "The dimension of clouds that are not ideal, where estimators by distances fail."
    keep("manifold_clouds_before" if is_before else "manifold_clouds", claim, figures)
