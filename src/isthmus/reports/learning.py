"""Figures of how well k numbers do, and of the training."""

from __future__ import annotations

import plotly.graph_objects as go

from isthmus.reports.canvas import (
    ACCENT,
    CONTRAST,
    THIRD,
    blank,
    label,
    mark,
)
from isthmus.runs import FitRecord, MeasureRecord


def narrowing_curve(record: MeasureRecord) -> go.Figure:
    """How much the function changes when only k numbers pass, for a network that was measured."""
    changes = record.bottleneck_changes
    tried = record.bottleneck_change_ranks
    last = max(tried)
    figure = blank("numbers passed on, k")
    figure.add_scatter(
        x=tried,
        y=changes,
        mode="lines+markers",
        name="change of f",
        line={"color": ACCENT, "width": 2},
        marker={"size": 7},
        hovertemplate="k = %{x}: %{y:.3g}<extra></extra>",
    )
    figure.add_scatter(
        x=[-0.4, last + 0.6],
        y=[record.tolerance] * 2,
        mode="lines",
        name=label(f"tolerance {record.tolerance:g}"),
        line={"color": CONTRAST, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
    )
    mark(figure, record.bottleneck_rank, f"k = {record.bottleneck_rank}")
    figure.update_xaxes(dtick=1 if last <= 20 else None, range=[-0.4, last + 0.6])
    figure.update_yaxes(rangemode="tozero")
    return figure


def history(record: FitRecord) -> go.Figure:
    """Objective, error and norm over the training."""
    moments = record.history
    figure = blank("step")
    for name, text, color in (
        ("objective", "objective", ACCENT),
        ("error", "error on training rows", CONTRAST),
        ("norm_per_depth", "‖w‖²/L", THIRD),
    ):
        figure.add_scatter(
            x=[moment.step for moment in moments],
            y=[getattr(moment, name) for moment in moments],
            mode="lines" if len(moments) > 1 else "markers",
            name=text,
            line={"color": color, "width": 1.8},
            hovertemplate=f"step %{{x}}, {text}: %{{y:.4g}}<extra></extra>",
        )
    figure.update_yaxes(type="log", exponentformat="power")
    return figure
