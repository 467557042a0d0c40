"""Linear networks: which magnitudes survive at each depth, and how close training comes to the closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, blank
from isthmus.reports.figure import INSIDE, Drawing

_KINDS = {"fully connected": ("singular values of A", ACCENT), "diagonal": ("entries of v", CONTRAST)}


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """One figure a kind."""
    return [
        Drawing(
            f"magnitudes-{kind.partition(' ')[0]}",
            INSIDE,
            f"What a {kind} linear network keeps",
            "Lines: the closed form, the minimum over all linear maps. Marks: trained networks, one for each seed. The "
            "deeper the network, the more of the small ones are given up, and the less the others are shrunk.",
            f"{quantity}",
            _magnitudes(record, kind, color),
        )
        for kind, (quantity, color) in _KINDS.items()
    ]


def _magnitudes(record: Mapping[str, Any], kind: str, color: str) -> go.Figure:
    rows = sorted((row for row in measurements(record) if row["kind"] == kind), key=lambda row: row["depth"])
    figure = blank("depth L")
    first = {row["depth"]: row for row in rows}
    for index in range(len(record["settings"]["spectrum"])):
        figure.add_scatter(
            x=list(first),
            y=[row["closed_form"][index] for row in first.values()],
            mode="lines",
            line={"color": MUTED, "width": 1.5},
            name="closed form",
            showlegend=index == 0,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=[row["depth"] for row in rows],
            y=[row["magnitudes"][index] for row in rows],
            mode="markers",
            marker={"color": color, "size": 7, "symbol": "circle-open"},
            name="trained",
            showlegend=index == 0,
            hovertemplate=f"L = %{{x}}, value {index + 1}: %{{y:.4g}}<extra></extra>",
        )
    figure.update_xaxes(type="log", tickvals=list(first))
    return figure
