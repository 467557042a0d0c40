"""A depth for a data set, chosen on its validation rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from isthmus.data import Dataset
from isthmus.foundation.likelihood import row_losses
from isthmus.foundation.progress import Report
from isthmus.runs.held_out import standardized_rows
from isthmus.training import FittedNetwork, Plan

_DEPTHS = (4, 7, 13, 20)

Trained = Callable[[int, Plan, Path | None, Report], FittedNetwork]


def chosen_depth(dataset: Dataset, plan: Plan, trained: Trained, report: Report) -> int:
    """The deepest of four depths whose validation error is within one standard error of the best.

    Each is trained for half the warm-up and one round only: enough to compare. Among depths that predict equally
    well the deepest has the strongest bias towards low rank.
    """
    short = replace(plan, steps=plan.steps // 2, rounds=min(plan.rounds, 1))
    results: list[tuple[int, float, float]] = []
    for depth in _DEPTHS:
        report(0.0, f"trying depth {depth}")
        fitted = trained(depth, short, None, lambda fraction, state: None)
        x, y = standardized_rows(dataset, fitted, dataset.split.validation)
        with torch.no_grad():
            losses = row_losses(fitted.network(x), y, is_classification=fitted.classes is not None)
        results.append((depth, float(losses.mean()), float(losses.std() / len(losses) ** 0.5)))
    _, best, deviation = min(results, key=lambda result: result[1])
    return max(depth for depth, error, _ in results if error <= best + deviation)
