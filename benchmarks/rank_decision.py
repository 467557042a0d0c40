"""Claim: the rank is found on tasks of known rank whose families no method was chosen on.

324 tasks (`_rank_tasks`) of three groups of families: `chosen on`, on which methods and thresholds were chosen;
`unseen`, which nobody looked at before the run of seed 0, but in view of which the rule was then changed; and `fresh`,
written after that change and not run before the method was fixed again. Only `fresh` tests the claim for the method as
it is, and only by its first run: whoever changes the method in view of it makes it one more `unseen`.

For each task: the rank that `RankRegressor` or `RankClassifier` decides with its defaults, its interval and
probabilities, the test error at that rank and of scikit-learn's tuned network, and what a user would get from the
methods of `_rank_baselines`. The expensive ones, a bottleneck network of every width and the tuned network, are left
out on `chosen on`; the tuned network also where its search would take minutes: N (d_in + d_out) > 250,000.

`python benchmarks/rank_decision.py DIR` keeps one file a task in DIR and goes on where it was stopped; `--families`,
`--rows` and `--seed` run some of them, `--alone` the decision without anything to compare with. What was run becomes
`results/rank_decision.json`, of other seeds than 0 `results/rank_decision_SEED.json`.

The run of `unseen` of seed 0 found that directions of the derivative which fit noise passed for numbers (k = 1 became 8
and 9 with 20 % noise). The rule was changed (`is_sufficient`: a direction must also help on held-out rows), so that run
is of the rule before; seed 1, which was drawn for the rule after it, is of the same families.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from _environment import keep
from _rank_baselines import BASELINES
from _rank_families_fresh import FRESH
from _rank_families_unseen import UNSEEN
from _rank_predictors import PREDICTORS, held_out_error
from _rank_tasks import CHOSEN_ON, NOISES, ROWS, RankTask, suite
from isthmus import RankClassifier, RankRegressor

WORKERS, LARGEST_SEARCH = 2, 250_000
EXPENSIVE = ("bottleneck network",)
GROUPS = {"fresh": FRESH, "unseen": UNSEEN, "chosen on": CHOSEN_ON}
FAMILIES = {**FRESH, **UNSEEN, **CHOSEN_ON}
BINS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)


def answered(task: RankTask, is_alone: bool) -> dict[str, Any]:
    """Everything about one task."""
    torch.set_num_threads(1)
    begin = time.process_time()
    model = (RankClassifier if task.is_classification else RankRegressor)(random_state=task.seed).fit(task.x, task.y)
    seconds = time.process_time() - begin
    found = model.decision_
    is_compared = task.family not in CHOSEN_ON and not is_alone
    baselines = {}
    for name, baseline in BASELINES.items():
        if not is_alone and (is_compared or name not in EXPENSIVE):
            begin = time.process_time()
            answer = baseline(task, task.seed)
            baselines[name] = {"rank": answer, "seconds": round(time.process_time() - begin, 2)}
    size = len(task.x) * (task.x.shape[1] + (12 if task.is_classification else task.y.shape[1]))
    begin = time.process_time()
    searched = PREDICTORS["network"](task, task.seed) if is_compared and size <= LARGEST_SEARCH else None
    return {
        "family": task.family,
        "k": task.k,
        "noise": task.noise,
        "rows": len(task.x),
        "seed": task.seed,
        "inputs": task.x.shape[1],
        "outputs": int(task.y.max()) + 1 if task.is_classification else task.y.shape[1],
        "weakest": round(task.weakest, 3),
        "rank": found.rank,
        "interval": [found.lower, found.upper],
        "probabilities": [round(p, 4) for p in found.probabilities],
        "is_undecided": found.is_undecided,
        "errors": [float(f"{e:.5g}") for e in found.errors],
        "sizes": [round(size, 4) for size in found.sizes],
        "whole_error": found.whole_error,
        "test_error": held_out_error(model, task),
        "seconds": round(seconds, 1),
        "baselines": baselines,
        "network_test_error": None if searched is None else searched.error,
        "network_seconds": None if searched is None else round(time.process_time() - begin, 1),
    }


def run(asked: argparse.Namespace) -> list[dict[str, Any]]:
    asked.folder.mkdir(parents=True, exist_ok=True)
    families = {name: family for name, family in FAMILIES.items() if name in asked.families}
    tasks = [t for t in suite(families, asked.seed) if t.n in asked.rows]
    files = [asked.folder / f"{t.family}-{t.k}-{t.noise}-{t.n}-{asked.seed}.json" for t in tasks]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        waiting = {
            pool.submit(answered, t, asked.alone): f for t, f in zip(tasks, files, strict=True) if not f.exists()
        }
        for number, done in enumerate(as_completed(waiting), start=1):
            row = done.result()
            waiting[done].write_text(json.dumps(row))
            said = f"{row['family']} k = {row['k']}, noise {row['noise']}, {row['rows']} rows: {row['rank']}"
            print(f"{number}/{len(waiting)} {said} in {row['seconds']} s", flush=True)
    return [json.loads(f.read_text()) for f in files]


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts over some tasks."""
    off = np.array([abs(r["rank"] - r["k"]) for r in rows])
    easy = np.array([r["rows"] >= 500 and r["noise"] <= 0.05 for r in rows])
    inside = [low <= r["k"] <= high for r in rows for low, high in [r["interval"]]]
    decided = np.array([not r["is_undecided"] for r in rows])
    said: dict[str, Any] = {
        "tasks": len(rows),
        "exact": int((off == 0).sum()),
        "exact_from_500_rows_and_up_to_5_percent_noise": [int((off[easy] == 0).sum()), int(easy.sum())],
        "off_by_more_than_one": int((off > 1).sum()),
        "exact_where_decided": [int((off[decided] == 0).sum()), int(decided.sum())],
        "interval_holds": int(np.sum(inside)),
        "seconds": {"median": float(np.median([r["seconds"] for r in rows])), "most": max(r["seconds"] for r in rows)},
    }
    said["by_noise_and_rows"] = {
        f"{noise:g}, {n}": [sum(r["rank"] == r["k"] for r in cell), len(cell)]
        for noise in NOISES
        for n in ROWS
        if (cell := [r for r in rows if r["noise"] == noise and r["rows"] == n])
    }
    said["by_rank"] = {
        str(k): [sum(r["rank"] == k for r in cell), len(cell)]
        for k in range(1, 9)
        if (cell := [r for r in rows if r["k"] == k])
    }
    return said | {"probabilities": calibration(rows), "baselines": others(rows), "errors": errors(rows)}


def calibration(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How often a k comes true over the probability it was given, and the Brier score, 0 to 2, of all k together."""
    given, true, brier = [], [], []
    for r in rows:
        p = np.zeros(max(len(r["probabilities"]), r["k"] + 1))
        p[: len(r["probabilities"])] = r["probabilities"]
        hit = np.arange(len(p)) == r["k"]
        given.append(p)
        true.append(hit)
        brier.append(np.square(p - hit).sum())
    p, hit = np.concatenate(given), np.concatenate(true)
    curve = [
        {"given": float(p[cell].mean()), "true": float(hit[cell].mean()), "cases": int(cell.sum())}
        for low, high in pairwise(BINS)
        if (cell := (p > low) & (p <= high)).any()
    ]
    return {"brier": float(np.mean(brier)), "curve": curve}


def others(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for name in BASELINES:
        asked = [(r["baselines"][name], r["k"]) for r in rows if name in r["baselines"]]
        defined = [(b["rank"], k, b["seconds"]) for b, k in asked if b["rank"] is not None]
        if defined:
            found[name] = {
                "exact": sum(rank == k for rank, k, _ in defined),
                "off_by_more_than_one": sum(abs(rank - k) > 1 for rank, k, _ in defined),
                "tasks": len(defined),
                "median_seconds": float(np.median([s for *_, s in defined])),
            }
    return found


def errors(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Quartiles of held-out errors at the decided rank over the whole networks' and over scikit-learn's tuned one's."""
    whole = np.array([r["errors"][r["rank"]] / r["whole_error"] for r in rows])
    searched = np.array([r["test_error"] / r["network_test_error"] for r in rows if r["network_test_error"]])
    return {
        name: {"tasks": len(ratios), "quartiles": np.quantile(ratios, (0.25, 0.5, 0.75)).tolist()}
        | {"at_most_1": int((ratios <= 1.0).sum()), "above_1.1": int((ratios > 1.1).sum())}
        for name, ratios in (("over the whole networks", whole), ("over a tuned network", searched))
        if len(ratios)
    }


def misses(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("family", "k", "rank", "interval", "noise", "rows", "inputs", "outputs", "weakest", "is_undecided")
    return [{name: r[name] for name in names} for r in rows if r["rank"] != r["k"]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", nargs="+", default=[*FAMILIES])
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--alone", action="store_true")
    asked = parser.parse_args()
    rows = run(asked)
    figures = {
        group: {
            "all": summary(part),
            **{n: summary(own) for n in families if (own := [r for r in part if r["family"] == n])},
        }
        | {"misses": misses(part)}
        for group, families in GROUPS.items()
        if (part := [r for r in rows if r["family"] in families])
    }
    for group, found in figures.items():
        print(group, json.dumps(found["all"], indent=1))
    claim = (
        "The rank is found on tasks of known rank whose families no method was chosen on: those of the group fresh, by "
        "their first run. The rule was changed in view of the group unseen and chosen on the group chosen on."
    )
    keep("rank_decision" if asked.seed == 0 else f"rank_decision_{asked.seed}", claim, {**figures, "rows": rows})
