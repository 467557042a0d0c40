"""What trainings of classifiers say of collapse, its bound, and the rank of the logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.followups.neural_collapse.settings import Settings
from isthmus.experiments.jacot2023.rank_recovery.wording import share, spread

_COLLAPSED = 0.05  # NC1 at the end, of the last layer's features
_ALIGNED = 0.9  # NC2 and NC3 at the end
_ROUNDING = 1e-9
_UNBALANCED = 0.05  # of the last two layers at the end: up to it they count as balanced
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """Balance, NC1 with and without the hypotheses, NC2 and NC3, the bound, the logits."""
    squared = [row for row in results if row["loss"] == "squared"]
    covered = [row for row in squared if row["linear_layers"] > 1]
    outside = [row for row in results if row["loss"] != "squared" or row["linear_layers"] == 1]
    return [
        _balance(covered),
        _variation(covered),
        _variation_outside(outside),
        _shape(covered),
        _growing_evenness(squared),
        _bound(results),
        _logits(results, covered),
    ]


def _final(row: Row) -> Mapping[str, Any]:
    moment: Mapping[str, Any] = row["moments"][-1]
    return moment


def _groups(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["loss"], row["linear_layers"], row["depth"])):
        loss = "" if row["loss"] == "squared" else f"{row['loss']}, "
        found.setdefault(f"{loss}m = {row['linear_layers']}, L = {row['depth']}", []).append(row)
    return found


def _told(rows: Sequence[Row], value: Callable[[Row], float]) -> str:
    """Of each group of trainings the median and the range at the end."""
    return "; ".join(
        f"{name}: {spread([value(_final(row)) for row in group], '.2g')}" for name, group in _groups(rows).items()
    )


def _balance(rows: Sequence[Row]) -> Claim:
    right = [_final(row)["imbalance"] <= _UNBALANCED for row in rows]
    return Claim(
        "the linear layers at the end become balanced",
        "by weight decay",
        f"imbalance of the last two layers, of m linear ones: {_told(rows, lambda m: m['imbalance']) or 'none'}",
        all(right) if right else None,
        f"at most {_UNBALANCED:g} at the end for {share(right)} trainings, rule: all",
    )


def _variation(rows: Sequence[Row]) -> Claim:
    right = [_final(row)["nc1"][-1] <= _COLLAPSED for row in rows]
    return Claim(
        "the features of the last layer collapse to their class means (NC1)",
        "from low error and at least two balanced linear layers at the end",
        f"variance within over between classes: {_told(rows, lambda m: m['nc1'][-1]) or 'none'}",
        all(right) if right else None,
        f"at most {_COLLAPSED:g} at the end for {share(right)} trainings with squared errors and m ≥ 2, rule: all",
    )


def _variation_outside(rows: Sequence[Row]) -> Claim:
    right = [_final(row)["nc1"][-1] <= _COLLAPSED for row in rows]
    return Claim(
        "NC1 also outside these hypotheses",
        "observed for cross-entropy; no guarantee",
        f"{_told(rows, lambda m: m['nc1'][-1]) or 'none'}; of the logits: {_told(rows, lambda m: m['logit_nc1'])}",
        all(right) if right else None,
        f"the same rule, of networks that end in one linear layer or are trained with cross-entropy: {share(right)}. "
        "Behind balanced layers the features vary as the logits do (docs/certificates.md), and cross-entropy with "
        "weight decay leaves logits that vary with the distance from the boundary",
    )


def _shape(rows: Sequence[Row]) -> Claim:
    right = [min(_final(row)["nc2"], _final(row)["nc3"]) >= _ALIGNED for row in rows]
    return Claim(
        "class means become even (NC2) and the last weight aligns with them (NC3)",
        "from bounded conditioning of the features before the linear layers besides",
        f"NC2: {_told(rows, lambda m: m['nc2']) or 'none'}; NC3: {_told(rows, lambda m: m['nc3'])}",
        all(right) if right else None,
        f"both at least {_ALIGNED:g} at the end for {share(right)} trainings with squared errors and m ≥ 2, rule: all. "
        "The conditioning of the features was not bounded by anything here",
    )


def _growing_evenness(rows: Sequence[Row]) -> Claim:
    medians: dict[int, list[float]] = {}
    for depth in sorted({row["depth"] for row in rows}):
        ends = sorted({row["linear_layers"] for row in rows if row["depth"] == depth})
        medians[depth] = [
            median(_final(row)["nc2"] for row in rows if (row["depth"], row["linear_layers"]) == (depth, linear))
            for linear in ends
        ]
    right = [all(a < b for a, b in pairwise(values)) for values in medians.values() if len(values) > 1]
    return Claim(
        "NC2 is closer with more linear layers at the end",
        "more prominent the deeper the linear head",
        "median NC2 over m, ascending: "
        + ("; ".join(f"L = {depth}: {', '.join(f'{v:.2f}' for v in values)}" for depth, values in medians.items())),
        all(right) if right else None,
        f"strictly rising for {share(right)} depths, rule: all; squared errors",
    )


def _bound(results: Sequence[Row]) -> Claim:
    pairs = [
        (distance, bound)
        for row in results
        for moment in row["moments"]
        for distance, bound in zip(moment["distance_from_rank"], moment["bound"], strict=True)
    ]
    right = [distance <= bound * (1 + _ROUNDING) + _ROUNDING for distance, bound in pairs]
    last = [
        distance / bound
        for row in results
        for distance, bound in zip(row["moments"][-1]["distance_from_rank"], row["moments"][-1]["bound"], strict=True)
        if bound > 0
    ]
    return Claim(
        "every weight is within the bound of rank K",
        "class variation of the features before it over λ",
        f"holds for {share(right)} weights over all moments; left over right side at the end: {spread(last, '.2g')}",
        all(right) if right else None,
        "proved, with the norm of the gradient added (docs/certificates.md)",
    )


def _logits(results: Sequence[Row], covered: Sequence[Row]) -> Claim:
    told = "; ".join(
        f"{name}: {', '.join(str(_final(row)['logit_rank']) for row in group)}"
        for name, group in _groups(results).items()
    )
    right = [_is_simplex(row) for row in covered]
    return Claim(
        "the logits end at rank K − 1, that of their class means",
        "a simplex of K class means",
        f"rank at 0.1: {told or 'none'}",
        all(right) if right else None,
        f"both K − 1 at the end for {share(right)} trainings with squared errors and m ≥ 2, rule: all of these; for "
        f"{share([_is_simplex(row) for row in results])} of all. With cross-entropy a direction less costs less in "
        "every layer, so that weight decay can settle below K − 1",
    )


def _is_simplex(row: Row) -> bool:
    final = _final(row)
    return bool(final["logit_rank"] == final["collapsed_rank"] == row["classes"] - 1)
