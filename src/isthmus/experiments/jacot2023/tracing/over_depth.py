"""Statements that no diagram covers, over the depths of their own records."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from isthmus.experiments.experiment import Numbers
from isthmus.experiments.jacot2023.tracing.trace import Place, Row

_VANISHED = 0.1  # of the singular value before: the tolerance of ranks


def vanishing(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """Over depth: σ_{k+1}/σ_k, the median of the networks."""
    found = []
    for depth in settings["depths"]:
        ratios = [row["after_k"] for row in rows if row["depth"] == depth]
        if ratios:
            value = median(ratios)
            found.append(Place("", f"L = {depth}", f"{value:.2g}", value < _VANISHED, len(ratios)))
    return found


def steep_costs(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """By rank, over depth: ‖w‖²/L of the cheapest network written out."""
    found = []
    for rank in settings["ranks"]:
        paths = [row["path"] for row in rows if row["part"] == "steep" and row["rank"] == rank]
        for index, point in enumerate(paths[0] if paths else ()):
            value = min(path[index]["norm_per_depth"] for path in paths)
            at = f"L = {point['depth']}"
            found.append(Place(f"Rank_J = {rank}", at, f"{value:.2g}", value >= rank, len(paths)))
    return found
