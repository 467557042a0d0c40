"""Claim: `--quick`, the same rule with two of the folds, is right nearly as often as with all of them.

Tasks of known rank of the families that nothing was chosen on before their first run (`rank_families`, group `fourth`),
500 rows, 5 % noise. Each is selected with all folds and, from the same networks, with the first two.

`python benchmarks/selection_quick.py FOLDER` keeps a file a task in FOLDER and goes on where it was stopped.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from _environment import keep
from _rank_tasks import RankTask, suite
from isthmus.data import Sample
from isthmus.selection import RankSelection, SelectionCache, SelectionConfig, seed_from, select_rank_of
from rank_families import GROUPS

ROWS, NOISE, FOLDS = 500, 0.05, 2


def answered(task: RankTask) -> dict[str, Any]:
    """Both answers of one task; the quick one takes networks that the whole one has trained."""
    y = np.asarray(task.y, np.int64 if task.is_classification else np.float64)
    kind = "classification" if task.is_classification else "regression"
    sample = Sample.merged(task.x, y, np.ones(len(task.x)), kind)
    config, seed = SelectionConfig(), seed_from(task.seed)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "kept"
        begin = time.process_time()
        whole = select_rank_of(sample, config, seed=seed, cache=SelectionCache(kept, key="task"))
        seconds = time.process_time() - begin
        quick = select_rank_of(
            sample, replace(config, max_folds=FOLDS), seed=seed, cache=SelectionCache(kept, key="task")
        )
    facts = {"family": task.family, "k": task.k, "is_classification": task.is_classification}
    return {**facts, "seconds": round(seconds, 1), "all": described(whole), "quick": described(quick)}


def described(found: RankSelection) -> dict[str, Any]:
    """An answer in short."""
    return {
        "rank": found.rank,
        "interval": list(found.interval),
        "probability": round(found.evidence.weighed[found.rank], 4),
        "verdict": found.verdict.level,
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Right answers of both, of outputs and of classes."""
    found: dict[str, Any] = {}
    for name, is_classes in (("outputs", False), ("classes", True)):
        own = [row for row in rows if row["is_classification"] == is_classes]
        found[name] = {"tasks": len(own)}
        for way in ("all", "quick"):
            found[name][way] = {
                "exact": sum(row[way]["rank"] == row["k"] for row in own),
                "interval_holds": sum(row[way]["interval"][0] <= row["k"] <= row[way]["interval"][1] for row in own),
            }
    return found


def main(folder: Path) -> None:
    """Run what is not done, and keep the record."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rows = []
    for task in suite(GROUPS["fourth"].families, 0):
        if task.n != ROWS or task.noise != NOISE:
            continue
        file = folder / f"{task.family}-{task.k}.json"
        if not file.exists():
            file.write_text(json.dumps(answered(task)))
        rows.append(json.loads(file.read_text()))
        print(rows[-1], flush=True)
    keep("selection_quick", str(__doc__).splitlines()[0], {**summary(rows), "rows": rows})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
