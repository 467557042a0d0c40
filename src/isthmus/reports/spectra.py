"""Figures of what the network does between its ends: singular values layer by layer, and of the Jacobian."""

from __future__ import annotations

import plotly.graph_objects as go

from isthmus.reports.canvas import (
    ACCENT,
    BAND,
    CONTRAST,
    MUTED,
    SHADE,
    blank,
    label,
    mark,
    shade_of,
)
from isthmus.reports.record import Record

_SHOWN = 10  # singular values of a layer, as in the paper's Figure 1a
_INDICES = 20  # singular values of the Jacobian
_FLOOR = 1e-6  # relative to the first: what is smaller is rounding in single precision


def through_layers(record: Record, quantity: str) -> go.Figure:
    """The first ten singular values over the layers, one line for each index; the first k stand out."""
    k, layers = record.answer, record.layers
    figure = blank("layer ℓ")
    named = set()
    for index in range(min(_SHOWN, max((len(getattr(row, quantity)) for row in layers), default=0))):
        found = [(row.layer, getattr(row, quantity)[index]) for row in layers if index < len(getattr(row, quantity))]
        is_kept = index < k
        group = f"first {k}" if is_kept else "the others"
        figure.add_scatter(
            x=[layer for layer, _ in found],
            y=[value for _, value in found],
            mode="lines+markers",
            name=group,
            legendgroup=group,
            showlegend=group not in named,
            line={"color": shade_of(index, k) if is_kept else MUTED, "width": 2 if is_kept else 1},
            marker={"size": 5 if is_kept else 3},
            hovertemplate=f"layer %{{x}}, value {index + 1}: %{{y:.4g}}<extra></extra>",
        )
        named.add(group)
    _over_layers(figure, record)
    figure.update_yaxes(rangemode="tozero")
    return figure


def nonlinearity(record: Record) -> go.Figure:
    """How much each layer bends the data."""
    found = [row for row in record.layers if row.nonlinearity_impact is not None]
    figure = blank("layer ℓ")
    figure.add_bar(
        x=[row.layer for row in found],
        y=[row.nonlinearity_impact for row in found],
        marker={"color": ACCENT},
        width=0.6,
        hovertemplate="layer %{x}: %{y:.4g}<extra></extra>",
    )
    _over_layers(figure, record)
    figure.update_layout(showlegend=False)
    return figure


def jacobian(record: Record) -> go.Figure:
    """Singular values relative to the first: median, the middle 90 % of the points, the tolerance, the gap at k."""
    spectrum, k = record.jacobian, record.answer
    shown = min(len(spectrum.median), max(_INDICES, k + 4))
    indices = list(range(1, shown + 1))
    low, median, high = (
        [max(v, _FLOOR) for v in getattr(spectrum, name)[:shown]] for name in ("low", "median", "high")
    )
    figure = blank("index i")
    figure.add_scatter(x=indices, y=low, mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip")
    figure.add_scatter(
        x=indices,
        y=high,
        mode="lines",
        line={"width": 0},
        fill="tonexty",
        fillcolor=BAND,
        name="5–95 % of the points",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=indices,
        y=median,
        mode="lines+markers",
        name="median",
        line={"color": ACCENT, "width": 2},
        marker={"size": 5},
        hovertemplate="σ%{x}/σ1: %{y:.3g}<extra></extra>",
    )
    figure.add_scatter(
        x=[0.5, shown + 0.5],
        y=[record.tolerance] * 2,
        mode="lines",
        name=label(f"tolerance {record.tolerance:g}"),
        line={"color": CONTRAST, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
    )
    if 0 < k < shown:
        figure.add_vrect(x0=k, x1=k + 1, fillcolor=SHADE, line_width=0, layer="below")
        mark(figure, k + 0.5, f"k = {k}")
    figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    figure.update_xaxes(range=[0.5, shown + 0.5])
    return figure


def _over_layers(figure: go.Figure, record: Record) -> None:
    """The axis of layers, with the narrow place marked."""
    depth = record.network_depth
    figure.update_xaxes(range=[0.5 if record.bottleneck_layer else -0.4, depth + 0.5])
    if depth <= _SHOWN + 5:
        figure.update_xaxes(dtick=1 if depth <= _SHOWN else 2, tick0=1 if depth > _SHOWN else 0)
    if record.answer > 0 and not record.is_local:
        mark(figure, record.bottleneck_layer, "narrowest")
