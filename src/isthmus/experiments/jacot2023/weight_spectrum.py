"""The spectrum of the weights throughout a network, and how the picture sharpens with depth (slides, Figure 1a)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from isthmus.experiments.experiment import (
    Cell,
    Claim,
    Experiment,
    Numbers,
)
from isthmus.experiments.jacot2023.layer_account import (
    account,
    counts,
    middle,
    ratios,
)
from isthmus.experiments.jacot2023.teacher_networks import Task, lowest, trained

_LINEAR = 0.01  # a layer whose nonlinearity has less impact is linear on the data

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        rank: k of the teacher.
        depths: L, ascending, at least 3.
        grown_from: Deeper networks are also grown from this depth; the lower objective is kept.
        seeds: Draw teacher, data and start.
        rows: N.
        side: Inputs and outputs.
        width: Of hidden layers.
        ridge: λ.
        steps: Of the descent.
        rounds: Of L-BFGS after it, at most.
    """

    rank: int
    depths: tuple[int, ...]
    grown_from: int
    seeds: tuple[int, ...]
    rows: int
    side: int
    width: int
    ridge: float = 0.05
    steps: int = 500
    rounds: int = 4


def cells(settings: Settings) -> list[Cell]:
    """A network for each depth and seed."""
    return [
        {"depth": depth, "seed": seed} for depth in sorted(settings.depths, reverse=True) for seed in settings.seeds
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Spectra and impacts of the trained network of lower objective, and what the middle of it is like."""
    k, depth = settings.rank, int(cell["depth"])
    task = Task(
        k,
        settings.rows,
        settings.side,
        settings.width,
        settings.ridge,
        int(cell["seed"]),
        settings.steps,
        settings.rounds,
    )
    candidates = trained(task, depth, device, grown_from=settings.grown_from)
    chosen = lowest(candidates)
    found = account(chosen.network, task.objective(device).sample()[0])
    weights, impact = found["weights"], found["impact"]
    return {
        "objectives": {candidate.start: candidate.objective for candidate in candidates},
        "start": chosen.start,
        **{name: found[name] for name in ("jacobian_rank", "bottleneck_rank", "norm_per_depth", "weights", "impact")},
        "large": counts(weights),
        "after_k": median(ratios(weights, k + 1, k)),
        "after_k_plus_1": median(ratios(weights, k + 2, k + 1)),
        "distance": distance(weights, k),
        "linear_share": sum(value < _LINEAR for value in impact) / len(impact),
    }


def distance(weights: Sequence[Sequence[float]], k: int) -> float:
    """Mean |σ_i − 1| over the first k singular values of the middle layers."""
    sizes = [abs(value - 1) for layer in middle(len(weights)) for value in weights[layer - 1][:k]]
    return sum(sizes) / len(sizes)


def claims(settings: Settings, results: Sequence[Row]) -> list[Claim]:
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
        f"share of layers with an impact of the nonlinearity below {_LINEAR:.0%}, medians: {_listed(shares)}",
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


EXPERIMENT = Experiment(
    name="weight-spectrum",
    title="Spectrum of the weights throughout the network",
    claim="In the middle of a deep network W_ℓ has as many large singular values as the function has rank; the deeper "
    "the network, the clearer the picture.",
    source="slides, Introduction, Figure 1a",
    published="A figure: the spectrum of the weights W_ℓ throughout the network.",
    smoke=Settings(rank=1, depths=(3, 6, 8), grown_from=6, seeds=(0,), rows=60, side=6, width=16, steps=60, rounds=1),
    full=Settings(rank=4, depths=(5, 9, 13, 20, 30), grown_from=13, seeds=(0, 1, 2), rows=500, side=50, width=100),
    cells=cells,
    work=work,
    claims=claims,
)
