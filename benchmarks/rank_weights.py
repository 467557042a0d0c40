"""Where the weights of the evidence come from: functions of known rank.

For each task the estimator is fitted with its defaults and what it has seen of every k is kept, one file a task in DIR;
a run goes on where it was stopped. Of families of which DIR holds no task the rows of the record are taken. Then, for
outputs and for classes, logistic regressions of "k numbers are enough" on the features of k = 1 … true k + 1 are fitted
with a ridge of 3 on weights of standardised features. Of outputs they know what lines see in what networks leave; of
classes what lines say of the classes, unless they need all directions; those for autoencoders are fitted on tasks of
outputs without lines, but for those whose numbers depend on each other and their controls, of which it is not known
what they do to autoencoders (decision 49). They are written to `isthmus/selection/weights.json`, which
`isthmus.selection.posterior` reads.

How well such weights decide is told for each family by weights that were fitted without it.

The record has fair samples of all families, in the order of a draw as far as time went: of outputs of seed 100, few of
2,000 rows (decision 45), of classes of seed 100, of `plants` of seed 0 (decision 46), of `dependent` and `folded` of
seed 100, all. To the rows of decision 46 the label scores of the same networks were added (decision 50).

`python benchmarks/rank_weights.py DIR [--seeds 100 101] [--rows 200 500] [--families relu smooth]`
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from _environment import keep, keep_in_package, recorded
from _rank_tasks import ROWS, RankTask
from isthmus import RankClassifier, RankRegressor
from isthmus.foundation.parallel import in_parallel
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.features import FEATURES, Averages, features
from isthmus.selection.posterior import posterior
from rank_families import FITTED_GROUPS, FITTED_ON, GROUPS

Floats = NDArray[np.float64]
Row = dict[str, Any]
RIDGE, ROUNDS = 3.0, 100
BY_LINES = ("linear", "next_linear", "correlation")
OF_CLASSES = ("intercept", "loss", "sensitivity", "slope_drop", "score_share")
OWN = ("intercept", "loss", "significance", "sensitivity_drop", "redundancy", "previous_redundancy")
COLUMNS: dict[str, tuple[str, ...]] = {
    # Beside the losses and the drop the sensitivity only adds chance (decision 45).
    "regression": (*OWN, "residual_line"),
    "autoencoder": OWN,
    # What else there is of classes adds chance, too (decision 50).
    "classification": (*OF_CLASSES, *BY_LINES),
    "classification without lines": OF_CLASSES,
}
"""What is weighed of each task (`isthmus.selection.posterior.weights_for`)."""
DEPENDENT = {name for group in ("dependent", "folded") for name in GROUPS[group].families}
EVIDENCE = ("errors", "standard_errors", "objectives", "sensitivities", "redundancies")
LINES, ADDED = ("correlations", "linear"), ("residual_lines", "shared_slopes", "label_scores")


def seen(task: RankTask, report: Report = silent) -> Row:
    """What the estimator has seen of every k."""
    begin = time.process_time()
    model = (RankClassifier if task.is_classification else RankRegressor)(random_state=task.seed).fit(task.x, task.y)
    found = model.selection_.evidence
    return {
        **{name: getattr(task, name) for name in ("family", "k", "noise", "n", "seed", "weakest", "is_classification")},
        **{name: getattr(found, name) for name in (*EVIDENCE, *LINES, *ADDED)},
        "seconds": round(time.process_time() - begin, 1),
    }


def collected(asked: argparse.Namespace) -> list[Row]:
    asked.folder.mkdir(parents=True, exist_ok=True)
    tasks = [t for seed in asked.seeds for group in FITTED_GROUPS for t in group.tasks(seed) if t.n in asked.rows]
    tasks = [t for t in tasks if t.family in asked.families]
    files = [asked.folder / f"{t.family}-{t.k}-{t.noise}-{t.n}-{t.seed}.json" for t in tasks]
    waiting = [(t, f) for t, f in zip(tasks, files, strict=True) if not f.exists()]
    with closing(in_parallel(seen, [t for t, _ in waiting], n_jobs=asked.n_jobs)) as results:
        for number, (row, (_, file)) in enumerate(zip(results, waiting, strict=True), start=1):
            file.write_text(json.dumps(row))
            print(f"{number}/{len(waiting)} {file.stem} in {row['seconds']} s", flush=True)
    found = [json.loads(file.read_text()) for file in sorted(asked.folder.glob("*.json"))]
    families = {row["family"] for row in found}
    return found + [row for row in recorded("rank_weights")["rows"] if row["family"] not in families]


def lines_of(row: Row) -> CanonicalCorrelations:
    """What linear functions alone say."""
    return CanonicalCorrelations(*(torch.tensor(row[name], dtype=torch.float64) for name in LINES))


def feature_table(row: Row) -> Floats:
    """`features` of one task, `(K + 1, 13)`."""
    errors, deviations, objectives, *of_last = (torch.tensor(row[name], dtype=torch.float64) for name in EVIDENCE)
    excess = errors - errors.min()
    nothing = [0.0] * len(errors)
    added = (torch.tensor(row.get(name, nothing), dtype=torch.float64) for name in ADDED)
    averages = Averages(errors, excess, deviations, objectives, *of_last, lines_of(row), *added, agreement=0.0)
    return np.asarray(features(averages, DEFAULT_TOLERANCE).numpy(), np.float64)


def tasks_of(rows: list[Row], kind: str) -> list[Row]:
    """Those that the weights of a kind of `COLUMNS` are fitted on."""
    own = [row for row in rows if row["is_classification"] == kind.startswith("classification")]
    if kind == "autoencoder":
        return [row for row in own if row["family"] not in DEPENDENT]
    return [row for row in own if lines_of(row).are_as_chance()] if kind == "classification" else own


def logistic_regression(rows: list[Row], names: tuple[str, ...]) -> Floats:
    """Weights of the features, 0 but for those named, by Newton's method; the last k of a task says nothing."""
    x, y = [], []
    columns = [FEATURES.index(name) for name in names]
    for row in rows:
        table = feature_table(row)[:-1, columns]
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


def in_the_package(rows: list[Row]) -> dict[str, list[float]]:
    """The weights of every kind, of all rows, as `weights.json` has them."""
    found = {kind: logistic_regression(tasks_of(rows, kind), names) for kind, names in COLUMNS.items()}
    return {kind: (each.round(2) + 0.0).tolist() for kind, each in found.items()}  # no −0


def chances(row: Row, weights: Floats) -> Floats:
    """Probabilities of k = 0, 1, …, K being the smallest that is enough, if 0 is not."""
    enough = 1.0 / (1.0 + np.exp(-feature_table(row) @ weights))
    enough[0], enough[-1] = 0.0, 1.0
    return np.asarray(posterior(torch.from_numpy(enough)).numpy(), np.float64)


def left_out(rows: list[Row], names: tuple[str, ...]) -> dict[str, Any]:
    """How weights of the features named decide that were fitted without the family of each task."""
    families = sorted({r["family"] for r in rows})
    found = []
    for name in families:
        weights = logistic_regression([r for r in rows if r["family"] != name], names)
        for row in (r for r in rows if r["family"] == name):
            p = chances(row, weights)
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


def main() -> None:
    """Collect, fit, write the weights, and keep the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[100])
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--families", nargs="+", default=[*FITTED_ON])
    parser.add_argument("--n-jobs", type=int, default=2)
    rows = collected(parser.parse_args())
    weights = in_the_package(rows)
    keep_in_package("selection/weights.json", {"fitted_by": "benchmarks/rank_weights.py", **weights})
    figures = {}
    for kind, names in COLUMNS.items():
        named = dict(zip(FEATURES, weights[kind], strict=True))
        figures[kind] = {"weights": named, "left_out": left_out(tasks_of(rows, kind), names)}
    print(json.dumps(figures, indent=1))
    keep("rank_weights", "The evidence is weighed as on functions of known rank.", {**figures, "rows": rows})


if __name__ == "__main__":
    main()
