"""Heat maps: depth to the right, weight decay upwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from isthmus.experiments.jacot2023.curve_autoencoder.settings import LOWEST, RANDOM
from isthmus.experiments.jacot2023.curve_diagram.claims import share_left
from isthmus.experiments.jacot2023.diagram import phase_diagram
from isthmus.experiments.record import measurements
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Share of the distance that is left, and mean rank, of both kinds."""
    rows = measurements(record)
    if not rows:
        return []
    x = ("depth", "depth L", record["settings"]["depths"])
    y = ("weight_decay", record["settings"]["weight_decays"])
    found = []
    for kind in (RANDOM, LOWEST):
        name = kind.replace(" ", "-")

        def left(cell: Sequence[Mapping[str, Any]], kind: str = kind) -> float:
            return median([share_left(row, kind) for row in cell])

        def rank(cell: Sequence[Mapping[str, Any]], kind: str = kind) -> float:
            return fmean(row[kind]["rank"] for row in cell)

        caption = "Median over the seeds of the mean distance after the network over that before. 0: denoised."
        found += [
            Drawing(
                f"left-{name}",
                _CHAPTER,
                f"Distance left, {kind}",
                caption,
                "λ",
                phase_diagram(rows, x, y, left, (0, 1)),
            ),
            Drawing(
                f"rank-{name}",
                _CHAPTER,
                f"Rank, {kind}",
                "Mean bottleneck rank at 0.1 over the seeds.",
                "λ",
                phase_diagram(rows, x, y, rank, (0, 2)),
            ),
        ]
    return found
