"""Where rank k is recovered, over- and underestimated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.recovery_diagram.settings import Settings

RANDOM, LOWEST = "random start", "lowest found"
_MOST = 0.5  # of the networks
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """A range that recovers, too shallow, too deep, and more data."""
    return [
        *(_range(settings, results, kind) for kind in (RANDOM, LOWEST)),
        _shallow(settings, results),
        _deep(settings, results),
        _data(settings, results),
    ]


def share_right(rows: Sequence[Row], kind: str, rank: int) -> float:
    """The share of networks whose bottleneck rank at 0.1 is k."""
    return _share(rows, lambda row: bool(row[kind]["bottleneck_rank"] == rank))


def _share(rows: Sequence[Row], what: Callable[[Row], bool]) -> float:
    return sum(what(row) for row in rows) / len(rows)


def _over(settings: Settings, results: Sequence[Row], value: Callable[[Sequence[Row]], float]) -> dict[int, float]:
    """A value at each depth that has rows."""
    return {
        depth: value(rows) for depth in settings.depths if (rows := [row for row in results if row["depth"] == depth])
    }


def _listed(by_depth: Mapping[int, float]) -> str:
    return ", ".join(f"L = {depth}: {value:.0%}" for depth, value in by_depth.items()) or "not measured"


def _range(settings: Settings, results: Sequence[Row], kind: str) -> Claim:
    told, inside = [], []
    for ridge in settings.ridges:
        rows = [row for row in results if row["ridge"] == ridge]
        shares = _over(settings, rows, lambda found: share_right(found, kind, settings.rank))
        told.append(f"λ = {ridge:g}: {_listed(shares)}")
        inside.append(any(value > _MOST for value in shares.values()) if shares else None)
    known = [each for each in inside if each is not None]
    return Claim(
        f"there are depths that recover the rank ({kind})",
        "an intermediate range of depths",
        f"share of networks of rank {settings.rank}, all N: " + "; ".join(told),
        all(known) if known else None,
        "at every λ there is a depth at which more than half of the networks have rank k",
    )


def _shallow(settings: Settings, results: Sequence[Row]) -> Claim:
    shares = _over(
        settings, results, lambda rows: _share(rows, lambda row: bool(row[LOWEST]["jacobian_rank"] > settings.rank))
    )
    first = shares.get(min(settings.depths))
    return Claim(
        "too shallow networks overestimate the rank",
        "as a linear model does",
        f"share of Jacobian ranks above k, lowest objective, all N and λ: {_listed(shares)}",
        None if first is None else first > _MOST,
        "more than half at the smallest depth",
    )


def _deep(settings: Settings, results: Sequence[Row]) -> Claim:
    shares = _over(
        settings, results, lambda rows: _share(rows, lambda row: bool(row[LOWEST]["bottleneck_rank"] < settings.rank))
    )
    last = shares.get(max(settings.depths))
    return Claim(
        "too deep networks underestimate the rank",
        "1 + C_N/L is below k + C/L at large L",
        f"share of bottleneck ranks below k, lowest objective, all N and λ: {_listed(shares)}",
        None if last is None else last > _MOST,
        "more than half at the largest depth",
    )


def _data(settings: Settings, results: Sequence[Row]) -> Claim:
    deepest = [row for row in results if row["depth"] == max(settings.depths)]
    shares = {
        n: _share(rows, lambda row: bool(row[LOWEST]["bottleneck_rank"] < settings.rank))
        for n in settings.sizes
        if (rows := [row for row in deepest if row["n"] == n])
    }
    is_decided = len(shares) > 1
    return Claim(
        "more data hinder that the rank is underestimated",
        "C_N grows with N",
        f"share of bottleneck ranks below k at L = {max(settings.depths)}, lowest objective, all λ: "
        + (", ".join(f"N = {n}: {value:.0%}" for n, value in shares.items()) or "not measured"),
        shares[max(shares)] < shares[min(shares)] if is_decided else None,
        "smaller at the largest N than at the smallest",
    )
