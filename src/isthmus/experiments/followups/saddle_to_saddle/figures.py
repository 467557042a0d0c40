"""Gaps over the layers beside ℓ^{1/4}, and loss and rank along the trainings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, GROUPS, blank, label
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    rows = measurements(record)
    if not rows:
        return []
    found = []
    for depth in sorted({row["depth"] for row in rows}):
        chosen = [row for row in rows if row["depth"] == depth]
        found += [
            Drawing(
                f"escape-{depth}",
                _CHAPTER,
                f"Escape direction, L = {depth}",
                "s₁/s₂ of every weight, a line for each seed; dashed the least that is proved.",
                "s₁ / s₂",
                _escape(chosen),
            ),
            _along(chosen, depth, "loss", "Loss along the training", "mean squared error"),
            _along(chosen, depth, "rank", "Bottleneck rank along the training", "bottleneck rank at 0.1"),
        ]
    return found


def _escape(rows: list[dict[str, Any]]) -> go.Figure:
    figure = blank("layer ℓ")
    layers = list(range(1, rows[0]["depth"] + 1))
    for row in rows:
        figure.add_scatter(
            x=layers,
            y=row["escape"],
            mode="lines+markers",
            name=label(f"seed {row['seed']}"),
            line={"color": ACCENT, "width": 1.5},
            showlegend=False,
            hovertemplate="layer %{x}: %{y:.3g}<extra></extra>",
        )
    figure.add_scatter(
        x=layers,
        y=[layer**0.25 for layer in layers],
        mode="lines",
        name=label("ℓ^{1/4}"),
        line={"color": CONTRAST, "dash": "dash"},
    )
    figure.update_yaxes(type="log")
    return figure


def _along(rows: list[dict[str, Any]], depth: int, name: str, title: str, quantity: str) -> Drawing:
    figure = blank("step")
    for index, row in enumerate(rows):
        figure.add_scatter(
            x=[moment["step"] for moment in row["moments"]],
            y=[moment[name] for moment in row["moments"]],
            mode="lines",
            name=label(f"seed {row['seed']}"),
            line={"color": GROUPS[index % len(GROUPS)], "width": 2, "shape": "hv" if name == "rank" else "linear"},
            hovertemplate="step %{x}: %{y:.3g}<extra></extra>",
        )
    caption = "From small weights; steps of equal length on plateaus."
    return Drawing(f"{name}-{depth}", _CHAPTER, f"{title}, L = {depth}", caption, quantity, figure)
