"""Claim: of tasks of known rank most, but not all, can be decided by someone who knows the true hidden numbers.

For each task of a group (`rank_families`) the oracle of `_rank_oracle` says whether k numbers predict better than
k − 1. Where they do not, no method is to blame for an answer below k. Kept is whether it can be decided, by how many
standard errors, and the held-out losses with k − 1 and k numbers; `_rank_accuracy` reads it. Where there is a record
of `rank_decision.py`, how often that was right is printed, of all tasks and of those that can be decided.

`python benchmarks/rank_decidable.py GROUP [--seed 0]` becomes `results/rank_decidable_GROUP.json`, of another seed
`results/rank_decidable_GROUP_SEED.json`; with `--families` or `--rows` the record of the others stays.

In both records tasks of classes, and those of outputs of more than 300 rows, were judged before predictions were held
within the range of what was learnt and before errors left one out were right where features interpolate; both matter
where rows are few.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from _environment import keep, recorded
from _rank_accuracy import record_of_decidable, right, right_of_decidable, task_name, with_verdicts
from _rank_oracle import verdict
from _rank_tasks import RankTask
from rank_families import GROUPS

CLAIM = (
    "Whether k can be told from k - 1 numbers by an oracle that knows the true ones, by how many standard errors, and "
    "its held-out losses with k - 1 and with k."
)


def judged(task: RankTask) -> list[Any]:
    """What is kept of the oracle's verdict."""
    begin = time.process_time()
    found = verdict(task)
    losses = [float(f"{loss:.4g}") for loss in found.losses]
    kept = [found.is_decidable, round(found.gap / found.standard_error, 1), *losses]
    said = f"{task.family}, {task_name(task.k, task.noise, task.n)}: {kept} by {' and '.join(found.ways)}"
    print(f"{said}, {time.process_time() - begin:.1f} s", flush=True)
    return kept


def counts(families: dict[str, dict[str, list[Any]]]) -> dict[str, list[int]]:
    """How many tasks of each family can be decided, and how many there are."""
    return {name: [sum(kept[0] for kept in own.values()), len(own)] for name, own in families.items()}


def main() -> None:
    """Judge the tasks of some families, keep the record, and print how often answers were right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=[*GROUPS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", nargs="+")
    parser.add_argument("--rows", type=int, nargs="+")
    asked = parser.parse_args()
    group, name = GROUPS[asked.group], record_of_decidable(asked.group, asked.seed)
    known = recorded(name).get("families", {}) if asked.families or asked.rows else {}
    for task in group.tasks(asked.seed):
        if task.family in (asked.families or [task.family]) and task.n in (asked.rows or [task.n]):
            known.setdefault(task.family, {})[task_name(task.k, task.noise, task.n)] = judged(task)
            families = {each: known[each] for each in group.families if each in known}
            figures = {"group": asked.group, "decidable": counts(families), "families": families}
            keep(name, CLAIM, figures, in_lines=True)
    rows = recorded(f"rank_decision_{asked.group}").get("rows", []) if asked.seed == 0 else []
    for family in {row["family"]: None for row in rows}:
        own = with_verdicts([row for row in rows if row["family"] == family], asked.group, 0)
        print(f"{family}: of all {right(own)}, of the decidable {right_of_decidable(own)}")


if __name__ == "__main__":
    main()
