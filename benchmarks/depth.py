"""Claims at huge depth: Proposition 4 (s₂/s₁ of some layer is O(L^{-1/4})), Proposition 5 (R/L ≤ k + C/L, C without N).

Networks found at depth 6 (the best of four random starts), grown by identity layers and trained on at each doubling.
Sections, each by its name on the command line (all of them without one), each kept in `results/depth.json`:

- `minima`: the same from the network of rank 1 that `search_rank` finds at depth 6 (a random start often ends at rank
  2 and stays there: then R/L ≤ 1 + C_N/L, the premise of Proposition 4, does not hold).
- `ratio`: rank-1 teachers and the curve autoencoder. Least s₂/s₁ over the layers of the activations, not centred, at
  L = 6, 12, …, 96, and the slope of its logarithm over log L; grown with every direction there is (so that a second one
  is given up by training alone), and as `search_rank` grows (directions below 1e-3 of the first are cut off at once).
- `constant`: rank-2 teachers. C of the construction of f* itself (its own weights, shifted once so that the identity
  layers see nonnegative coordinates, and made as short as can be without training), for N = 50, 100, 200, 400 rows of
  one f*; every trained network against k + C/L.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from _environment import RESULTS, environment
from isthmus.costs import activation_ratios, depth_expansion
from isthmus.costs.linear_runs import reduce_norm_and_balance
from isthmus.data.synthetic import Teacher, random_teacher
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected
from isthmus.training import (
    Objective,
    TrainingConfig,
    fit,
    insert_identity_layers,
    search_rank,
    warm_start_fit,
)

SEEDS, DEPTHS, ROWS = (0, 1, 2), (6, 12, 24, 48, 96), (50, 100, 200, 400)
SIDE, WIDTH, RIDGE = 6, 30, 0.05
Row = dict[str, Any]


def teacher(k: int, seed: int) -> tuple[np.ndarray, Teacher]:
    """Rows and one f* over all of them: what N rows see is the same function for each N."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((max(ROWS), SIDE))
    return x, random_teacher(x, k=k, d_out=SIDE, width=WIDTH, train=max(ROWS), rng=rng)


def curve() -> np.ndarray:
    t = np.linspace(-1.0, 1.0, 200)
    return np.stack([1.2 * t, 0.6 * np.sin(np.pi * t)], 1)


def options(y: Any | None, ridge: float, depth: int) -> dict[str, Any]:
    task = "regression" if y is not None else "autoencoder"
    return {"task": task, "config": TrainingConfig(depth, WIDTH, ridge, n_init=4, standardize="none")}


def descended(
    x: Any, y: Any | None, ridge: float, depths: tuple[int, ...], seed: int, span: Tolerance | None
) -> list[tuple[FullyConnected, Objective]]:
    """The network and its objective at each depth."""
    first = fit(x, y, seed=seed, **options(y, ridge, depths[0]))
    return deepened(first.network, first.objective, depths, seed, span)


def deepened(
    network: FullyConnected, objective: Objective, depths: tuple[int, ...], seed: int, span: Tolerance | None
) -> list[tuple[FullyConnected, Objective]]:
    found = [network]
    for depth in depths[1:]:
        found.append(
            warm_start_fit(insert_identity_layers(found[-1], objective.x, depth, tolerance=span), objective, seed=seed)
        )
    return [(each, objective) for each in found]


def tasks() -> Iterator[tuple[str, int, tuple[Any, Any, float]]]:
    for task in ("teacher", "curve"):
        for seed in SEEDS:
            x, f = teacher(1, seed)
            yield task, seed, (x[:100], f(x[:100]), RIDGE) if task == "teacher" else (curve(), None, 2e-3)


def minima() -> dict[str, Any]:
    rows = []
    for task, seed, (x, y, ridge) in tasks():
        search = search_rank(x, y, seed=seed, **options(y, ridge, DEPTHS[0]))
        one = next((c.network for c in search.candidates if c.rank == 1), None)
        if one is not None:
            found = deepened(one, search.objective, DEPTHS, seed, None)
            rows.append(ratios_along(task, seed, "rank 1 of the search", found))
    return {"rows": rows, "stated": -0.25}


def ratio() -> dict[str, Any]:
    rows = []
    for task, seed, given in tasks():
        for name, span in (("all directions", None), ("cut off at 1e-3", Tolerance(1e-3))):
            rows.append(ratios_along(task, seed, name, descended(*given, DEPTHS, seed, span)))
    return {"rows": rows, "stated": -0.25}


def ratios_along(task: str, seed: int, name: str, found: list[tuple[FullyConnected, Objective]]) -> Row:
    path = []
    for network, objective in found:
        ratios = activation_ratios(network, objective.x)
        path.append(
            {"depth": network.depth, "least": min(ratios), "layer": 1 + ratios.index(min(ratios))}
            | {"norm_per_depth": network.norm_per_depth, "error": objective.error(network)}
            | {"objective": objective.value(network)}
        )
    row: Row = {"task": task, "seed": seed, "grown": name, "path": path, "slope": slope(path)}
    fitted = depth_expansion(DEPTHS[1:], [p["depth"] * p["norm_per_depth"] for p in path[1:]])
    row |= {"slope_of_the_norm": fitted.rank, "slope_of_the_norm_error": fitted.rank_error}
    told = [f"{p['least']:.2g}" for p in path]
    print(f"{task} {seed} {name}: s2/s1 {', '.join(told)}; slope {row['slope']}; {fitted}", flush=True)
    return row


def slope(path: list[Row]) -> float | None:
    """Of log ratio over log L; None where a ratio is zero to rounding."""
    if min(p["least"] for p in path) < 1e-6:
        return None
    logs = np.log([[p["depth"], p["least"]] for p in path])
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def construction(f: Teacher, x: np.ndarray) -> FullyConnected:
    """f* as g and h with the k numbers shifted to be nonnegative on the rows: depth 4, exact there."""
    (w1, b1), (w2, b2) = f.encoder
    (w3, b3), (w4, b4) = f.decoder
    shift = -f.encode(x).min(0)
    arrays = [(w1, b1), (w2, b2 + shift), (w3, b3 - w3 @ shift), (w4, b4)]
    return FullyConnected(tuple(torch.tensor(w) for w, _ in arrays), tuple(torch.tensor(b) for _, b in arrays))


def constant() -> dict[str, Any]:
    k, rows = 2, []
    depths = DEPTHS[:-1]
    for seed in SEEDS:
        x, f = teacher(k, seed)
        for n in ROWS:
            seen = torch.tensor(x[:n])
            exact = reduce_norm_and_balance(insert_identity_layers(construction(f, x[:n]), seen, depths[0]), seen)
            gap = float((exact(seen) - torch.tensor(f(x[:n]))).abs().max())
            c = exact.squared_norm - k * exact.depth
            path = [
                {"depth": net.depth, "norm_per_depth": net.norm_per_depth, "bound": k + c / net.depth}
                | {"error": objective.error(net), "constant": net.squared_norm - k * net.depth}
                for net, objective in descended(x[:n], f(x[:n]), RIDGE, depths, seed, Tolerance(1e-3))
            ]
            holds = all(p["norm_per_depth"] <= p["bound"] for p in path)
            rows.append({"seed": seed, "n": n, "C": c, "gap": gap, "path": path, "holds": holds})
            trained = [f"{p['constant']:.1f}" for p in path]
            print(
                f"seed {seed}, N = {n}: C {c:.1f} (f* to {gap:.0e}), trained {', '.join(trained)}: {holds}", flush=True
            )
    spread = [{"seed": s, "C": [r["C"] for r in rows if r["seed"] == s]} for s in SEEDS]
    growth = [b / a for s in spread for a, b in pairwise(s["C"])]
    return {"rows": rows, "holds": all(r["holds"] for r in rows), "growth_of_C_per_doubling_of_N": growth}


SECTIONS = {"ratio": ratio, "minima": minima, "constant": constant}


def main(names: list[str]) -> None:
    path = RESULTS / "depth.json"
    for name in names or SECTIONS:
        figures = SECTIONS[name]()
        # Read when all is done: another section may have been written in the meantime.
        result = json.loads(path.read_text()) if path.is_file() else {"claim": (__doc__ or "").partition("\n")[0]}
        result[name] = {"environment": environment(), "figures": figures}
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
