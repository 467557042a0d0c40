"""Statements about the rank that is recovered, over λ, N and depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isthmus.experiments.experiment import Numbers
from isthmus.experiments.jacot2023.recovery_diagram.claims import LOWEST, share_right
from isthmus.experiments.jacot2023.tracing.trace import Place, Row, share

_MOST = 0.5  # of the networks, as in the claims of the diagram


def more_data(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """By λ, over depth: the share of ranks below k at the smallest N beside that at the largest."""
    found = []
    few, many = min(settings["sizes"]), max(settings["sizes"])
    for ridge in settings["ridges"]:
        for depth in settings["depths"]:
            both = [_cell(rows, depth, n, ridge) for n in (few, many)]
            if all(both):
                a, b = (share(here, lambda row: _rank(row) < settings["rank"]) for here in both)
                if a > 0.0 or b > 0.0:  # else there is nothing to hinder
                    value, count = f"{a:.0%} → {b:.0%}", min(map(len, both))
                    found.append(Place(f"λ = {ridge:g}", f"L = {depth}", value, b < a, count))
    return found


def recovered(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """By λ and N, over depth: the share of lowest objectives of rank k."""
    return _over_depth(settings, rows, lambda here: share_right(here, LOWEST, settings["rank"]), lambda depth: True)


def wrong_at_the_ends(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """By λ and N: the share above k at the smallest depth, below k at the largest."""
    first, last, rank = min(settings["depths"]), max(settings["depths"]), settings["rank"]

    def above(here: Sequence[Row]) -> float:
        return share(here, lambda row: bool(row[LOWEST]["jacobian_rank"] > rank))

    def below(here: Sequence[Row]) -> float:
        return share(here, lambda row: _rank(row) < rank)

    return [
        *_over_depth(settings, rows, above, lambda depth: depth == first),
        *_over_depth(settings, rows, below, lambda depth: depth == last),
    ]


def _over_depth(
    settings: Numbers,
    rows: Sequence[Row],
    value_of: Callable[[Sequence[Row]], float],
    is_asked: Callable[[int], bool],
) -> list[Place]:
    found = []
    for ridge in settings["ridges"]:
        for n in settings["sizes"]:
            for depth in filter(is_asked, settings["depths"]):
                if here := _cell(rows, depth, n, ridge):
                    value = value_of(here)
                    group = f"λ = {ridge:g}, N = {n}"
                    found.append(Place(group, f"L = {depth}", f"{value:.0%}", value > _MOST, len(here)))
    return found


def _cell(rows: Sequence[Row], depth: int, n: int, ridge: float) -> list[Row]:
    return [row for row in rows if (row["depth"], row["n"], row["ridge"]) == (depth, n, ridge)]


def _rank(row: Row) -> int:
    return int(row[LOWEST]["bottleneck_rank"])
