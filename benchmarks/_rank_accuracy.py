"""How often answers were right, by how sure they were: what `isthmus/selection/accuracy.json` holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

BOUNDS = (0.95, 0.8, 0.5, 0.0)
FEWEST = 10  # tasks of a bin; of fewer no share can be told


def accuracy(rows: Iterable[dict[str, Any]]) -> dict[str, list[list[float]]]:
    """For outputs and for classes the bins of `by_probability`, of rows as `rank_decision.py` keeps them."""
    answers: dict[str, list[tuple[float, bool]]] = {"regression": [], "classification": []}
    for row in rows:
        kind = "classification" if row["is_classification"] else "regression"
        answers[kind].append((row["probabilities"][row["rank"]], row["rank"] == row["k"]))
    return {kind: by_probability(own) for kind, own in answers.items()}


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
