"""Claim: the index rank is found on one target of families that no method was chosen on, of known combinations.

The tasks of group `fifth` of `rank_families` with one target, whose families were written by someone who had not seen
the method, each selected with the defaults; what can be decided is what the oracle of `rank_decidable.py` found.

`python benchmarks/index_rank_blind.py FOLDER` keeps a file a task in FOLDER and goes on where it was stopped.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from _environment import keep
from _rank_accuracy import right, right_of_decidable, with_verdicts
from _rank_tasks import RankTask
from isthmus import select_rank
from isthmus.foundation.parallel import in_parallel
from isthmus.foundation.progress import Report
from rank_families import GROUPS

GROUP = "fifth"


@dataclass(frozen=True)
class Job:
    """A task and its file."""

    task: RankTask
    file: Path


def answered(job: Job, report: Report) -> dict[str, Any]:
    """What the selection says of the index rank."""
    torch.set_num_threads(1)
    task, begin = job.task, time.process_time()
    found = select_rank(task.x, task.y, random_state=task.seed)
    row = {
        **{name: getattr(task, name) for name in ("family", "k", "noise", "seed")},
        "is_classification": False,
        "rows": task.n,
        "inputs": task.x.shape[1],
        "rank": found.index.rank,
        "interval": list(found.index.interval),
        "probabilities": [round(float(p), 4) for p in found.index.probabilities],
        "bottleneck_rank": found.rank,
        "seconds": round(time.process_time() - begin, 1),
    }
    job.file.write_text(json.dumps(row))
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts over some tasks."""
    given = [row["probabilities"] + [0.0] * (row["k"] + 1 - len(row["probabilities"])) for row in rows]
    brier = [sum((p - (k == row["k"])) ** 2 for k, p in enumerate(own)) for own, row in zip(given, rows, strict=True)]
    return {
        **right(rows),
        "of_decidable": right_of_decidable(rows),
        "brier": round(float(np.mean(brier)), 3),
        "median_seconds": float(np.median([row["seconds"] for row in rows])),
    }


def main(folder: Path) -> None:
    """Answer what is not answered, and keep the record."""
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [task for task in GROUPS[GROUP].tasks(0) if task.has_one_target]
    jobs = [Job(t, folder / f"{t.family}-{t.k}-{t.noise}-{t.n}.json") for t in tasks]
    with closing(in_parallel(answered, [j for j in jobs if not j.file.exists()], n_jobs=2)) as results:
        for row in results:
            print(row["family"], row["k"], row["rank"], row["seconds"], flush=True)
    rows = with_verdicts([json.loads(job.file.read_text()) for job in jobs], GROUP, 0)
    families = sorted({row["family"] for row in rows})
    figures = {"all": summary(rows)} | {name: summary([r for r in rows if r["family"] == name]) for name in families}
    print(json.dumps(figures, indent=1))
    keep("index_rank_blind", str(__doc__).splitlines()[0], figures | {"rows": rows})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
