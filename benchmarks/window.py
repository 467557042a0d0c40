"""Claim: the best network at each depth has the rank that `depth_window` predicts; one random start often does not.

Random ReLU teachers 6-30-k-30-6, k = 2 and 3, N rows; width 30, λ = 0.1. Four sections, each by its name on the
command line (all of them, and the picture, without one), rows kept in `results/window.json` as they come:

- `windows`: one `depth_window` for each k, N and seed; the rank is not given. It searches at depths 3, 6 and 12 and
  where the window begins or ends in between; what it says of other depths is a prediction.
- `random`: the rank of the network that `fit` finds from one random start, at every depth.
- `starts`: the same from the best of eight random starts (seed 0 only).
- `searched`: the rank of the best network that `search_rank` finds from four random starts, at every depth (seed 0
  only: it takes long).
- `picture`: predicted edges over measured ranks.

The setting and the method were chosen on the teachers of seeds 100 and 101; nothing here uses them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from _environment import RESULTS, environment
from isthmus.costs import depth_window
from isthmus.costs.window import longest_range
from isthmus.data import load_dataset
from isthmus.spectra import measure
from isthmus.training import TrainingConfig, fit, search_rank

RANKS, ROWS, SEEDS, DEPTHS = (2, 3), (25, 50, 100, 200), (0, 1, 2), (3, 5, 8, 13, 20, 32, 50)
WIDTH, RIDGE, SIDE = 30, 0.1, 6
CONFIG = TrainingConfig(width=WIDTH, ridge=RIDGE, standardize="global")
PATH = RESULTS / "window.json"
Row = dict[str, Any]


def grid(seeds: tuple[int, ...] = SEEDS) -> Iterator[tuple[int, int, int]]:
    return ((k, n, seed) for seed in seeds for k in RANKS for n in ROWS)


def teacher(k: int, n: int, seed: int) -> tuple[Any, Any]:
    data = load_dataset(f"teacher:k={k},n={n},d={SIDE},width={WIDTH}", seed=seed)
    rows = data.split.train
    return data.x[rows], data.y[rows]


def windows() -> None:
    for k, n, seed in grid():
        begin = time.perf_counter()
        window = depth_window(*teacher(k, n, seed), config=replace(CONFIG, n_init=4), seed=seed)
        own = longest_range(window.ranges, k)
        row: Row = {"k": k, "n": n, "seed": seed, "rank": window.rank}
        row |= {"shallowest": own and own.shallowest, "deepest": own and own.deepest, "searched": window.searched}
        row["ranges"] = [[each.rank, each.shallowest, each.deepest] for each in window.ranges]
        row["constants"] = {r: round(window.line(r, 12).constant, 2) for r in window.ranks}
        row["errors"] = {r: round(window.line(r, 12).error, 5) for r in window.ranks}
        row["predicted"] = {depth: window.winner(depth) for depth in DEPTHS}
        note("windows", row | {"seconds": round(time.perf_counter() - begin, 1)})


def random(section: str = "random", seeds: tuple[int, ...] = SEEDS, starts: int = 1) -> None:
    for k, n, seed in grid(seeds):
        x, y = teacher(k, n, seed)
        for depth in DEPTHS:
            begin = time.perf_counter()
            fitted = fit(x, y, config=replace(CONFIG, depth=depth, n_init=starts), seed=seed)
            profile = measure(fitted, x)
            row: Row = {"k": k, "n": n, "seed": seed, "depth": depth, "rank": profile.bottleneck_rank.upper}
            row |= {"jacobian_rank": profile.jacobian_rank.lower, "error": round(fitted.error, 5)}
            row |= {"objective": round(fitted.value, 5), "seconds": round(time.perf_counter() - begin, 1)}
            note(section, row)


def searched(seeds: tuple[int, ...] = SEEDS[:1]) -> None:
    for k, n, seed in grid(seeds):
        x, y = teacher(k, n, seed)
        for depth in DEPTHS:
            begin = time.perf_counter()
            search = search_rank(x, y, config=replace(CONFIG, depth=depth, n_init=4), seed=seed)
            network, error = search.best.network, search.objective.error(search.best.network)
            profile = measure(network, search.objective.x)
            row: Row = {"k": k, "n": n, "seed": seed, "depth": depth, "rank": profile.bottleneck_rank.upper}
            row |= {"jacobian_rank": profile.jacobian_rank.lower, "error": round(error, 5)}
            row |= {"objective": round(search.best.value, 5), "seconds": round(time.perf_counter() - begin, 1)}
            note("searched", row)


def note(section: str, row: Row) -> None:
    """Keep one row; sections may run at the same time, each in its own file until the end."""
    path = RESULTS / f"window-{section}.jsonl"
    with path.open("a") as stream:
        stream.write(json.dumps(row) + "\n")
    print(section, {name: row[name] for name in row if name not in ("constants", "errors", "ranges")}, flush=True)


def collected() -> dict[str, list[Row]]:
    """The rows of all sections: those of this run where it made some, else those kept."""
    kept = json.loads(PATH.read_text())["figures"] if PATH.is_file() else {}
    rows = {}
    for section in SECTIONS:
        path = RESULTS / f"window-{section}.jsonl"
        fresh = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
        rows[section] = fresh or kept.get(section, [])
    return rows


def agreement(rows: list[Row], predictions: list[Row]) -> dict[str, Any]:
    """Share of the grid points at which the measured rank is the predicted one, exactly and within one depth."""
    by_task = {(p["k"], p["n"], p["seed"]): {int(d): r for d, r in p["predicted"].items()} for p in predictions}
    met = [row for row in rows if (row["k"], row["n"], row["seed"]) in by_task]
    if not met:
        return {"points": 0}
    exact = near = in_window = 0
    for row in met:
        predicted, step = by_task[row["k"], row["n"], row["seed"]], DEPTHS.index(row["depth"])
        exact += row["rank"] == predicted[row["depth"]]
        near += row["rank"] in {predicted[depth] for depth in DEPTHS[max(0, step - 1) : step + 2]}
        in_window += (row["rank"] == row["k"]) == (predicted[row["depth"]] == row["k"])
    shares = {"exact": exact, "within_one_depth": near, "rank_k_or_not": in_window}
    return {"points": len(met), **{name: round(count / len(met), 3) for name, count in shares.items()}}


def closed() -> None:
    """All rows and the shares into one file, and the picture."""
    rows = collected()
    shares = {name: agreement(rows[name], rows["windows"]) for name in ("random", "starts", "searched")}
    for depth in DEPTHS:
        there = [row for row in rows["random"] if row["depth"] == depth]
        shares[f"random, depth {depth}"] = agreement(there, rows["windows"])
    setting = {"teacher": f"{SIDE}-{WIDTH}-k-{WIDTH}-{SIDE}", "width": WIDTH, "ridge": RIDGE, "depths": DEPTHS}
    result = {"claim": (__doc__ or "").partition("\n")[0], "environment": environment(), "setting": setting}
    lines = ['"' + name + '": [\n   ' + ",\n   ".join(map(json.dumps, found)) + "\n  ]" for name, found in rows.items()]
    head = json.dumps(result | {"agreement": shares}, indent=1, ensure_ascii=False)[:-2]
    PATH.write_text(head + ',\n "figures": {\n  ' + ",\n  ".join(lines) + "\n }\n}\n")
    from _window_picture import drawing

    (RESULTS / "window.svg").write_text(drawing(rows, RANKS, ROWS, SEEDS, DEPTHS))
    for section in SECTIONS:
        (RESULTS / f"window-{section}.jsonl").unlink(missing_ok=True)
    print(json.dumps(shares, indent=1))


SECTIONS: dict[str, Callable[[], None]] = {
    "windows": windows,
    "random": random,
    "starts": partial(random, "starts", SEEDS[:1], 8),
    "searched": searched,
}


def main(names: list[str]) -> None:
    for name in names or [*SECTIONS, "picture"]:
        closed() if name == "picture" else SECTIONS[name]()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
