"""Where the statements of the figure hold, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.phase_diagram.settings import ADAM, GRADIENT_DESCENT, TRAININGS, Settings

Row = Mapping[str, Any]


def networks(settings: Settings, results: Sequence[Row]) -> list[dict[str, Any]]:
    """One entry a network that classifies its rows: seed, training, depth, ridge, tripoints, rank, objective."""
    return [
        {
            **{name: row[name] for name in ("seed", "training", "depth")},
            "ridge": ridge,
            "tripoints": tripoints,
            "rank": rank,
            "objective": objective,
        }
        for row in results
        for ridge, tripoints, rank, objective, error in zip(
            row["ridges"], row["tripoints"], row["rank"], row["objective"], row["error"], strict=True
        )
        if error <= settings.separated
    ]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """The figure's statements in each of the boxes, then its remark on ℓ2, then the lowest objective."""
    found = networks(settings, results)
    return [
        *(_shallow(settings, found, index) for index in range(len(settings.boxes))),
        *(_deep(settings, found, index) for index in range(len(settings.boxes))),
        _ridge(settings, found),
        _ranks(settings, found),
    ]


def share_without(rows: Sequence[Row], box: int) -> float:
    """The share of networks without a tripoint in box number `box`."""
    return sum(1 for row in rows if row["tripoints"][box] == 0) / len(rows)


def _shallow(settings: Settings, found: Sequence[Row], box: int) -> Claim:
    shares = _by_training(found, lambda row: row["depth"] <= settings.shallow, box)
    return Claim(
        f"shallow networks have tripoints, in {_named(settings, box)}",
        "A and B",
        f"share with tripoints at L ≤ {settings.shallow}, by training and λ: "
        + _listed({name: {ridge: 1 - value for ridge, value in by.items()} for name, by in shares.items()}),
        _all(shares, lambda value: value < 0.5),
        "more than half of the networks that classify their rows, at every λ and in every training",
    )


def _deep(settings: Settings, found: Sequence[Row], box: int) -> Claim:
    shares = _by_training(found, lambda row: row["depth"] >= settings.deep, box)
    return Claim(
        f"deep networks have no tripoints, in {_named(settings, box)}",
        "C and D",
        f"share without tripoints at L ≥ {settings.deep}, by training and λ: {_listed(shares)}",
        _all(shares, lambda value: value > 0.5),
        "more than half of the networks that classify their rows, at every λ and in every training",
    )


def _ridge(settings: Settings, found: Sequence[Row]) -> Claim:
    deep = _by_training(found, lambda row: row["depth"] >= settings.deep, 1)
    gaps = {
        name: max(abs(value - by[0.0]) for value in by.values())
        for name, by in deep.items()
        if name in (GRADIENT_DESCENT, ADAM) and 0.0 in by and len(by) > 1
    }
    return Claim(
        "explicit ℓ2 changes little in deep networks",
        "(A, C) without and (B, D) with ℓ2 look alike",
        "largest change of the share without tripoints from λ = 0 to any λ, "
        f"{_named(settings, 1)}: " + (", ".join(f"{name} {gap:.0%}" for name, gap in gaps.items()) or "none"),
        all(gap < 0.25 for gap in gaps.values()) if gaps else None,
        f"less than a quarter, at L ≥ {settings.deep}",
    )


def _ranks(settings: Settings, found: Sequence[Row]) -> Claim:
    one = [row for row in found if row["rank"] <= 1]
    broken = sum(row["tripoints"][-1] > 0 for row in one)
    shares = {
        training: {
            depth: sum(row["rank"] <= 1 for row in rows) / len(rows)
            for depth in settings.depths
            if (rows := [r for r in found if r["training"] == training and r["depth"] == depth])
        }
        for training in TRAININGS
    }
    return Claim(
        "networks of rank 1 have no tripoints",
        "a classifier of bottleneck rank 1 has none",
        f"{broken} of {len(one)} networks of bottleneck rank 1 at the tolerance have tripoints in the largest box; "
        "share of rank 1 by training and depth: "
        + "; ".join(
            f"{name} " + ", ".join(f"L = {depth}: {value:.0%}" for depth, value in by.items())
            for name, by in shares.items()
            if by
        ),
        broken <= 0.1 * len(one) if one else None,
        "at most a tenth: the rank is one at the tolerance 0.1 on the rows, and the statement is of f on the whole box",
    )


def _by_training(found: Sequence[Row], belongs: Callable[[Row], bool], box: int) -> dict[str, dict[float, float]]:
    shares: dict[str, dict[float, float]] = {}
    for training in TRAININGS:
        rows = [row for row in found if row["training"] == training and belongs(row)]
        for ridge in sorted({row["ridge"] for row in rows}):
            at = [row for row in rows if row["ridge"] == ridge]
            shares.setdefault(training, {})[ridge] = share_without(at, box)
    return shares


def _all(shares: Mapping[str, Mapping[float, float]], holds: Callable[[float], bool]) -> bool | None:
    every = [holds(value) for by in shares.values() for value in by.values()]
    return all(every) if every else None


def _listed(shares: Mapping[str, Mapping[float, float]]) -> str:
    said = (
        f"{name} " + ", ".join(f"{ridge:g}: {value:.0%}" for ridge, value in by.items()) for name, by in shares.items()
    )
    return "; ".join(said)


def _named(settings: Settings, box: int) -> str:
    size = settings.boxes[box]
    return "the bounding box of the data" if size == 1 else f"{size:g} times the box of the data"
