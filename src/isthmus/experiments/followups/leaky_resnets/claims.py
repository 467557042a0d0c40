"""What leaky ResNets say of the energy, the plateau, the time scales and the layer steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.followups.leaky_resnets.settings import Settings
from isthmus.experiments.jacot2023.rank_recovery.wording import share, spread

_CONSERVED = 0.1  # (max − min) / median of −2H/L̃ over the middle third: up to it H counts as conserved
_SLOPE = 0.15  # relative, of the derivative of the objective and the mean energy
_NEAR = 0.05  # of k: where the plateau counts as k
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """Conservation, derivative, plateau, time scales, steps."""
    at = {depth: [row for row in results if row["effective_depth"] == depth] for depth in settings.effective_depths}
    deepest = at[max(at)]
    return [
        _conserved(at),
        _derivative(at),
        _plateau(at, deepest),
        _scales(at),
        _steps(at, deepest),
    ]


def middle_third(row: Row, name: str) -> list[float]:
    """Of the layers that lie between L̃/3 and 2L̃/3 on the path, or of the one nearest to the middle."""
    depth = row["effective_depth"]
    chosen = [v for t, v in zip(row["time"], row[name], strict=True) if depth / 3 <= t <= 2 * depth / 3]
    if chosen:
        return chosen
    nearest = min(range(len(row["time"])), key=lambda index: abs(row["time"][index] - depth / 2))
    return [row[name][nearest]]


def drift(row: Row) -> float:
    """(max − min) / |median| of the energy over the middle third."""
    energies = middle_third(row, "energy")
    return float((max(energies) - min(energies)) / abs(median(energies)))


def _listed(at: Mapping[float, Sequence[Row]], values: Callable[[Row], float], form: str) -> str:
    return "; ".join(
        f"L̃ = {depth:g}: {spread([values(row) for row in rows], form)}" for depth, rows in at.items() if rows
    )


def _conserved(at: Mapping[float, Sequence[Row]]) -> Claim:
    right = [drift(row) <= _CONSERVED for rows in at.values() for row in rows]
    return Claim(
        "the energy H is conserved along the depth",
        "for minimisers of infinite depth",
        f"(max − min) / median of −2H/L̃ over the middle third: {_listed(at, drift, '.3f')}",
        sum(right) > len(right) / 2 if right else None,
        f"at most {_CONSERVED:.0%} for {share(right)} networks, rule: more than half. Layers are finite and so is the "
        "training",
    )


def _derivative(at: Mapping[float, Sequence[Row]]) -> Claim:
    rows = [row for each in at.values() for row in each]
    right = [abs(row["slope"] - row["mean_energy"]) <= _SLOPE * abs(row["mean_energy"]) for row in rows]
    return Claim(
        "the least cost grows with L̃ by the mean of −2H/L̃",
        "derived here (docs/certificates.md)",
        "derivative of the objective over λ, by its difference between two L̃, over the mean of −2H/L̃: "
        + _listed(at, lambda row: row["slope"] / row["mean_energy"], ".2f"),
        sum(right) > len(right) / 2 if right else None,
        f"within {_SLOPE:.0%} for {share(right)} networks, rule: more than half",
    )


def _plateau(at: Mapping[float, Sequence[Row]], deepest: Sequence[Row]) -> Claim:
    told = "; ".join(
        f"L̃ = {depth:g}: "
        + ", ".join(f"k = {row['rank']}: {median(middle_third(row, 'cost_of_identity')):.2f}" for row in rows)
        for depth, rows in at.items()
        if rows
    )
    right = [abs(median(middle_third(row, "cost_of_identity")) - row["rank"]) <= _NEAR * row["rank"] for row in deepest]
    ranks = ", ".join(str(row["rank_found"]) for row in deepest)
    return Claim(
        "at large L̃ the cost of identity has its plateau at the rank",
        "low-dimensional representations, as measured by the cost of identity",
        f"median over the middle third: {told}; bottleneck ranks at the largest L̃: {ranks or 'none'}",
        sum(right) > len(right) / 2 if right else None,
        f"within {_NEAR:.0%} of k for {share(right)} networks at L̃ = {max(at):g}, rule: more than half",
    )


def _scales(at: Mapping[float, Sequence[Row]]) -> Claim:
    def ratio(row: Row) -> float:
        return float(median(middle_third(row, "kinetic_energy")) / median(middle_third(row, "cost_of_identity")))

    medians = {depth: median([ratio(row) for row in rows]) for depth, rows in at.items() if rows}
    is_decided = len(medians) > 1
    return Claim(
        "the potential dominates at large L̃, the representation moves slowly in the middle",
        "two time scales: fast jumps at both ends",
        f"kinetic energy over cost of identity, middle third: {_listed(at, ratio, '.2f')}",
        medians[max(medians)] < 0.5 * medians[min(medians)] if is_decided else None,
        "the median at the largest L̃ is below half of that at the smallest",
    )


def _steps(at: Mapping[float, Sequence[Row]], deepest: Sequence[Row]) -> Claim:
    def apart(row: Row, name: str) -> float:
        return float(abs(row[name] - row["objective"]) / row["objective"])

    right = [apart(row, "adapted") < apart(row, "equal") for row in deepest]
    return Claim(
        "layer steps adapted to the time scales follow the path better than equal ones",
        "used in training; no figure in the abstract",
        f"objective of few layers apart from that of many, relative; equal: "
        f"{_listed(at, lambda row: apart(row, 'equal'), '.1%')}; adapted: "
        f"{_listed(at, lambda row: apart(row, 'adapted'), '.1%')}",
        sum(right) > len(right) / 2 if right else None,
        f"adapted steps are nearer for {share(right)} networks at L̃ = {max(at):g}, rule: more than half",
    )
