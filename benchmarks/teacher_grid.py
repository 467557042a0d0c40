"""Claim: the rank of a teacher is found, over ranks 1 to 8, ReLU and tanh teachers, 500 and 2,000 rows, five seeds.

Bottleneck rank and Jacobian rank at the default tolerance. Every row is kept as it comes, in
`results/teacher_grid/ENGINE.json`, and not done again; wrong answers stay. An earlier engine is measured by this script
of its own checkout, with the same tasks:

    python OLD_CHECKOUT/benchmarks/teacher_grid.py before
    python benchmarks/teacher_grid.py after

Further arguments choose a part of the grid: `n=500`, `seeds=2`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from _environment import RESULTS, environment
from isthmus.spectra import measure
from isthmus.training import TrainingConfig, fit

DEPTH, WIDTH, RIDGE = 13, 100, 0.05
FAMILIES = ("relu", "tanh")
FOLDER = RESULTS / "teacher_grid"
RANKS = ("bottleneck_rank", "jacobian_rank")


def teacher(family: str, n: int, k: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """h ∘ g through R^k, 50 → 50, hidden width 100, outputs of unit variance each."""
    generator = torch.Generator().manual_seed(1000 * k + seed)
    sigma = torch.relu if family == "relu" else torch.tanh

    def layer(fan_in: int, fan_out: int) -> torch.Tensor:
        return torch.randn(fan_in, fan_out, generator=generator, dtype=torch.float64) * (2.0 / fan_in) ** 0.5

    x = torch.randn(n, 50, generator=generator, dtype=torch.float64)
    latent = sigma(x @ layer(50, 100)) @ layer(100, k)
    latent = (latent - latent.mean(0)) / latent.std(0)
    y = sigma(latent @ layer(k, 100)) @ layer(100, 50)
    return x, y / y.square().mean().sqrt()


def grid() -> list[tuple[int, int, int, str]]:
    """(N, seed, k, family), what tells most first."""
    return [(n, seed, k, family) for n in (500, 2000) for seed in range(5) for k in range(1, 9) for family in FAMILIES]


def answer(n: int, seed: int, k: int, family: str) -> dict[str, Any]:
    x, y = teacher(family, n, k, seed)
    begin = time.perf_counter()
    fitted = fit(x, y, config=TrainingConfig(depth=DEPTH, width=WIDTH, ridge=RIDGE, standardize="none"), seed=seed)
    seconds = time.perf_counter() - begin
    profile = measure(fitted, x[:500])
    return {
        "n": n,
        "seed": seed,
        "k": k,
        "family": family,
        "bottleneck_rank": profile.bottleneck_rank.upper,
        "jacobian_rank": profile.jacobian_rank.lower,
        "objective": fitted.value,
        "error": fitted.error,
        "seconds": seconds,
        "seconds_of_measuring": time.perf_counter() - begin - seconds,
    }


def place(row: dict[str, Any]) -> tuple[Any, ...]:
    """Which task of the grid a row answers."""
    return tuple(row[name] for name in ("n", "seed", "k", "family"))


def kept(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["rows"] if path.is_file() else []


def keep(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"environment": environment(), "rows": rows}, indent=1) + "\n")
    draft.replace(path)


def shares(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each family and N: how many answers there are, the share of exact ones, and the others."""
    table = []
    for family in FAMILIES:
        for n in sorted({row["n"] for row in rows}):
            mine = [row for row in rows if row["family"] == family and row["n"] == n]
            line: dict[str, Any] = {"family": family, "n": n, "rows": len(mine)}
            for name in RANKS:
                line[name] = sum(row[name] == row["k"] for row in mine) / max(1, len(mine))
            line["misses"] = [
                {name: row[name] for name in ("k", "seed", *RANKS)}
                for row in mine
                if any(row[name] != row["k"] for name in RANKS)
            ]
            table.append(line)
    return table


def main(engine: str, *limits: str) -> None:
    limit = dict(part.split("=") for part in limits)
    path = FOLDER / f"{engine}.json"
    rows = kept(path)
    done = {place(row) for row in rows}
    for task in grid():
        n, seed, _, _ = task
        if task in done or n != int(limit.get("n", n)) or seed >= int(limit.get("seeds", 5)):
            continue
        rows.append(answer(*task))
        keep(path, rows)
        row = rows[-1]
        print(f"{engine} {task}: {row['bottleneck_rank']}, {row['jacobian_rank']}; {row['seconds']:.1f} s", flush=True)
    for line in shares(rows):
        print(line)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
