"""What escape directions and trainings from small weights say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.followups.saddle_to_saddle.settings import Settings
from isthmus.experiments.jacot2023.rank_recovery.wording import share, spread

_ESCAPED = 0.95  # of the loss at zero: below it the training has left the first plateau
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """The law of the escape direction, the rank it has, and the rank along the training."""
    return [_law(settings, results), _first(settings, results), _rises(results)]


def _law(settings: Settings, results: Sequence[Row]) -> Claim:
    right = [all(gap >= layer**0.25 for layer, gap in enumerate(row["escape"], start=1)) for row in results]
    by_depth = {depth: [row["escape"] for row in results if row["depth"] == depth] for depth in settings.depths}
    return Claim(
        "in the optimal escape direction s₁(W_ℓ) ≥ ℓ^{1/4} s₂(W_ℓ)",
        "proved for the optimal direction",
        "; ".join(
            f"L = {depth}, s₁/s₂ by layer: " + ", ".join(spread(list(at), ".2g") for at in zip(*rows, strict=True))
            for depth, rows in by_depth.items()
            if rows
        ),
        all(right) if right else None,
        f"every layer of the best of several ascents on the sphere; {share(right)} hold",
    )


def _first(settings: Settings, results: Sequence[Row]) -> Claim:
    ranks = []
    for row in results:
        zero = row["moments"][0]["loss"]
        escaped = [moment["rank"] for moment in row["moments"] if moment["loss"] < _ESCAPED * zero]
        ranks += escaped[:1]
    return Claim(
        "the first escape from zero is of rank 1",
        "low rank in the deeper layers",
        f"bottleneck rank at the first moment whose loss is below {_ESCAPED:.0%} of that at zero: {ranks}",
        all(rank == 1 for rank in ranks) if ranks else None,
        "rank 1 for every training that leaves the plateau",
    )


def _rises(results: Sequence[Row]) -> Claim:
    left = [[m["rank"] for m in row["moments"] if m["loss"] < _ESCAPED * row["moments"][0]["loss"]] for row in results]
    seen = [ranks for ranks in left if ranks]
    right = [all(after >= before for before, after in pairwise(ranks)) for ranks in seen]
    paths = [[ranks[0], *(after for before, after in pairwise(ranks) if after != before)] for ranks in seen]
    return Claim(
        "the bottleneck rank rises from saddle to saddle",
        "suggested, not proved",
        f"ranks in order, after the first escape: {paths}",
        all(right) if right else None,
        f"it never falls between two of the moments kept; {share(right)} trainings",
    )
