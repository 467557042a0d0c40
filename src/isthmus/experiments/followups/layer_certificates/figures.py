"""Figures over the layers: distances, costs of identity, energies; and the kernel over the true rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.followups.layer_certificates.settings import EPSILON
from isthmus.experiments.jacot2023.teacher_networks import BUILT
from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, blank, label, shade_of
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
_SHOWN = (
    ("distances", "Distance from an isometry", "‖W_ℓ − V_ℓ V_ℓ₋₁ᵀ‖ / √k"),
    ("cost_of_identity", "Cost of identity", "‖Z̃ (σ(Z̃); 1)⁺‖²"),
    ("energies", "Energy", "−2H/L"),
)
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    rows = [{"rank": row["rank"], **n} for row in measurements(record) for n in row["networks"]]
    if not rows:
        return []
    trained = [row for row in rows if row["start"] != BUILT]
    found = [
        Drawing(
            f"{name.replace('_', '-')}-{depth}",
            _CHAPTER,
            f"{title}, L = {depth}",
            f"A line for each true rank k.{f' Dashed: {EPSILON}.' if name == 'distances' else ''}",
            quantity,
            _over_layers([row for row in trained if row["depth"] == depth], name),
        )
        for name, title, quantity in _SHOWN
        for depth in sorted({row["depth"] for row in trained})
    ]
    found.append(
        Drawing(
            "kernel",
            _CHAPTER,
            "Tangent kernel",
            "Trace over the depth, for the networks trained and for the interpolants of rank 1.",
            "Tr Θ / L",
            _kernel(rows),
        )
    )
    return found


def _over_layers(rows: Sequence[Row], name: str) -> go.Figure:
    figure = blank("layer ℓ")
    most = max(row["rank"] for row in rows)
    for row in rows:
        values = row[name]
        figure.add_scatter(
            x=list(range(1, len(values) + 1)),
            y=values,
            mode="lines+markers",
            name=label(f"k = {row['rank']}"),
            line={"color": shade_of(row["rank"] - 1, most), "width": 2},
            marker={"size": 4},
            hovertemplate="layer %{x}: %{y:.4g}<extra></extra>",
        )
    if name == "distances":
        figure.add_hline(y=EPSILON, line={"color": CONTRAST, "dash": "dash", "width": 1.2})
    else:
        # The first layers of a network of many inputs cost tens of times the plateau.
        figure.update_yaxes(range=[0, 3 * most + 3])
    return figure


def _kernel(rows: Sequence[Row]) -> go.Figure:
    figure = blank("true rank k")
    for depth, symbol in zip(sorted({row["depth"] for row in rows}), ("circle", "diamond", "square"), strict=False):
        for is_built, color, what in ((False, ACCENT, "trained"), (True, MUTED, "rank 1, built")):
            chosen = [r for r in rows if r["depth"] == depth and (r["start"] == BUILT) == is_built]
            figure.add_scatter(
                x=[row["rank"] for row in chosen],
                y=[row["kernel_per_depth"] for row in chosen],
                mode="markers",
                name=label(f"L = {depth}, {what}"),
                marker={"color": color, "symbol": symbol, "size": 9},
                hovertemplate="k = %{x}: %{y:.4g}<extra></extra>",
            )
    figure.update_yaxes(type="log", exponentformat="power")
    return figure
