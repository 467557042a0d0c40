"""Energies and costs of identity over the path, for every effective depth; plateaus and costs over L̃."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.followups.leaky_resnets.claims import middle_third
from isthmus.experiments.record import measurements
from isthmus.reports.canvas import blank, label, shade_of
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
_SHOWN = (
    ("cost_of_identity", "Cost of identity", "‖α (σ(α); 1)⁺‖²"),
    ("energy", "Energy", "−2H/L̃"),
)
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    rows = measurements(record)
    if not rows:
        return []
    seed = rows[0]["seed"]
    found = [
        Drawing(
            f"{name.replace('_', '-')}-{rank}",
            _CHAPTER,
            f"{title}, k = {rank}",
            "Over the path from the inputs (0) to the outputs (1), a line for each effective depth L̃.",
            quantity,
            _over_the_path([row for row in rows if row["rank"] == rank and row["seed"] == seed], name),
        )
        for name, title, quantity in _SHOWN
        for rank in sorted({row["rank"] for row in rows})
    ]
    found.append(
        Drawing(
            "plateau",
            _CHAPTER,
            "Plateau of the cost of identity",
            "Median over the middle third of the path, over L̃, a line for each rank k of the teacher.",
            "cost of identity",
            _over_depth(rows, lambda row: median(middle_third(row, "cost_of_identity"))),
        )
    )
    caption = "λ-free cost of the networks trained; its slope is the energy."
    found.append(Drawing("cost", _CHAPTER, "Cost", caption, "cost", _over_depth(rows, lambda row: row["cost"])))
    return found


def _over_the_path(rows: Sequence[Row], name: str) -> go.Figure:
    figure = blank("p")
    depths = sorted(row["effective_depth"] for row in rows)
    for row in sorted(rows, key=lambda row: row["effective_depth"]):
        depth = row["effective_depth"]
        figure.add_scatter(
            x=[time / depth for time in row["time"]],
            y=row[name],
            mode="lines+markers",
            name=label(f"L̃ = {depth:g}"),
            line={"color": shade_of(depths.index(depth), len(depths)), "width": 2},
            marker={"size": 4},
            hovertemplate="p = %{x:.2f}: %{y:.4g}<extra></extra>",
        )
    if name == "cost_of_identity":
        figure.update_yaxes(type="log")
    return figure


def _over_depth(rows: Sequence[Row], value: Callable[[Row], float]) -> go.Figure:
    figure = blank("effective depth L̃")
    ranks = sorted({row["rank"] for row in rows})
    for rank in ranks:
        chosen = sorted((row for row in rows if row["rank"] == rank), key=lambda row: row["effective_depth"])
        figure.add_scatter(
            x=[row["effective_depth"] for row in chosen],
            y=[value(row) for row in chosen],
            mode="lines+markers",
            name=label(f"k = {rank}"),
            line={"color": shade_of(ranks.index(rank), len(ranks)), "width": 2},
            hovertemplate="L̃ = %{x}: %{y:.4g}<extra></extra>",
        )
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    return figure
