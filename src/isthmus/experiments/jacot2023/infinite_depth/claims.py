"""Both halves of Theorem 1, its last sentence, and the conjecture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.infinite_depth.rank_axioms import axiom_claims
from isthmus.experiments.jacot2023.infinite_depth.settings import Settings
from isthmus.experiments.jacot2023.infinite_depth.three_parts import construction_claims, steep_claim

_FAITHFUL = 1e-3  # of the variance: what a network that computes the tripod at the rows may miss
_CHEAPER = 1.9  # ‖w‖²/L below which such a network would speak against rank 2


def judge(settings: Settings, results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """The construction, the two halves of the theorem, its last sentence, and the conjecture."""
    parts = {name: [row for row in results if row["part"] == name] for name in ("construction", "steep", "bracket")}
    return [
        *construction_claims(parts["construction"]),
        _sandwiched(parts["bracket"]),
        steep_claim(parts["steep"]),
        *axiom_claims(results),
        _conjecture(parts["bracket"], [row for row in results if row["part"] == "trained tripod"]),
    ]


def _sandwiched(rows: Sequence[Mapping[str, Any]]) -> Claim:
    """Of functions with |σ′| ≤ 1: no bracket may contradict, and the limits' brackets must be the two ranks."""
    usual = [row for row in rows if abs(row["negative_slope"]) <= 1.0]
    empty = sum(each["lower"] > each["upper"] + 1e-9 for row in usual for each in [*row["path"], row["limit"]])
    contradicted = [row for row in usual if not _is_possible(row)]
    reached = [
        row
        for row in usual
        if (row["limit"]["lower"], row["limit"]["upper"]) == (row["jacobian_rank"], row["bottleneck_rank"])
    ]
    last = [row["path"][-1] | {"below": row["jacobian_rank"], "above": row["bottleneck_rank"]} for row in usual]
    low = max((abs(each["below"] - each["lower"]) for each in last), default=math.nan)
    high = max((abs(each["upper"] - each["above"]) for each in last), default=math.nan)
    agrees = None if not usual or len(reached) < len(usual) else True
    return Claim(
        "Rank_J ≤ R_∞ ≤ Rank_BN",
        "for every FPLF on a bounded domain",
        f"brackets of the limit are [Rank_J, Rank_BN] for {len(reached)} of {len(usual)} functions, {empty} empty; at "
        f"L = {last[0]['depth'] if last else 0} the lower end is within {low:.2g} of Rank_J, the upper end within "
        f"{high:.2g} of Rank_BN",
        False if contradicted or empty else agrees,
        "catalogue functions with proved ranks and |σ′| ≤ 1; the lower end by Proposition 3 in homogeneous "
        "coordinates, the upper end by a network that is compared with f on all of the domain. False if a bracket "
        "lies outside the two ranks or is empty, undecided where an end was not found at its rank",
    )


def _is_possible(row: Mapping[str, Any]) -> bool:
    return bool(
        row["limit"]["upper"] >= row["jacobian_rank"] - 1e-9 and row["limit"]["lower"] <= row["bottleneck_rank"] + 1e-9
    )


def _conjecture(brackets: Sequence[Mapping[str, Any]], trained: Sequence[Mapping[str, Any]]) -> Claim:
    known = [row for row in brackets if row["jacobian_rank"] == row["bottleneck_rank"]]
    limits = sorted({tuple(row["limit"].values()) for row in brackets if row["jacobian_rank"] < row["bottleneck_rank"]})
    slopes = [row["slope"] for row in trained]
    missed = [row["path"][-1]["missed"] for row in trained]
    costs = [row["path"][-1]["norm_per_depth"] for row in trained]
    cheaper = [cost for cost, share in zip(costs, missed, strict=True) if share < _FAITHFUL and cost < _CHEAPER]
    spread = (
        f"{min(slopes):.3f} to {max(slopes):.3f} a layer, to {min(costs):.2f} to {max(costs):.2f} times the depth, at "
        f"an error up to {max(missed):.1e} of the variance"
        if slopes
        else "none"
    )
    return Claim(
        "conjecture: R_∞ = Rank_BN",
        "open",
        f"tripod (Rank_J = 1 < Rank_BN = 2): R_∞ in {limits}; ‖w‖² of networks "
        f"trained on its samples grows by {spread}",
        False if cheaper else None,
        f"evidence, not proof: Theorem 1 decides the {len(known)} functions whose ranks agree; for the tripod no lower "
        f"bound above Rank_J is known. Networks that miss below {_FAITHFUL:g} of the variance at ‖w‖²/L < {_CHEAPER:g} "
        "would speak against it. A growth below 2 a layer does not: at these depths C still falls as L grows",
    )
