"""What the spectrum of the weights shows, and what sharpens with depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.weight_spectrum.settings import LINEAR, Settings

Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """What the picture shows, and what sharpens."""
    by_depth = {
        depth: rows for depth in sorted(settings.depths) if (rows := [row for row in results if row["depth"] == depth])
    }
    return [
        _few_large(settings.rank, by_depth),
        _gap(settings.rank, by_depth),
        _others(by_depth),
        _near_one(by_depth),
        _linear_layers(by_depth),
    ]


def _few_large(k: int, by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    rows = [row for found in by_depth.values() for row in found]
    right = [all(count in (k, k + 1) for count in row["large"]) for row in rows]
    ranks = {depth: [row["bottleneck_rank"] for row in found] for depth, found in by_depth.items()}
    return Claim(
        "in the middle of the network few singular values of W_ℓ are large, as many as the rank",
        "a figure",
        f"{k} or {k + 1} above 0.1 of the first in all middle layers of {sum(right)} of {len(rows)} networks; "
        f"bottleneck ranks {'; '.join(f'L = {depth}: {found}' for depth, found in ranks.items())}",
        sum(right) > len(right) / 2 if rows else None,
        "more than half of the networks. k + 1 counts as right: where activations are nonnegative, data that spread in "
        "k directions lie off the origin, and the way to them is one more direction to hand on",
    )


def _gap(k: int, by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    ratio = _medians(by_depth, "after_k_plus_1")
    return Claim(
        "the gap behind the large singular values opens with depth",
        "the deeper the network, the stronger its preference for low rank",
        f"σ_{{k+2}}/σ_{{k+1}}, medians of the middle third: {_listed(ratio)}",
        _ends_lower(ratio),
        f"the ratio behind the k + 1 = {k + 1} directions that a layer hands on is smaller at the largest depth than "
        "at the smallest (between, it is down to rounding)",
    )


def _others(by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    ratio = _medians(by_depth, "after_k")
    return Claim(
        "of the middle layers all singular values but the first k vanish",
        "follow-up, arXiv 2305.19008: k singular values near 1, the others O(L^{-1/2})",
        f"σ_{{k+1}}/σ_k, medians of the middle third: {_listed(ratio)}",
        _ends_lower(ratio),
        "smaller at the largest depth than at the smallest. Where it is not, the networks hand on one direction more "
        "than k: it keeps the data off the origin, where σ lets them pass. k directions would do after one shift by "
        "a bias, and cost less at large enough depth; training does not move there by itself",
    )


def _near_one(by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    distances = _medians(by_depth, "distance")
    return Claim(
        "the large singular values of the middle layers are near 1",
        "follow-up, arXiv 2305.19008: k singular values near 1",
        f"mean |σ_i − 1|, i ≤ k, medians: {_listed(distances)}",
        _falls(distances),
        "it is smaller at each depth than at the depth before: near 1 is a limit, for the layers share the gain of f, "
        "each its L-th root",
    )


def _linear_layers(by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    shares = _medians(by_depth, "linear_share")
    return Claim(
        "the share of layers that are identities on the data grows with depth",
        "L − L_g − L_h identity layers between two parts of fixed depth (Theorem 1)",
        f"share of layers with an impact of the nonlinearity below {LINEAR:.0%}, medians: {_listed(shares)}",
        _falls({depth: -share for depth, share in shares.items()}),
        "it is larger at each depth than at the depth before",
    )


def _medians(by_depth: Mapping[int, Sequence[Row]], name: str) -> dict[int, float]:
    return {depth: median(row[name] for row in rows) for depth, rows in by_depth.items()}


def _listed(values: Mapping[int, float]) -> str:
    return ", ".join(f"L = {depth}: {value:.2g}" for depth, value in values.items())


def _falls(values: Mapping[int, float]) -> bool | None:
    """Whether the values fall from each depth to the next; None where there are not two."""
    return all(after < before for before, after in pairwise(values.values())) if len(values) > 1 else None


def _ends_lower(values: Mapping[int, float]) -> bool | None:
    """Whether the value at the largest depth is below that at the smallest; None where there are not two."""
    return values[max(values)] < values[min(values)] if len(values) > 1 else None
