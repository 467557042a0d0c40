"""Heat maps of the phase diagram: depth to the right, λ upwards, one for each training and quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.jacot2023.diagram import phase_diagram
from isthmus.experiments.jacot2023.phase_diagram.claims import networks, share_without
from isthmus.experiments.jacot2023.phase_diagram.settings import TRAININGS, Settings
from isthmus.experiments.record import measurements
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Share without tripoints in every box and mean rank, for each training that has numbers."""
    written: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record["settings"].items()
    }
    settings = Settings(**written)
    found = networks(settings, measurements(record))
    drawn = []
    for training in TRAININGS:
        rows = [row for row in found if row["training"] == training]
        if not rows:
            continue
        name = training.replace(" ", "-").lower()
        for index, size in enumerate(settings.boxes):
            drawn.append(
                _drawing(
                    f"tripoints-{name}-{index}",
                    f"No tripoints in {size:g} × the box, {training}",
                    settings,
                    rows,
                    index,
                )
            )
        drawn.append(_drawing(f"rank-{name}", f"Rank, {training}", settings, rows, None))
    return drawn


def _drawing(name: str, title: str, settings: Settings, rows: Sequence[Row], box: int | None) -> Drawing:
    what = "Mean bottleneck rank at 0.1" if box is None else "Share of networks without a tripoint"
    expected = "" if box is None else " The slides' figure would be 0 to the left and 1 to the right, at every λ."
    caption = (
        f"{what}, over the seeds whose network misclassifies at most {settings.separated:.0%} of its rows; empty where "
        f"none does.{expected}"
    )
    return Drawing(name, _CHAPTER, title, caption, "λ", heat_map(settings, rows, box))


def heat_map(settings: Settings, rows: Sequence[Row], box: int | None) -> go.Figure:
    """The share in a box, or the mean rank where that is None."""
    return phase_diagram(
        rows,
        ("depth", "depth L", settings.depths),
        ("ridge", settings.ridges),
        lambda cell: _value(cell, box),
        (1, 2) if box is None else (0, 1),
    )


def _value(rows: Sequence[Row], box: int | None) -> float:
    return fmean(row["rank"] for row in rows) if box is None else share_without(rows, box)
