"""What trainings of classifiers say of collapse, its bound, and the rank of the logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.followups.neural_collapse.settings import Settings
from isthmus.experiments.jacot2023.rank_recovery.wording import share, spread

_COLLAPSED = 0.05  # NC1 at the end, of the last layer's features
_ALIGNED = 0.9  # NC2 and NC3 at the end
_ROUNDING = 1e-9
_OUTSIDE = (
    "The source's guarantees are for networks that end in at least two balanced linear layers; ours end in one, and "
    "its balance with the layer before is poor, so that a difference does not contradict them"
)
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """NC1, NC2 and NC3, the bound, the logits."""
    at = {depth: [row for row in results if row["depth"] == depth] for depth in settings.depths}
    return [_variation(at, results), _shape(at, results), _bound(results), _logits(at, results)]


def _ends(rows: Sequence[Row], value: Callable[[Row], float], form: str = ".2g") -> str:
    first, last = ([value(row["moments"][index]) for row in rows] for index in (0, -1))
    return f"{spread(first, form)} → {spread(last, form)}"


def _told(at: Mapping[int, Sequence[Row]], value: Callable[[Row], float]) -> str:
    return "; ".join(f"L = {depth}: {_ends(rows, value)}" for depth, rows in at.items() if rows)


def _variation(at: Mapping[int, Sequence[Row]], results: Sequence[Row]) -> Claim:
    right = [row["moments"][-1]["nc1"][-1] <= _COLLAPSED for row in results]
    return Claim(
        "the features of the last layer collapse to their class means (NC1)",
        "at the end of training with weight decay",
        f"variance within over between classes, first → last moment: {_told(at, lambda m: m['nc1'][-1])}",
        all(right) if right else None,
        f"at most {_COLLAPSED:g} at the end for {share(right)} trainings, rule: all. {_OUTSIDE}",
    )


def _shape(at: Mapping[int, Sequence[Row]], results: Sequence[Row]) -> Claim:
    right = [min(row["moments"][-1]["nc2"], row["moments"][-1]["nc3"]) >= _ALIGNED for row in results]
    return Claim(
        "class means become even (NC2) and the last weight aligns with them (NC3)",
        "at the end of training with weight decay",
        f"NC2: {_told(at, lambda m: m['nc2'])}; NC3: {_told(at, lambda m: m['nc3'])}; imbalance of the last two "
        f"layers: {_told(at, lambda m: m['imbalance'])}",
        all(right) if right else None,
        f"both at least {_ALIGNED:g} at the end for {share(right)} trainings, rule: all. {_OUTSIDE}",
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


def _logits(at: Mapping[int, Sequence[Row]], results: Sequence[Row]) -> Claim:
    def told(rows: Sequence[Row]) -> str:
        ends = [(row["moments"][0], row["moments"][-1]) for row in rows]
        return ", ".join(
            f"{a['logit_rank']} ({a['collapsed_rank']}) → {b['logit_rank']} ({b['collapsed_rank']})" for a, b in ends
        )

    right = [
        row["moments"][-1]["logit_rank"] == row["moments"][-1]["collapsed_rank"] == row["classes"] - 1
        for row in results
    ]
    return Claim(
        "the logits end at rank K − 1, that of their class means",
        "a simplex of K class means",
        "rank at 0.1, in brackets of the class means in place of the rows, first → last moment: "
        + "; ".join(f"L = {depth}: {told(rows)}" for depth, rows in at.items() if rows),
        all(right) if right else None,
        f"both K − 1 at the end for {share(right)} trainings, rule: all. A direction less costs less in every "
        "layer, so that weight decay can settle below K − 1, with classes that are not parted by equal angles",
    )
