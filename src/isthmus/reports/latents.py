"""Figures of the numbers that pass: latent coordinates of held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.reports.canvas import (
    ACCENT,
    GROUPS,
    SCALE,
    blank,
    label,
)
from isthmus.runs import FitRecord
from isthmus.runs.record_parts import LatentRow

_PAIRS = ((0, 1, "x", "y2"), (0, 2, "x", "y"), (1, 2, "x2", "y"))  # of three coordinates, and the axes they are on
_LEFT, _RIGHT = [0.0, 0.48], [0.54, 1.0]


def latent(record: FitRecord) -> go.Figure:
    """One coordinate against the colour, two in the plane, more as pairs of the first three."""
    found = record.latent
    assert found is not None  # asked for only where there are some
    columns = list(zip(*found.coordinates, strict=True))
    if len(columns) == 1:
        return _strip(found, columns[0])
    if len(columns) == 2:
        return _plane(found, columns)
    return _pairs(found, columns)


def _strip(found: LatentRow, z: Sequence[float]) -> go.Figure:
    figure = blank("z1")
    is_class = not _is_numeric(found.color)
    figure.add_scatter(
        x=z,
        y=[label(color) for color in found.color] if is_class else found.color,
        mode="markers",
        marker={"size": 6, "opacity": 0.6, "color": ACCENT},
        hovertemplate="z1 %{x:.4g}<br>%{y}<extra></extra>",
    )
    if is_class:
        figure.update_yaxes(type="category")
    figure.update_layout(showlegend=False)
    return figure


def _plane(found: LatentRow, columns: Sequence[Sequence[float]]) -> go.Figure:
    figure = blank("z1")
    for name, rows, marker in _groups(found):
        figure.add_scatter(
            x=[columns[0][i] for i in rows],
            y=[columns[1][i] for i in rows],
            mode="markers",
            name=name,
            showlegend=bool(name),
            marker=marker,
            hovertemplate="z1 %{x:.4g}, z2 %{y:.4g}<extra></extra>",
        )
    return figure


def _pairs(found: LatentRow, columns: Sequence[Sequence[float]]) -> go.Figure:
    """The lower triangle of a scatter matrix; its empty corner takes the legend or the colour scale."""
    figure = blank("z1")
    for name, rows, marker in _groups(found):
        for panel, (a, b, x, y) in enumerate(_PAIRS):
            if "colorbar" in marker:
                short = {"x": 0.58, "xanchor": "left", "y": 0.54, "yanchor": "bottom", "len": 0.46}
                marker = {**marker, "showscale": panel == 0, "colorbar": {**marker["colorbar"], **short}}
            figure.add_scatter(
                x=[columns[a][i] for i in rows],
                y=[columns[b][i] for i in rows],
                xaxis=x,
                yaxis=y,
                mode="markers",
                name=name,
                legendgroup=name,
                showlegend=bool(name) and panel == 0,
                marker={**marker, "size": 4},
                hovertemplate=f"z{a + 1} %{{x:.4g}}, z{b + 1} %{{y:.4g}}<extra></extra>",
            )
    figure.update_layout(
        xaxis={"domain": _LEFT, "anchor": "y"},
        yaxis={"domain": _LEFT, "anchor": "x", "title": {"text": "z3"}},
        xaxis2={"domain": _RIGHT, "anchor": "y", "title": {"text": "z2", "standoff": 8}, "zeroline": False},
        yaxis2={"domain": _RIGHT, "anchor": "x", "title": {"text": "z2"}, "zeroline": False},
        legend={"orientation": "v", "x": 0.58, "y": 1, "yanchor": "top", "maxheight": 0.44},
    )
    return figure


def _groups(found: LatentRow) -> list[tuple[str, Sequence[int], dict[str, Any]]]:
    """(name, rows, marker): one unnamed group on a colour scale, or a group for each class."""
    colors = found.color
    if _is_numeric(colors):
        bar = {
            "title": {"text": label(found.color_name), "side": "right"},
            "thickness": 10,
            "outlinewidth": 0,
        }
        scale = {"color": colors, "colorscale": SCALE, "colorbar": bar}
        return [("", range(len(colors)), {**scale, "size": 6, "opacity": 0.85})]
    classes = sorted(set(map(str, colors)))
    return [
        (
            label(name),
            [i for i, color in enumerate(colors) if str(color) == name],
            {"size": 6, "opacity": 0.85, "color": GROUPS[n % len(GROUPS)]},
        )
        for n, name in enumerate(classes)
    ]


def _is_numeric(colors: Sequence[Any]) -> bool:
    return all(isinstance(color, int | float) for color in colors)
