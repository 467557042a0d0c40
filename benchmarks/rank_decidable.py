"""Claim: of tasks of known rank most, but not all, can be decided by someone who knows the true hidden numbers.

For each task of a group (`rank_families`) the oracle of `_rank_oracle` says whether k numbers predict better than
k − 1. Where they do not, no method is to blame for an answer below k. Kept is whether it can be decided, by how many
standard errors, and the held-out losses with k − 1 and k numbers; `_rank_accuracy` reads it.

`python benchmarks/rank_decidable.py GROUP [--seed 0]` becomes `results/rank_decidable_GROUP.json`, of another seed
`results/rank_decidable_GROUP_SEED.json`.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from _environment import keep
from _rank_accuracy import task_name
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
    keep(f"rank_decidable_{asked.group}" + (f"_{asked.seed}" if asked.seed else ""), CLAIM, figures, in_lines=True)
