"""Where the statements of the figure on denoising hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.curve_autoencoder.settings import LOWEST, RANDOM
from isthmus.experiments.jacot2023.curve_diagram.settings import Settings

CLEAN, _DIRTY = 0.1, 0.5  # of the distance before: below the first a network denoises, above the second it does not
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """Deep ones denoise, shallow ones do not, for the random start and for the lowest objective; and by the rank."""
    return [
        *(_deep(settings, results, kind) for kind in (RANDOM, LOWEST)),
        *(_shallow(settings, results, kind) for kind in (RANDOM, LOWEST)),
        _by_rank(results),
    ]


def share_left(row: Row, kind: str) -> float:
    """Mean distance of random points to the curve after the network, over that before."""
    return float(row[kind]["after"] / row["before"])


def _at(settings: Settings, rows: Sequence[Row], kind: str) -> dict[float, float]:
    return {
        decay: median(found)
        for decay in settings.weight_decays
        if (found := [share_left(row, kind) for row in rows if row["weight_decay"] == decay])
    }


def _listed(by_decay: Mapping[float, float]) -> str:
    return ", ".join(f"λ = {decay:g}: {value:.2f}" for decay, value in by_decay.items()) or "not measured"


def _deep(settings: Settings, results: Sequence[Row], kind: str) -> Claim:
    found = _at(settings, [row for row in results if row["depth"] >= settings.deep], kind)
    return Claim(
        f"deep autoencoders denoise ({kind})",
        "random points are mapped onto the curve, λ = 1e-4",
        f"median share of the distance that is left at L ≥ {settings.deep}: {_listed(found)}",
        all(value < CLEAN for value in found.values()) if found else None,
        f"below {CLEAN:.0%} at every λ; at a large λ a constant costs least, which need not lie on the curve",
    )


def _shallow(settings: Settings, results: Sequence[Row], kind: str) -> Claim:
    found = _at(settings, [row for row in results if row["depth"] <= settings.shallow], kind)
    return Claim(
        f"shallow autoencoders do not ({kind})",
        "random points stay about where they are",
        f"median share of the distance that is left at L ≤ {settings.shallow}: {_listed(found)}",
        all(value > _DIRTY for value in found.values()) if found else None,
        f"above {_DIRTY:.0%} at every λ",
    )


def _by_rank(results: Sequence[Row]) -> Claim:
    rows = [(row[kind]["rank"], share_left(row, kind)) for row in results for kind in (RANDOM, LOWEST)]
    medians = {rank: median([left for at, left in rows if at == rank]) for rank in sorted({at for at, _ in rows})}
    return Claim(
        "it is the rank that decides: networks of rank 1 denoise",
        "f is locally a projection to a line",
        "median share left by rank: " + (", ".join(f"{k}: {v:.2f}" for k, v in medians.items()) or "not measured"),
        medians[1] < CLEAN and medians[2] > CLEAN if 1 in medians and 2 in medians else None,
        f"the median is below {CLEAN:.0%} for rank 1 and above it for rank 2, over all depths and λ",
    )
