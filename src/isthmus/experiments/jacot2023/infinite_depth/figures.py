"""Infinite depth: the construction of Theorem 1, brackets of R/L, and the tripod, whose limit is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, GROUPS, MUTED, THIRD, blank
from isthmus.reports.figure import INSIDE, Drawing

Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """What is built, what is bracketed, what stays open."""
    rows = measurements(record)
    return [
        Drawing(
            "construction",
            INSIDE,
            "Three parts: g, identity layers on R^k, h",
            "‖w‖²/L of the network of Theorem 1, every layer written out, for random h ∘ g and the tripod; a line for "
            "each function. Dotted: where σ has slope 3 below zero, negative numbers pass at k/9 a layer.",
            "‖w‖²/L",
            _construction(rows),
        ),
        Drawing(
            "brackets",
            INSIDE,
            "Brackets of R/L close on the ranks",
            "Distance of the lower end to the Jacobian rank (dashed) and of the upper end to the bottleneck rank "
            "(solid), for every function; both fall like 1/L. The color is that of the bottleneck rank.",
            "distance to the rank",
            _brackets(rows),
        ),
        Drawing(
            "tripod",
            INSIDE,
            "The tripod between its two ranks",
            "Every Jacobian has rank 1, and one number is not enough. R/L lies between the two lines on the right. On "
            "the left networks trained on its samples, one line for each seed.",
            "R/L",
            _tripod(rows),
        ),
    ]


def _construction(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    named: set[str] = set()
    for row in rows:
        if row["part"] not in ("construction", "steep"):
            continue
        is_steep = row["part"] == "steep"
        name = f"k = {row['rank']}{', slope 3' if is_steep else ''}"
        figure.add_scatter(
            x=[each["depth"] for each in row["path"]],
            y=[each["norm_per_depth"] for each in row["path"]],
            mode="lines",
            line={"color": GROUPS[row["rank"] - 1], "width": 1.6, "dash": "dot" if is_steep else "solid"},
            name=name,
            showlegend=name not in named,
            hovertemplate=f"{name}, seed {row['seed']}, L = %{{x}}: %{{y:.4g}}<extra></extra>",
        )
        named.add(name)
    figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    figure.update_yaxes(type="log", tickvals=[0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50])
    return figure


def _brackets(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    named: set[int] = set()
    for row in sorted((row for row in rows if row["part"] == "bracket"), key=lambda row: row["bottleneck_rank"]):
        rank = row["bottleneck_rank"]
        for end, of, dash in (("upper", "bottleneck_rank", "solid"), ("lower", "jacobian_rank", "dash")):
            # The record's numbers have six decimals: a distance of zero there is not drawn.
            found = [(each["depth"], abs(each[end] - row[of])) for each in row["path"] if each[end] != row[of]]
            figure.add_scatter(
                x=[depth for depth, _ in found],
                y=[distance for _, distance in found],
                mode="lines",
                line={"color": GROUPS[max(rank, 1) - 1], "width": 1.4, "dash": dash},
                name=f"Rank_BN = {rank}",
                showlegend=end == "upper" and rank not in named,
                hovertemplate=f"{row['function']}, {end} end, L = %{{x}}: %{{y:.2g}}<extra></extra>",
            )
        named.add(rank)
    figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    return figure


def _tripod(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    for row in rows:
        if row["part"] == "bracket" and row["function"] == "tripod":
            for end, color, name in (
                ("upper", ACCENT, "a network that is built"),
                ("lower", CONTRAST, "Proposition 3"),
            ):
                figure.add_scatter(
                    x=[each["depth"] for each in row["path"]],
                    y=[each[end] for each in row["path"]],
                    mode="lines+markers",
                    line={"color": color, "width": 2},
                    name=name,
                    hovertemplate="L = %{x}: %{y:.5g}<extra></extra>",
                )
    trained = [row for row in rows if row["part"] == "trained tripod"]
    for index, row in enumerate(trained):
        figure.add_scatter(
            x=[each["depth"] for each in row["path"]],
            y=[each["norm_per_depth"] for each in row["path"]],
            mode="lines+markers",
            line={"color": THIRD, "width": 1},
            name="trained networks",
            showlegend=index == 0,
            hovertemplate=f"seed {row['seed']}, L = %{{x}}: ‖w‖²/L = %{{y:.4g}}<extra></extra>",
        )
    for rank in (1, 2):
        figure.add_hline(y=rank, line={"color": MUTED, "width": 1, "dash": "dot"})
    figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    figure.update_yaxes(range=[0, 5])
    return figure
