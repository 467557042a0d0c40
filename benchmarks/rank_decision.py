"""Claim: the rank is found on tasks of known rank whose families no method was chosen on.

Tasks (`_rank_tasks`) are of groups of families (`rank_families`): some on which methods and thresholds were chosen;
`first`, `second` and `third`, which nobody looked at before their runs of seed 0, but in view of which the method was
then changed; and `fourth` and `fifth`, written by people who had not seen the method, and not run before it was fixed.
Nothing was changed in view of `fifth`: whoever does makes it one more of those. Its draws of seeds 0, 1 and 2 are also
what the package says of its answers (`isthmus/selection/accuracy.json`), which this script writes.

For each task: the rank that `RankRegressor` or `RankClassifier` decides with its defaults, its interval and
probabilities, the test error at that rank and of scikit-learn's tuned network, and what a user would get from the
methods of `_rank_baselines`. The expensive ones, a bottleneck network of every width and the tuned network, are left
out on families that are not blind and with `--without-networks`; the tuned network also where its search would take
minutes: N (d_in + d_out) > 250,000. Right answers are counted of all tasks and of those that an oracle can decide
(`rank_decidable.py`, run before). Tasks with one target, which ask for the index rank, are left out.

`python benchmarks/rank_decision.py DIR GROUP` keeps two files a task in DIR and goes on where it was stopped, first
with all decisions, then with what to compare them with, small tasks first; `--families`, `--rows` and `--seed` run some
of them, `--alone` only the decisions, beside the comparisons that are there. What was done, also until Ctrl-C, becomes
`results/rank_decision_GROUP.json`, of other seeds than 0 `results/rank_decision_GROUP_SEED.json`.

Each record is of the method as it was at the run: `first` of margins in place of weighed evidence (decision 19), and
`first_1` of seed 1 after a first change; `second` of the weights of decision 21, `third` of those of
decision 22 without what came after the run (told there); `fourth_first` of those of decision 23, and `fourth` of
the networks of decision 32, which were not chosen in view of it, with the same weights; `fifth_first` of decision 39,
`fifth`, `fifth_1` and `fifth_2` of the method as it is (decisions 49 and 50), of seeds 0, 1 and 2: of the last nothing
was run before.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from _environment import keep, keep_in_package
from _rank_accuracy import accuracy, judged_rows, record_name, right, right_of_decidable, with_verdicts
from _rank_baselines import BASELINES
from _rank_predictors import PREDICTORS, held_out_error
from _rank_tasks import NOISES, RankTask
from isthmus import RankClassifier, RankRegressor
from isthmus.foundation.parallel import in_parallel
from isthmus.foundation.progress import Report
from rank_families import GROUPS, JUDGED_ON

LARGEST_SEARCH = 250_000
EXPENSIVE = ("bottleneck network",)
OF_EVERY_K = (
    "errors",
    "standard_errors",
    "objectives",
    "sensitivities",
    "redundancies",
    "correlations",
    "linear",
    "residual_lines",
    "shared_slopes",
    "label_scores",
)
BINS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)


def answered(task: RankTask) -> dict[str, Any]:
    """What the estimator decides."""
    torch.set_num_threads(1)
    begin = time.process_time()
    model = (RankClassifier if task.is_classification else RankRegressor)(random_state=task.seed).fit(task.x, task.y)
    seconds = time.process_time() - begin
    found, evidence = model.selection_, model.selection_.evidence
    over_k = {"probabilities": evidence.weighed, **{name: getattr(evidence, name) for name in OF_EVERY_K}}
    return {
        "family": task.family,
        "k": task.k,
        "noise": task.noise,
        "is_classification": task.is_classification,
        "rows": len(task.x),
        "seed": task.seed,
        "inputs": task.x.shape[1],
        "outputs": int(task.y.max()) + 1 if task.is_classification else task.y.shape[1],
        "weakest": round(task.weakest, 3),
        "rank": found.rank,
        "interval": list(found.interval),
        "is_undecided": found.is_undecided,
        **{name: [float(f"{value:.4g}") for value in values] for name, values in over_k.items()},
        "whole_error": evidence.whole_error,
        "test_error": held_out_error(model, task),
        "seconds": round(seconds, 1),
    }


def compared(task: RankTask, with_networks: bool) -> dict[str, Any]:
    """What the methods to compare with answer, and how well a tuned network predicts."""
    torch.set_num_threads(1)
    baselines = {}
    for name, baseline in BASELINES.items():
        if with_networks or name not in EXPENSIVE:
            begin = time.process_time()
            answer = baseline(task, task.seed)
            baselines[name] = {"rank": answer, "seconds": round(time.process_time() - begin, 2)}
    size = len(task.x) * (task.x.shape[1] + (12 if task.is_classification else task.y.shape[1]))
    begin = time.process_time()
    searched = PREDICTORS["network"](task, task.seed) if with_networks and size <= LARGEST_SEARCH else None
    return {
        "baselines": baselines,
        "network_test_error": None if searched is None else searched.error,
        "network_seconds": None if searched is None else round(time.process_time() - begin, 1),
    }


NOT_COMPARED: dict[str, Any] = {"baselines": {}, "network_test_error": None, "network_seconds": None}


@dataclass(frozen=True)
class Job:
    """A task, its file, and how it is compared with others; None for the decision itself."""

    task: RankTask
    file: Path
    with_networks: bool | None


def done(job: Job, report: Report) -> tuple[Path, dict[str, Any]]:
    """The row of a job."""
    return job.file, answered(job.task) if job.with_networks is None else compared(job.task, job.with_networks)


def run(asked: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    """First every decision, then every comparison that is asked for; what is not done yet is done.

    Returns:
        What was decided, and whether that is every task of the group.
    """
    asked.folder.mkdir(parents=True, exist_ok=True)
    tasks = [t for t in GROUPS[asked.group].tasks(asked.seed) if not t.has_one_target]
    tasks = [t for t in tasks if t.family in (asked.families or [t.family]) and t.n in (asked.rows or [t.n])]
    files = [asked.folder / f"{t.family}-{t.k}-{t.noise}-{t.n}-{asked.seed}.json" for t in tasks]
    others = [file.with_suffix(".compared.json") for file in files]
    undecided = [(t, f) for t, f in zip(tasks, files, strict=True) if not f.exists()]
    # In any order: what a run that is stopped has done is a fair sample.
    order = np.random.default_rng(asked.seed).permutation(len(undecided))
    jobs = [Job(undecided[i][0], undecided[i][1], None) for i in order]
    if not asked.alone:
        with_networks = GROUPS[asked.group].is_blind and not asked.without_networks
        left = [(t, f) for t, f in zip(tasks, others, strict=True) if not f.exists()]
        # The quick ones first: what a run that is stopped leaves are the largest.
        left.sort(key=lambda each: each[0].x.size + each[0].y.size)
        jobs += [Job(t, f, with_networks) for t, f in left]
    try:
        with closing(in_parallel(done, jobs, n_jobs=asked.n_jobs, is_ordered=False)) as results:
            for number, (file, row) in enumerate(results, start=1):
                file.write_text(json.dumps(row))
                said = f"{row['rank']} in {row['seconds']} s" if "rank" in row else "compared"
                print(f"{number}/{len(jobs)} {file.name.split('.json')[0]}: {said}", flush=True)
    except KeyboardInterrupt:
        pass  # what was done is kept
    rows = [
        json.loads(file.read_text()) | (json.loads(other.read_text()) if other.exists() else NOT_COMPARED)
        for file, other in zip(files, others, strict=True)
        if file.exists()
    ]
    return rows, len(rows) == len(files) and not (asked.families or asked.rows)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts over some tasks."""
    off = np.array([abs(r["rank"] - r["k"]) for r in rows])
    easy = np.array([r["rows"] >= 500 and r["noise"] <= 0.05 for r in rows])
    decided = np.array([not r["is_undecided"] for r in rows])
    said: dict[str, Any] = {
        **right(rows),
        "of_decidable": right_of_decidable(rows),
        "exact_from_500_rows_and_up_to_5_percent_noise": [int((off[easy] == 0).sum()), int(easy.sum())],
        "exact_where_decided": [int((off[decided] == 0).sum()), int(decided.sum())],
        "seconds": {"median": float(np.median([r["seconds"] for r in rows])), "most": max(r["seconds"] for r in rows)},
    }
    said["by_noise_and_rows"] = {
        f"{noise:g}, {n}": [sum(r["rank"] == r["k"] for r in cell), len(cell)]
        for noise in NOISES
        for n in sorted({r["rows"] for r in rows})
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
        asked = [(r["baselines"][name], r) for r in rows if name in r["baselines"]]
        defined = [(b["rank"], r, b["seconds"]) for b, r in asked if b["rank"] is not None]
        if defined:
            found[name] = {
                "exact": sum(rank == r["k"] for rank, r, _ in defined),
                "off_by_more_than_one": sum(abs(rank - r["k"]) > 1 for rank, r, _ in defined),
                "tasks": len(defined),
                "decided_exactly_on_these": sum(r["rank"] == r["k"] for _, r, _ in defined),
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
    task = ("family", "k", "noise", "rows", "inputs", "outputs", "weakest", "is_decidable")
    names = (*task, "rank", "interval", "is_undecided")
    return [{name: r[name] for name in names} for r in rows if r["rank"] != r["k"]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("group", choices=[*GROUPS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", nargs="+")
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--without-networks", action="store_true")
    asked = parser.parse_args()
    rows, is_whole = run(asked)
    rows = with_verdicts(rows, asked.group, asked.seed)
    kinds = {"outputs": [r for r in rows if not r["is_classification"]]}
    kinds["classes"] = [r for r in rows if r["is_classification"]]
    families = {name: [r for r in rows if r["family"] == name] for name in GROUPS[asked.group].families}
    figures = {name: summary(own) for name, own in {"all": rows, **kinds, **families}.items() if own}
    print(json.dumps({name: figures[name] for name in ("all", *kinds) if name in figures}, indent=1))
    on = "no method was chosen on before this run" if GROUPS[asked.group].is_blind else "the method was chosen on"
    claim = f"The rank is found on tasks of known rank, of families that {on}."
    keep(
        record_name(asked.group, asked.seed),
        claim,
        {"group": asked.group, **figures, "misses": misses(rows), "rows": rows},
    )
    if is_whole and asked.group == JUDGED_ON:
        found_by = f"benchmarks/rank_decision.py {asked.group}"
        keep_in_package("selection/accuracy.json", {"found_by": found_by, **accuracy(judged_rows())})
