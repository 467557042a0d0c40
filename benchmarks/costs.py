"""Claim: brackets of R/L are never empty, and within a factor of 1.5 at L = 13 in the median.

Fifty functions of the catalogue on their boxes and fifty trained networks on neighbourhoods of their data, at L = 13,
50 and 1,000. `python benchmarks/costs.py` writes `results/costs.json`; a few minutes on one thread.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import torch

from _environment import RESULTS, keep
from isthmus.costs import CostInterval, representation_costs
from isthmus.data import load_dataset
from isthmus.networks import RELU, FullyConnected
from isthmus.networks.catalogue import catalogue
from isthmus.spectra import Model
from isthmus.training import Schedule, TrainingConfig, fit

DEPTHS = (13, 50, 1000)
SEEDS = (0, 1, 2)  # of the random compositions of the catalogue; methods were developed on the catalogue of 0 and 1
UNSEEN = (10, 11, 12)


def from_the_catalogue() -> list[dict[str, Any]]:
    """Every entry once, then further random compositions until there are fifty."""
    rows, names = [], set()
    for seed in SEEDS:
        for entry in catalogue(seed):
            name = entry.name if not entry.name.startswith("random") else f"{entry.name}, seed {seed}"
            if name in names or len(rows) == 50:
                continue
            names.add(name)
            k = entry.bottleneck_rank if entry.jacobian_rank == entry.bottleneck_rank else None
            row = {"name": name, "rank": k, "steep": abs(entry.network.activation.negative_slope) > 1.0}
            rows.append(row | bracketed(entry.network, box=entry.box))
    return rows


def unseen() -> list[dict[str, Any]]:
    """Random compositions of seeds that nothing was developed on."""
    rows = []
    for seed in UNSEEN:
        for entry in catalogue(seed):
            if entry.name.startswith("random") and entry.network.activation == RELU:
                row = {"name": f"{entry.name}, seed {seed}", "rank": entry.bottleneck_rank, "steep": False}
                rows.append(row | bracketed(entry.network, box=entry.box))
    return rows


def trained() -> list[dict[str, Any]]:
    """Teachers of rank 1 to 5 at depths 6 and 12, five seeds each, in float32 as they come out of training."""
    rows = []
    for depth in (6, 12):
        for k in range(1, 6):
            for seed in range(5):
                data = load_dataset(f"teacher:k={k},n=300,d=10,width=30", seed=seed)
                fitted = fit(
                    data.x,
                    data.y,
                    config=TrainingConfig(depth=depth, width=40, schedule=Schedule(steps=400)),
                    seed=seed,
                )
                row = {"name": f"teacher of rank {k}, depth {depth}, seed {seed}", "rank": k, "steep": False}
                own: FullyConnected = fitted.network
                row["norm_per_depth"] = own.norm_per_depth
                rows.append(row | bracketed(fitted, x=data.x))
    return rows


def bracketed(model: Model, **domain: Any) -> dict[str, Any]:
    begin = time.perf_counter()
    found: list[CostInterval] = representation_costs(model, depths=DEPTHS, **domain)
    ends = {
        str(int(i.depth)): {"lower": i.lower, "upper": i.upper if i.upper_bounds else None, "by": i.upper_by}
        for i in found
    }
    print({d: (e["lower"], e["upper"], e["by"]) for d, e in ends.items()}, flush=True)
    return {"at": ends, "seconds": time.perf_counter() - begin}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {"functions": len(rows)}
    for depth in map(str, DEPTHS):
        known = [row for row in rows if row["at"][depth]["upper"] is not None]
        ratios = [
            row["at"][depth]["upper"] / row["at"][depth]["lower"] for row in known if row["at"][depth]["lower"] > 0
        ]
        result[depth] = {
            "with an upper end": len(known),
            "empty brackets": sum(r["at"][depth]["lower"] > r["at"][depth]["upper"] * (1 + 1e-9) for r in known),
            "median ratio": statistics.median(ratios),
            "largest ratio": max(ratios),
        }
    return result


def of_known_rank(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["rank"] is not None and not row["steep"]]


SECTIONS = {"catalogue": from_the_catalogue, "unseen": unseen, "trained": trained}


def main(names: list[str]) -> None:
    """The sections named, or all; the others stay in the file as they are."""
    torch.set_num_threads(1)
    path = RESULTS / "costs.json"
    rows: dict[str, Any] = json.loads(path.read_text())["figures"]["rows"] if path.is_file() else {}
    for name in names or SECTIONS:
        rows[name] = SECTIONS[name]()
    summaries = {name: summary(found) for name, found in rows.items()}
    summaries["catalogue, k known, |slope| ≤ 1"] = summary(of_known_rank(rows["catalogue"]))
    for name, figures in summaries.items():
        print(name, figures)
    keep("costs", (__doc__ or "").partition("\n")[0], {"summary": summaries, "rows": rows})


if __name__ == "__main__":
    main(sys.argv[1:])
