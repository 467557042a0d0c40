"""Figures of how well k numbers do, and of the training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.reports.canvas import (
    ACCENT,
    CONTRAST,
    GROUPS,
    MUTED,
    SHADE,
    THIRD,
    blank,
    label,
    mark,
)
from isthmus.reports.record import Record
from isthmus.reports.summary import best_error
from isthmus.reports.wording import share

_SHOWN, _ROOM = 0.005, 12  # bars that can be seen get their number; of more bars than these only the answer's
_WIDE = 30.0  # from this ratio of the largest to the smallest value on, a linear axis would hide the small ones


def error_curve(record: Record) -> go.Figure:
    """Held-out error over k: projected, refitted, the whole network with its standard error, the baselines."""
    rows = record["error_curve"]
    figure = blank("numbers passed on, k")
    last = max((row["rank"] for row in rows), default=record["rank"])
    _whole(figure, record, last)
    for number, baseline in enumerate(record.get("baselines") or []):
        _baseline(figure, baseline["name"], baseline["errors"], GROUPS[(2 + number) % len(GROUPS)], last)
    for name, symbol, color in (("projected", "circle", ACCENT), ("refitted", "diamond", CONTRAST)):
        found = [row for row in rows if row[name] is not None]
        if found:
            figure.add_scatter(
                x=[row["rank"] for row in found],
                y=[row[name] for row in found],
                # The bar belongs to the better of the two, which represents its k.
                error_y={
                    "array": [row["standard_error"] if row[name] == best_error(row) else None for row in found],
                    "thickness": 1.2,
                    "width": 3,
                },
                mode="lines+markers" if name == "projected" else "markers",
                name=name,
                line={"color": color, "width": 2},
                marker={"symbol": symbol, "size": 7 if name == "projected" else 10, "color": color},
                hovertemplate=f"k = %{{x}}, {name}: %{{y:.4g}}<extra></extra>",
            )
    if record["rank_lower"] != record["rank_upper"]:
        ends = record["rank_lower"] - 0.3, min(record["rank_upper"], last) + 0.3
        figure.add_vrect(x0=ends[0], x1=ends[1], fillcolor=SHADE, line_width=0, layer="below")
    mark(figure, record["rank"], f"k = {record['rank']}")
    figure.update_xaxes(dtick=1 if last <= 20 else None, range=[-0.4, last + 0.6])
    _fitting_scale(figure, [row[name] for row in rows for name in ("projected", "refitted")])
    if record.get("rank_probabilities"):
        _probabilities(figure, record)
    return figure


def narrowing_curve(record: Record) -> go.Figure:
    """How much the function changes when only k numbers pass, for a network that was measured."""
    changes = record["bottleneck_changes"]
    tried = record.get("bottleneck_change_ranks") or list(range(len(changes)))
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
        y=[record["tolerance"]] * 2,
        mode="lines",
        name=label(f"tolerance {record['tolerance']:g}"),
        line={"color": CONTRAST, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
    )
    mark(figure, record["bottleneck_rank"], f"k = {record['bottleneck_rank']}")
    figure.update_xaxes(dtick=1 if last <= 20 else None, range=[-0.4, last + 0.6])
    figure.update_yaxes(rangemode="tozero")
    return figure


def history(record: Record) -> go.Figure:
    """Objective, error and norm over the training."""
    moments = record["history"]
    figure = blank("step")
    for name, text, color in (
        ("objective", "objective", ACCENT),
        ("error", "error on training rows", CONTRAST),
        ("norm_per_depth", "‖w‖²/L", THIRD),
    ):
        figure.add_scatter(
            x=[moment["step"] for moment in moments],
            y=[moment[name] for moment in moments],
            mode="lines" if len(moments) > 1 else "markers",
            name=text,
            line={"color": color, "width": 1.8},
            hovertemplate=f"step %{{x}}, {text}: %{{y:.4g}}<extra></extra>",
        )
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def _probabilities(figure: go.Figure, record: Record) -> None:
    """Bars under the curve, on the same axis of k: how often each k is the answer."""
    found = {int(k): p for k, p in record["rank_probabilities"].items()}
    labelled = {k for k, p in found.items() if k == record["rank"] or (p >= _SHOWN and len(found) <= _ROOM)}
    figure.add_bar(
        x=list(found),
        y=list(found.values()),
        yaxis="y2",
        width=0.5,
        marker={"color": [ACCENT if k == record["rank"] else MUTED for k in found]},
        text=[share(p) if k in labelled else "" for k, p in found.items()],
        textposition="outside",
        textangle=0,
        constraintext="none",
        cliponaxis=False,
        showlegend=False,
        hovertemplate="k = %{x}: probability %{y:.3g}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"anchor": "y2"},
        yaxis={"domain": [0.36, 1.0]},
        yaxis2={"domain": [0.0, 0.2], "anchor": "x", "range": [0.0, 1.0], "tickvals": [0, 0.5, 1], "zeroline": False},
    )
    note: dict[str, Any] = {"x": 0, "xref": "paper", "xanchor": "left", "y": 0.27, "yref": "paper", "yanchor": "bottom"}
    figure.add_annotation(**note, text="probability that k is the answer", showarrow=False)


def _whole(figure: go.Figure, record: Record, last: int) -> None:
    error, deviation = record["whole_error"], record["whole_standard_error"]
    figure.add_hrect(y0=error - deviation, y1=error + deviation, fillcolor=SHADE, line_width=0, layer="below")
    figure.add_scatter(
        x=[-0.4, last + 0.6],
        y=[error, error],
        mode="lines",
        name="whole network ± 1 s.e.",
        line={"color": MUTED, "width": 1.5},
        hovertemplate="whole network: %{y:.4g}<extra></extra>",
    )


def _baseline(figure: go.Figure, name: str, errors: dict[str, float], color: str, last: int) -> None:
    curve = sorted((int(k), error) for k, error in errors.items() if int(k) <= last)
    figure.add_scatter(
        x=[k for k, _ in curve],
        y=[error for _, error in curve],
        mode="lines+markers",
        name=label(name),
        line={"color": color, "dash": "dash", "width": 1.5},
        marker={"size": 4},
        hovertemplate="k = %{x}: %{y:.4g}<extra>" + label(name) + "</extra>",
    )


def _fitting_scale(figure: go.Figure, values: Sequence[float | None]) -> None:
    positive = [v for v in values if v is not None]
    if positive and min(positive) > 0 and max(positive) / min(positive) > _WIDE:
        figure.update_yaxes(type="log", exponentformat="power")
    else:
        figure.update_yaxes(rangemode="tozero")
