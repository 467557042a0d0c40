"""Claim: at the decided rank, held-out errors on real data are those of scikit-learn's tuned network, or smaller.

The record denies it: of 22 tables this holds on 10, and on 5 more within 3 %.

For each table of `_rank_real`: the rank that `RankRegressor` or `RankClassifier` decides with its defaults, its test
error, and those of scikit-learn's network (a grid of widths and weight decays) and of a linear model. Outputs that are
pixels have one scale for all columns. One split each; five of tables of fewer than 100 rows. In view of these tables
were chosen which depths are tried on noisy and on small ones (but for mnist, randhie and scotland), and that one scale
for all columns must win by two standard errors (modechoice, decision 32); all else on synthetic tasks.

`python benchmarks/rank_real.py DIR [names…]` keeps one file a table in DIR and goes on where it was stopped;
without names what was done, also until Ctrl-C, becomes the record.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from _environment import keep
from _rank_predictors import PREDICTORS, held_out_error
from _rank_real import PICTURES, REAL, RealTask, real_task
from isthmus import RankClassifier, RankRegressor
from isthmus.errors import IsthmusError

SMALL, SPLITS = 100, 5
OTHERS = ("network", "linear")


def compared(task: RealTask, seed: int) -> dict[str, Any]:
    begin = time.process_time()
    row: dict[str, Any] = {"rows": len(task.x), "inputs": task.x.shape[1], "seed": seed}
    try:
        kind = RankClassifier if task.is_classification else RankRegressor
        scaling = "global" if task.name in PICTURES else None
        model = kind(random_state=seed, standardize=scaling).fit(task.x, task.y)
    except IsthmusError as refused:
        return row | {"refused": str(refused)}
    found = model.selection_
    row |= {"rank": found.rank, "interval": list(found.interval), "probability": found.evidence.weighed[found.rank]}
    row |= {"error": held_out_error(model, task), "seconds": round(time.process_time() - begin, 1)}
    for name in OTHERS:
        begin = time.process_time()
        losses = PREDICTORS[name](task, seed)
        row[name] = None if losses is None else losses.error
        row[f"{name}_seconds"] = round(time.process_time() - begin, 1)
    return row


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {}
    try:
        for name in sys.argv[2:] or REAL:
            file = folder / f"{name.replace(' ', '-')}.json"
            if not file.exists():
                first = real_task(name, 0)
                seeds = range(SPLITS if len(first.x) + len(first.x_test) < SMALL else 1)
                file.write_text(json.dumps([compared(real_task(name, seed), seed) for seed in seeds]))
            figures[name] = json.loads(file.read_text())
            print(name, figures[name], flush=True)
    except KeyboardInterrupt:
        print("stopped: the record has what was done")
    if len(sys.argv) == 2:
        keep(
            "rank_real",
            "Held-out errors at the decided rank on real tables, beside a tuned network's and a linear model's.",
            figures,
        )
