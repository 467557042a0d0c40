"""Claim: of tasks of known rank most, but not all, can be decided by someone who knows the true hidden numbers.

For each task of a group (`rank_families`) the oracle of `_rank_oracle` says whether k numbers predict better than
k − 1. Where they do not, no method is to blame for an answer below k. Kept is whether it can be decided, by how many
standard errors, and the held-out losses with k − 1 and k numbers; `_rank_accuracy` reads it. Where there is a record
of `rank_decision.py`, how often that was right is printed, of all tasks and of those that can be decided.

`python benchmarks/rank_decidable.py GROUP [--seed 0]` becomes `results/rank_decidable_GROUP.json`, of another seed
`results/rank_decidable_GROUP_SEED.json`.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from _environment import RESULTS, keep
from _rank_accuracy import record_of_decidable, right, right_of_decidable, task_name, with_verdicts
from _rank_oracle import verdict
from rank_families import GROUPS

CLAIM = (
    "Whether k can be told from k - 1 numbers by an oracle that knows the true ones, by how many standard errors, and "
    "its held-out losses with k - 1 and with k."
)


def judged(group: str, seed: int) -> dict[str, Any]:
    """Counts and verdicts by family."""
    families: dict[str, dict[str, Any]] = {}
    begin, tasks = time.process_time(), 0
    for task in GROUPS[group].tasks(seed):
        found = verdict(task)
        errors = round(found.gap / found.standard_error, 1)
        kept = [found.is_decidable, errors, *(float(f"{loss:.4g}") for loss in found.losses)]
        name = task_name(task.k, task.noise, task.n)
        families.setdefault(task.family, {})[name] = kept
        tasks += 1
        print(f"{task.family} {name}: {kept}, by {found.ways[0]} and {found.ways[1]}", flush=True)
    decidable = {family: [sum(kept[0] for kept in own.values()), len(own)] for family, own in families.items()}
    seconds = round((time.process_time() - begin) / tasks, 1)
    return {"group": group, "seed": seed, "decidable": decidable, "seconds_a_task": seconds, "families": families}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=[*GROUPS])
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    figures = judged(asked.group, asked.seed)
    print(figures["decidable"])
    keep(record_of_decidable(asked.group, asked.seed), CLAIM, figures, in_lines=True)
    decided = RESULTS / f"rank_decision_{asked.group}.json"
    if decided.exists() and asked.seed == 0:
        rows = with_verdicts(json.loads(decided.read_text())["figures"]["rows"], asked.group, 0)
        for family in figures["decidable"]:
            own = [row for row in rows if row["family"] == family]
            print(f"{family}: of all {right(own)}, of the decidable {right_of_decidable(own)}")
