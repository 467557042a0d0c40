"""Costs and minima of linear networks beside the closed form, and what depth does to the rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.linear_networks.settings import LIVE, Settings

_EXACT = 1e-3  # relative: what a minimum in single precision is told from the closed form by
_GROWN = (
    "Deep networks are grown from depth 2 at each rank and trained on, and the lowest objective is kept: from random "
    "starts directions are lost on the way, and none comes back, for zero has no slope at L > 2"
)
_POSITIVE = "From a positive start with the first k entries, for each k, and the lowest objective is kept"


def judge(settings: Settings, results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Costs, minima, and what depth does to the rank."""
    found = []
    kinds = (("fully connected", "Σ sᵢ(A)^{2/L}", _GROWN), ("diagonal", "‖v‖_p^p, p = 2/L", _POSITIVE))
    for kind, formula, starts in kinds:
        rows = [row for row in results if row["kind"] == kind]
        if not rows:
            continue  # every training failed; the record says so
        gaps = [row["norm_per_depth"] / row["quasi_norm"] - 1 for row in rows]
        excess = [row["objective"] / row["least_objective"] - 1 for row in rows]
        reached = sum(value < _EXACT for value in excess)
        found += [
            Claim(
                f"{kind} linear networks: R(f)/L = {formula}",
                f"‖w‖²/L = {formula} at a minimum",
                f"relative difference {min(gaps):.1e} to {max(gaps):.1e}, {len(rows)} networks, "
                f"L = {min(settings.depths)} to {max(settings.depths)}",
                all(abs(gap) < _EXACT for gap in gaps),
                f"trained networks, to {_EXACT:g}",
            ),
            Claim(
                f"{kind}: min_w C + λ‖w‖² = min_f C(f) + λR(f)",
                "equal",
                f"{reached} of {len(rows)} trained networks reach the minimum over the maps; largest excess "
                f"{max(excess):.1e}",
                reached == len(rows),
                f"the right side by a search in one variable for each magnitude. {starts}",
            ),
        ]
        if kind == "fully connected":
            found.append(_ranks(settings, rows))
    return found


def _ranks(settings: Settings, rows: Sequence[Mapping[str, Any]]) -> Claim:
    depths = sorted({row["depth"] for row in rows})
    ranks = {depth: sorted(row["rank"] for row in rows if row["depth"] == depth) for depth in depths}
    middles = [sum(values) / len(values) for values in ranks.values()]
    return Claim(
        "the bias towards low rank becomes stronger with depth",
        "‖A‖_p^p → rank A as L → ∞",
        "; ".join(f"L = {depth}: {values}" for depth, values in ranks.items()),
        all(b <= a for a, b in pairwise(middles)) and middles[-1] < middles[0],
        f"rank of the trained maps at {LIVE:g}, per seed, A* of rank {len(settings.spectrum)}",
    )
