"""Pairs and norms over the layers, and the degrees that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.followups.convolutional_bottleneck.claims import networks
from isthmus.experiments.record import measurements
from isthmus.reports.canvas import GROUPS, blank, label
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    rows = networks(measurements(record))
    if not rows:
        return []
    rows = [row for row in rows if row["seed"] == rows[0]["seed"]]
    found = [
        Drawing(name, _CHAPTER, title, caption, quantity, _over_layers(rows, name))
        for name, title, caption, quantity in (
            ("ranks", "Pairs that pass", "Channel directions × frequencies of the signal at 0.1.", "Σ r(ω)"),
            ("norms", "Cost of the layers", "In the middle about the number of pairs.", "‖C_ℓ‖²"),
        )
    ]
    caption = "Waves at the narrowest layer by their degree |u| + |v|; ω and −ω are one wave."
    found.append(Drawing("degrees", _CHAPTER, "Frequencies that are kept", caption, "pairs", _degrees(rows)))
    return found


def _named(row: Row) -> str:
    return label(f"L = {row['depth']}, λ = {row['weight_decay']:g}")


def _over_layers(rows: Sequence[Row], name: str) -> go.Figure:
    figure = blank("layer ℓ / L")
    for index, row in enumerate(rows):
        figure.add_scatter(
            x=[layer / row["depth"] for layer in range(1, row["depth"] + 1)],
            y=row[name],
            mode="lines+markers",
            name=_named(row),
            line={"color": GROUPS[index % len(GROUPS)], "width": 2},
            marker={"size": 4},
            hovertemplate="%{x:.2f}: %{y:.4g}<extra></extra>",
        )
    figure.update_yaxes(type="log")
    return figure


def _degrees(rows: Sequence[Row]) -> go.Figure:
    figure = blank("degree")
    for index, row in enumerate(rows):
        figure.add_bar(
            x=list(range(len(row["by_degree"]))),
            y=row["by_degree"],
            name=_named(row),
            marker={"color": GROUPS[index % len(GROUPS)]},
            hovertemplate="degree %{x}: %{y}<extra></extra>",
        )
    return figure
