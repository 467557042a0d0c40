"""Cost and quasi-norm over the number of linear layers, and the spectrum of E[∇f ∇fᵀ]."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, blank, label
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    rows = measurements(record)
    if not rows:
        return []
    found = [
        Drawing(
            "curve",
            _CHAPTER,
            "Cost of one network's neurons",
            "R/L of the same neurons behind m linear layers, the quasi-norm below it, and their index rank (dashed).",
            "R / L",
            _curve(row["curve"], record["settings"]["shown"]),
        )
        for row in rows
        if "curve" in row
    ]
    for name, title, quantity, value in (
        (
            "spectrum",
            "Second direction of the gradients",
            "√(λ₂/λ₁) of E[∇f ∇fᵀ]",
            lambda r: r["sizes"][1] / r["sizes"][0],
        ),
        ("error", "Error against the true function", "mean squared error", lambda r: r["true_error"]),
    ):
        caption = "Over the number m of linear maps; every seed, and a line through the medians."
        found.append(Drawing(name, _CHAPTER, title, caption, quantity, _over_layers(rows, value)))
    return found


def _curve(curve: Row, shown: Sequence[int]) -> go.Figure:
    figure = blank("linear layers m")
    for name, told, color in (("upper", "R/L", ACCENT), ("lower", "Σ sᵢ(M)^{2/L}", CONTRAST)):
        figure.add_scatter(
            x=list(shown),
            y=curve[name],
            mode="lines+markers",
            name=label(told),
            line={"color": color, "width": 2},
            hovertemplate="m = %{x}: %{y:.4g}<extra></extra>",
        )
    figure.add_hline(y=curve["index_rank"], line={"color": MUTED, "dash": "dash", "width": 1.2})
    figure.update_xaxes(type="log")
    return figure


def _over_layers(rows: Sequence[Row], value: Callable[[Row], float]) -> go.Figure:
    figure = blank("linear layers m")
    layers = sorted({row["layers"] for row in rows})
    figure.add_scatter(
        x=layers,
        y=[median([value(row) for row in rows if row["layers"] == m]) for m in layers],
        mode="lines",
        line={"color": ACCENT, "width": 2},
        name="median",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[row["layers"] for row in rows],
        y=[value(row) for row in rows],
        mode="markers",
        marker={"color": MUTED, "size": 7},
        name="seeds",
        hovertemplate="m = %{x}: %{y:.4g}<extra></extra>",
    )
    figure.update_yaxes(type="log")
    return figure
