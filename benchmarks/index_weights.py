"""Where the weights of the evidence for an index rank come from: functions of known index rank.

For each task the rank is selected with its defaults and what was seen of every k is kept, one file a task in DIR; a run
goes on where it was stopped. Then a logistic regression of "k combinations are enough" on the features of
k = 0 … true k, with a ridge of 0.3 on weights of standardised features, is written to
`isthmus/selection/index_weights.json`, which `isthmus.selection.index_evidence` reads. How well such weights decide is
told by weights that were fitted without each task in turn.

`python benchmarks/index_weights.py DIR`
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _environment import keep, keep_in_package
from _index_alone import index_of
from _index_tasks import CHOOSING, IndexTask, noise_task, tasks
from isthmus.selection.index_evidence import INDEX_FEATURES, index_features
from isthmus.selection.index_rank import IndexRank

Floats = NDArray[np.float64]
SEEDS, NOISE_SEEDS = range(100, 160), range(500, 524)
RIDGE, ROUNDS = 0.3, 100
Seen = tuple[int, Floats]
"""The true index rank, and the features of k = 0 … K − 1."""


def chosen_on() -> Iterator[IndexTask]:
    yield from tasks(CHOOSING, SEEDS)
    yield from map(noise_task, NOISE_SEEDS)


def file_of(task: IndexTask, folder: Path) -> Path:
    return folder / f"{'noise' if task.k == 0 else 'task'}-{task.seed}.json"


def write_seen(task: IndexTask, found: IndexRank, folder: Path) -> None:
    evidence = found.evidence
    kept: dict[str, Any] = {
        "k": task.k,
        "gains": evidence.gains,
        "surprises": evidence.surprises,
        "agreements": evidence.agreements,
    }
    file_of(task, folder).write_text(json.dumps(kept))


def read_seen(path: Path) -> Seen:
    kept = json.loads(path.read_text())
    return kept["k"], index_features(kept["gains"], kept["surprises"], kept["agreements"]).numpy()


def fitted_weights(seen: Sequence[Seen]) -> Floats:
    """Weights of the features, of the tasks' k = 0 … true k."""
    table = np.concatenate([features[: k + 1] for k, features in seen])
    is_enough = np.concatenate([np.arange(len(features[: k + 1])) == k for k, features in seen])
    means, scales = table[:, 1:].mean(0), table[:, 1:].std(0)
    columns = np.column_stack([np.ones(len(table)), (table[:, 1:] - means) / scales])
    penalty = np.diag([1e-6, *[RIDGE] * len(scales)])
    weights = np.zeros(len(penalty))
    for _ in range(ROUNDS):
        p = 1.0 / (1.0 + np.exp(-columns @ weights))
        slope = columns.T @ (p - is_enough) + penalty @ weights
        weights -= np.linalg.solve((columns.T * (p * (1.0 - p))) @ columns + penalty, slope)
    own = weights[1:] / scales
    return np.concatenate([[weights[0] - means @ own], own])


def chances(features: Floats, weights: Floats) -> Floats:
    enough = np.append(1.0 / (1.0 + np.exp(-features @ weights)), 1.0)
    found: Floats = enough * np.concatenate([[1.0], np.cumprod(1.0 - enough[:-1])])
    return found


def left_out(seen: Sequence[Seen]) -> dict[str, Any]:
    """How weights decide that were fitted without the task."""
    right, surprise, brier = 0, 0.0, 0.0
    for at, (k, features) in enumerate(seen):
        p = chances(features, fitted_weights([*seen[:at], *seen[at + 1 :]]))
        right += int(p.argmax()) == k
        surprise -= float(np.log(max(p[k], 1e-9)))
        brier += float(((p - np.eye(len(p))[k]) ** 2).sum())
    return {
        "tasks": len(seen),
        "right": right,
        "log_loss": round(surprise / len(seen), 3),
        "brier": round(brier / len(seen), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    seen = []
    for task in chosen_on():
        if not file_of(task, folder).exists():
            write_seen(task, index_of(task.x, task.y), folder)
        seen.append(read_seen(file_of(task, folder)))
    weights = [round(float(each), 2) for each in fitted_weights(seen)]
    keep_in_package("selection/index_weights.json", {"fitted_by": "benchmarks/index_weights.py", "weights": weights})
    figures: dict[str, Any] = {"features": INDEX_FEATURES, "weights": weights, "left_out": left_out(seen)}
    for columns in ([0, 1], [0, 1, 2], [0, 1, 3]):
        names = " and ".join(INDEX_FEATURES[column] for column in columns[1:])
        figures[f"left_out, {names}"] = left_out([(k, features[:, columns]) for k, features in seen])
    keep("index_weights", "The weights decide tasks that they were not fitted on", figures)
    print(figures)


if __name__ == "__main__":
    main()
