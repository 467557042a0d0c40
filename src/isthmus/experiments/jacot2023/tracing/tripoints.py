"""Statements about tripoints, over training, λ, box and depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from statistics import fmean
from typing import Any

from isthmus.experiments.experiment import Numbers
from isthmus.experiments.jacot2023.phase_diagram import EXPERIMENT
from isthmus.experiments.jacot2023.phase_diagram.claims import networks, share_without
from isthmus.experiments.jacot2023.phase_diagram.settings import ADAM, GRADIENT_DESCENT, LOWEST
from isthmus.experiments.jacot2023.tracing.trace import Place, Row

_MOST, _LITTLE = 0.5, 0.25  # of the networks; as in the claims of the diagram


def tripoint_places(
    trainings: Sequence[str], belongs: Callable[[float], bool], *, are_wanted: bool
) -> Callable[[Numbers, Sequence[Row]], list[Place]]:
    """By training, λ and box, over depth: the share of networks with tripoints, or without, at λ that belong."""

    def places(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
        found = []
        for training, ridge in product(trainings, filter(belongs, settings["ridges"])):
            for box, size in enumerate(settings["boxes"]):
                for depth, here in _by_depth(settings, rows, training, ridge):
                    value = share_without(here, box)
                    value = 1.0 - value if are_wanted else value
                    group = f"{training}, λ = {ridge:g}, {size:g} × the box"
                    found.append(Place(group, f"L = {depth}", f"{value:.0%}", value > _MOST, len(here)))
        return found

    return places


def ridge_changes(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """Gradient descent and Adam by box, over depth: the largest change of the share without, from λ = 0 to any λ."""
    found = []
    for training in (GRADIENT_DESCENT, ADAM):
        for box, size in enumerate(settings["boxes"]):
            for depth, plain in _by_depth(settings, rows, training, 0.0):
                others = [
                    share_without(here, box)
                    for ridge in settings["ridges"][1:]
                    for at, here in _by_depth(settings, rows, training, ridge)
                    if at == depth
                ]
                if others:
                    gap = max(abs(value - share_without(plain, box)) for value in others)
                    group = f"{training}, {size:g} × the box"
                    found.append(Place(group, f"L = {depth}", f"{gap:.0%}", gap < _LITTLE, len(plain)))
    return found


def implicit_ranks(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """Gradient descent and Adam without ℓ2, over depth: their mean rank beside that of the lowest objectives."""
    found = []
    least = min(ridge for ridge in settings["ridges"] if ridge > 0)
    for training in (GRADIENT_DESCENT, ADAM):
        for depth, here in _by_depth(settings, rows, training, 0.0):
            lowest = dict(_by_depth(settings, rows, LOWEST, least)).get(depth)
            if lowest:
                mine, theirs = (fmean(row["rank"] for row in each) for each in (here, lowest))
                value = f"{mine:.2g} beside {theirs:.2g}"
                found.append(Place(training, f"L = {depth}", value, mine <= theirs, len(here)))
    return found


def fewer_with_depth(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """The lowest objectives by λ and box, over depth: the share without, beside that of the depth before."""
    found = []
    for ridge in settings["ridges"][1:]:
        for box, size in enumerate(settings["boxes"]):
            before: float | None = None
            for depth, here in _by_depth(settings, rows, LOWEST, ridge):
                value = share_without(here, box)
                if before is not None:
                    group = f"λ = {ridge:g}, {size:g} × the box"
                    said = f"{before:.0%} → {value:.0%}"
                    found.append(Place(group, f"L = {depth}", said, value >= before, len(here)))
                before = value
    return found


def _by_depth(
    settings: Numbers, rows: Sequence[Row], training: str, ridge: float
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """(L, the networks that classify their rows) of a training at one λ, for each depth that has some."""
    known = [
        row
        for row in networks(EXPERIMENT.restored(settings), rows)
        if (row["training"], row["ridge"]) == (training, ridge)
    ]
    for depth in settings["depths"]:
        if here := [row for row in known if row["depth"] == depth]:
            yield depth, here
