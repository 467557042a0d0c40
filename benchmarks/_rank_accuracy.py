"""How often answers were right: by how sure they were, as `isthmus/selection/accuracy.json` holds, and of what can be.

What can be decided is what the oracle of `rank_decidable.py` found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from _environment import recorded
from rank_families import JUDGED_ON

DRAWS = (0, 1, 2)  # seeds of the group that the method is judged on
BOUNDS = (0.95, 0.8, 0.5, 0.0)
FEWEST = 10  # tasks of a bin; of fewer no share can be told


def accuracy(rows: Iterable[dict[str, Any]]) -> dict[str, list[list[float]]]:
    """For outputs and for classes the bins of `by_probability`, of rows as `rank_decision.py` keeps them."""
    answers: dict[str, list[tuple[float, bool]]] = {"regression": [], "classification": []}
    for row in rows:
        kind = "classification" if row["is_classification"] else "regression"
        answers[kind].append((row["probabilities"][row["rank"]], row["rank"] == row["k"]))
    return {kind: by_probability(own) for kind, own in answers.items()}


def judged_rows() -> list[dict[str, Any]]:
    """The rows of the records of all draws of the group that the method is judged on."""
    records = [recorded(record_name(JUDGED_ON, seed)) for seed in DRAWS]
    return [row for record in records for row in record["rows"]]


def record_name(group: str, seed: int) -> str:
    """What the record of a group and a seed is called."""
    return f"rank_decision_{group}" + (f"_{seed}" if seed else "")


def by_probability(answers: Iterable[tuple[float, bool]]) -> list[list[float]]:
    """Bins [above, right, tasks] of the probabilities of answers, the surest first.

    A bin of fewer than `FEWEST` tasks is joined with the next less sure one, the last with the one before.

    Args:
        answers: The probability of each answer, and whether it is right.
    """
    left, bins = list(answers), []
    for above in BOUNDS:
        own = [is_right for p, is_right in left if p > above]
        if len(own) >= FEWEST:
            bins.append([above, sum(own), len(own)])
            left = [(p, is_right) for p, is_right in left if p <= above]
    if left:
        _, right, tasks = bins.pop() if bins else (0.0, 0, 0)
        bins.append([BOUNDS[-1], right + sum(is_right for _, is_right in left), tasks + len(left)])
    return bins


def task_name(k: int, noise: float, rows: int) -> str:
    """A task of a family and seed, in the records of what can be decided."""
    return f"k = {k}, noise {noise:g}, {rows} rows"


def record_of_decidable(group: str, seed: int) -> str:
    """Name of the record of the oracle's verdicts."""
    return f"rank_decidable_{group}" + (f"_{seed}" if seed else "")


def with_verdicts(rows: Iterable[dict[str, Any]], group: str, seed: int) -> list[dict[str, Any]]:
    """Rows of `rank_decision.py` that also say whether k could be decided; None where the oracle was not run."""
    families = recorded(record_of_decidable(group, seed)).get("families", {})

    def verdict(row: dict[str, Any]) -> bool | None:
        found = families.get(row["family"], {}).get(task_name(row["k"], row["noise"], row["rows"]))
        return None if found is None else bool(found[0])

    return [row | {"is_decidable": verdict(row)} for row in rows]


def right(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many answers are exact and off by more than one, and how many intervals hold k."""
    rows = list(rows)
    return {
        "tasks": len(rows),
        "exact": sum(row["rank"] == row["k"] for row in rows),
        "off_by_more_than_one": sum(abs(row["rank"] - row["k"]) > 1 for row in rows),
        "interval_holds": sum(row["interval"][0] <= row["k"] <= row["interval"][1] for row in rows),
    }


def right_of_decidable(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """`right` of the tasks of which the oracle says that k can be decided."""
    return right(row for row in rows if row["is_decidable"])
