"""Where the weights of the evidence come from: functions of known rank.

For each task the estimator is fitted with its defaults and what it has seen of every k is kept, one file a task in DIR;
a run goes on where it was stopped. Then, of all that DIR holds, for outputs and for classes, logistic regressions of
"k numbers are enough" on the evidence of k = 1 … true k + 1 are fitted with a ridge of 0.3 on weights of standardised
evidence, one with what linear functions say, where that counts, and one without. These weights belong into
`isthmus.selection.posterior`, and the record says whether they are there.

How well such weights decide is told for each family by weights that were fitted without it.

The record has seeds from 100 on of all families that were there, and seed 0 of `_rank_families_second`, whose run that
was. What networks showed of 228 tasks of outputs is from before the last weights were fitted, and what linear functions
say was added to it (decision 22).

`python benchmarks/rank_weights.py DIR [--seeds 100 101] [--rows 200 500] [--families relu smooth]`
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
from numpy.typing import NDArray

from _environment import keep
from _rank_families_even import EVEN
from _rank_families_first import FIRST
from _rank_families_labelled import LABELLED
from _rank_families_second import SECOND
from _rank_families_third import THIRD
from _rank_tasks import CHOSEN_ON, ROWS, RankTask, suite
from isthmus import RankClassifier, RankRegressor
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.posterior import (
    FEATURES,
    LINEAR_WEIGHTS,
    WEIGHTS,
    Kind,
    features,
)

Floats = NDArray[np.float64]
FAMILIES = {**CHOSEN_ON, **FIRST, **SECOND, **THIRD, **LABELLED, **EVEN}
WORKERS, RIDGE, ROUNDS = 2, 0.3, 100
LINEAR = ("linear", "linear after", "correlation")
KINDS: tuple[Kind, ...] = ("regression", "classification")
WITHOUT = tuple(name for name in FEATURES if name not in LINEAR)
# Of smooth outputs linear functions find small correlations everywhere: the last column misleads.
WITH: dict[Kind, tuple[str, ...]] = {"regression": FEATURES[:-1], "classification": FEATURES}
SEEN = ("errors", "standard_errors", "objectives", "effects", "dependences", "correlations", "linear")


def seen(task: RankTask) -> dict[str, Any]:
    """What the estimator has seen of every k."""
    torch.set_num_threads(1)
    begin = time.process_time()
    model = (RankClassifier if task.is_classification else RankRegressor)(random_state=task.seed).fit(task.x, task.y)
    found = model.decision_.record()
    return {
        **{name: getattr(task, name) for name in ("family", "k", "noise", "n", "seed", "weakest", "is_classification")},
        **{name: found[name] for name in (*SEEN, "linear_share")},
        "seconds": round(time.process_time() - begin, 1),
    }


def collected(asked: argparse.Namespace) -> list[dict[str, Any]]:
    asked.folder.mkdir(parents=True, exist_ok=True)
    tasks = [t for seed in asked.seeds for t in suite(FAMILIES, seed) if t.n in asked.rows]
    tasks = [t for t in tasks if t.family in asked.families]
    files = [asked.folder / f"{t.family}-{t.k}-{t.noise}-{t.n}-{t.seed}.json" for t in tasks]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        waiting = {pool.submit(seen, t): f for t, f in zip(tasks, files, strict=True) if not f.exists()}
        for number, done in enumerate(as_completed(waiting), start=1):
            waiting[done].write_text(json.dumps(done.result()))
            print(f"{number}/{len(waiting)} {waiting[done].stem} in {done.result()['seconds']} s", flush=True)
    return [json.loads(file.read_text()) for file in sorted(asked.folder.glob("*.json"))]


def features(row: dict[str, Any]) -> Floats:
    """`features` of one task, `(K + 1, 11)`."""
    errors, *others, correlations, linear = (torch.tensor(row[name], dtype=torch.float64) for name in SEEN)
    by_lines = CanonicalCorrelations(correlations, linear)
    return np.asarray(features(errors - errors.min(), *others, by_lines, DEFAULT_TOLERANCE).numpy(), np.float64)


def fitted(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Floats:
    """Weights of the evidence, by Newton's method; the last k of a task says nothing and is left out."""
    x, y = [], []
    columns = [FEATURES.index(name) for name in names]
    for row in rows:
        table = features(row)[:-1, columns]
        for k in range(1, min(len(table), row["k"] + 2)):
            x.append(table[k])
            y.append(float(k >= row["k"]))
    mean, deviation = np.mean(x, 0), np.std(x, 0)
    mean[0], deviation[0] = 0.0, 1.0
    z, weights = (np.array(x) - mean) / deviation, np.zeros(len(columns))
    ridge = RIDGE * (np.arange(len(columns)) > 0)
    for _ in range(ROUNDS):
        p = 1.0 / (1.0 + np.exp(-z @ weights))
        slope = z.T @ (np.array(y) - p) - ridge * weights
        weights = weights + np.linalg.solve((z * (p * (1.0 - p))[:, None]).T @ z + np.diag(ridge + 1e-9), slope)
    own = weights / deviation
    own[0] -= (own[1:] * mean[1:]).sum()
    every = np.zeros(len(FEATURES))
    every[columns] = own
    return every


def chances(row: dict[str, Any], with_lines: Floats, without: Floats) -> Floats:
    """Probabilities of k = 1, 2, …, K being the smallest that is enough."""
    lines, own = (1.0 / (1.0 + np.exp(-features(row)[1:] @ weights)) for weights in (with_lines, without))
    enough = row["linear_share"] * lines + (1.0 - row["linear_share"]) * own
    enough[-1] = 1.0
    return np.concatenate([[0.0], enough * np.cumprod(np.concatenate([[1.0], 1.0 - enough[:-1]]))])


def left_out(rows: list[dict[str, Any]], kind: Kind) -> dict[str, Any]:
    """How weights decide that were fitted without the family of each task."""
    families = sorted({r["family"] for r in rows})
    found = []
    for name in families:
        others = [r for r in rows if r["family"] != name]
        weights = fitted([r for r in others if r["linear_share"] > 0], WITH[kind]), fitted(others, WITHOUT)
        for row in (r for r in rows if r["family"] == name):
            p = chances(row, *weights)
            hit = np.zeros(max(len(p), row["k"] + 1))
            hit[row["k"]] = 1.0
            p = np.concatenate([p, np.zeros(len(hit) - len(p))])
            answer = int(p.argmax())
            found.append((row, answer, float(np.square(p - hit).sum()), float(p[answer])))
    return {
        "tasks": len(found),
        "exact": sum(answer == row["k"] for row, answer, *_ in found),
        "off_by_more_than_one": sum(abs(answer - row["k"]) > 1 for row, answer, *_ in found),
        "exact_by_probability": {
            f"{low:g} to {high:g}": [sum(a == r["k"] for r, a, *_ in own), len(own)]
            for low, high in pairwise((0.0, 0.5, 0.8, 0.95, 1.0))
            if (own := [each for each in found if low < each[3] <= high])
        },
        "brier": float(np.mean([brier for *_, brier, _ in found])),
        "mean_probability_of_the_answer": float(np.mean([p for *_, p in found])),
        "exact_by_family": {
            name: [sum(a == r["k"] for r, a, *_ in own), len(own)]
            for name in families
            if (own := [each for each in found if each[0]["family"] == name])
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[100])
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--families", nargs="+", default=[*FAMILIES])
    asked = parser.parse_args()
    rows = collected(asked)
    figures: dict[str, Any] = {}
    for kind in KINDS:
        if own := [r for r in rows if r["is_classification"] == (kind == "classification")]:
            found = {}
            lines = [r for r in own if r["linear_share"] > 0]
            for name, part, used, there in (
                ("linear", lines, WITH[kind], LINEAR_WEIGHTS),
                ("without", own, WITHOUT, WEIGHTS),
            ):
                weights = fitted(part, used).round(2).tolist()
                found[name] = {**dict(zip(FEATURES, weights, strict=True)), "are_there": weights == [*there[kind]]}
            figures[kind] = {"weights": found, "left_out": left_out(own, kind)}
    print(json.dumps(figures, indent=1))
    keep("rank_weights", "The evidence is weighed as on functions of known rank.", {**figures, "rows": rows})
