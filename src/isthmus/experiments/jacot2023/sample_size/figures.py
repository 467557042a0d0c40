"""Sample size: ranks over N × L with the predicted windows, paths through the outputs, and the constant C_N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, BAND, CONTRAST, GROUPS, MUTED, THIRD, blank
from isthmus.reports.figure import INSIDE, Drawing

Row = Mapping[str, Any]
_KINDS = {"search": ("lowest objective found", "square", 0.2), "random": ("one random start", "circle", -0.2)}


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """The map first, then what Theorem 2 rests on."""
    rows = measurements(record)
    k = record["settings"]["rank"]
    return [
        Drawing(
            "map",
            INSIDE,
            "Measured rank over sample size and depth",
            f"Squares: rank of the lowest objective found; circles: rank from one random start; the digit is the rank, "
            f"the teacher's is {k}. Shaded: depths at which rank {k} is predicted from searches up to depth 12 (for "
            "seeds that have squares). More rows move the deep end out.",
            "rows N, seed",
            _map(rows, k),
            is_wide=True,
            proportion=1.6,
        ),
        Drawing(
            "paths",
            INSIDE,
            "The shortest path through the outputs",
            "Marks: the path found, one for each seed; lines: the lower bound, means over the seeds; dotted: "
            "N^(1 − 1/k), drawn through the last of them.",
            "path length Λ",
            _paths(rows),
        ),
        Drawing(
            "constants",
            INSIDE,
            "The constant of the rank-1 interpolant",
            "C_N of R/L ≤ 1 + C_N/L, from the network that is built through N rows; one line for each k and seed. On a "
            "logarithmic axis of N it is nearly straight: C_N grows like log N.",
            "C_N",
            _constants(rows),
        ),
    ]


def _map(rows: Sequence[Row], k: int) -> go.Figure:
    figure = blank("depth L")
    lanes = sorted({(row["n"], row["seed"]) for row in rows if row["part"] in ("random", "search")}, reverse=True)
    depths = sorted({each["depth"] for row in rows if row["part"] == "random" for each in row["path"]})
    for row in rows:
        if row["part"] == "window" and depths:
            _band(figure, row, k, lanes.index((row["n"], row["seed"])), depths)
    for kind, (name, symbol, lift) in _KINDS.items():
        look = {"color": MUTED, "size": 10, "symbol": symbol}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=look)
        for row in (row for row in rows if row["part"] == kind):
            lane = lanes.index((row["n"], row["seed"])) + lift
            for each in row["path"] if kind == "random" else [row]:
                figure.add_scatter(
                    x=[each["depth"]],
                    y=[lane],
                    mode="markers+text",
                    text=[str(each["found"])],
                    textfont={"size": 10, "color": "#ffffff"},
                    marker={"color": _color(each["found"], k), "size": 15, "symbol": symbol},
                    showlegend=False,
                    hovertemplate=f"N = {row['n']}, seed {row['seed']}, L = %{{x}}, {name}: rank %{{text}}"
                    "<extra></extra>",
                )
    for name, color in (("below", CONTRAST), ("the teacher's", ACCENT), ("above", THIRD)):
        figure.add_scatter(x=[None], y=[None], mode="markers", name=f"rank: {name}", marker={"color": color, "size": 9})
    figure.update_xaxes(type="log", tickvals=depths)
    labels = [f"{n}, {seed}" for n, seed in lanes]
    figure.update_yaxes(tickvals=list(range(len(lanes))), ticktext=labels, showgrid=False)
    return figure


def _color(found: int, k: int) -> str:
    return CONTRAST if found < k else ACCENT if found == k else THIRD


def _band(figure: go.Figure, window: Row, k: int, lane: int, depths: Sequence[int]) -> None:
    edge = depths[-1] * 1.25
    for rank, shallowest, deepest in window["ranges"]:
        if rank == k and shallowest < edge:
            end = edge if deepest == -1 else min(edge, deepest + 0.5)
            figure.add_shape(
                type="rect",
                x0=max(depths[0] * 0.8, shallowest - 0.5),
                x1=end,
                y0=lane - 0.46,
                y1=lane + 0.46,
                fillcolor=BAND,
                line={"width": 0},
                layer="below",
            )


def _paths(rows: Sequence[Row]) -> go.Figure:
    figure = blank("rows N")
    kept = [row for row in rows if row["part"] == "paths"]
    for index, k in enumerate(sorted({row["rank"] for row in kept})):
        mine = [each for row in kept if row["rank"] == k for each in row["path"]]
        sizes, color = sorted({each["n"] for each in mine}), GROUPS[index % len(GROUPS)]
        lower = [_mean([each["lower"] for each in mine if each["n"] == n]) for n in sizes]
        figure.add_scatter(
            x=sizes, y=lower, mode="lines", line={"color": color, "width": 2}, name=f"k = {k}", hoverinfo="skip"
        )
        figure.add_scatter(
            x=[each["n"] for each in mine],
            y=[each["upper"] for each in mine],
            mode="markers",
            marker={"color": color, "size": 6},
            showlegend=False,
            hovertemplate=f"k = {k}, N = %{{x}}: %{{y:.4g}}<extra></extra>",
        )
        figure.add_scatter(
            x=sizes,
            y=[lower[-1] * (n / sizes[-1]) ** (1 - 1 / k) for n in sizes],
            mode="lines",
            line={"color": MUTED, "width": 1.2, "dash": "dot"},
            name="N^(1 − 1/k)",
            showlegend=index == 0,
            hoverinfo="skip",
        )
    return _over_sizes(figure, kept)


def _constants(rows: Sequence[Row]) -> go.Figure:
    figure = blank("rows N")
    kept = [row for row in rows if row["part"] == "paths"]
    ranks = sorted({row["rank"] for row in kept})
    named: set[int] = set()
    for row in kept:
        found = [each for each in row["path"] if "constant" in each]
        figure.add_scatter(
            x=[each["n"] for each in found],
            y=[each["constant"] for each in found],
            mode="lines+markers",
            line={"color": GROUPS[ranks.index(row["rank"]) % len(GROUPS)], "width": 1.5},
            marker={"size": 5},
            name=f"k = {row['rank']}",
            showlegend=row["rank"] not in named,
            hovertemplate=f"k = {row['rank']}, seed {row['seed']}, N = %{{x}}: C_N = %{{y:.4g}}<extra></extra>",
        )
        named.add(row["rank"])
    figure = _over_sizes(figure, kept)
    figure.update_yaxes(type="linear", dtick=None, rangemode="tozero")
    return figure


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _over_sizes(figure: go.Figure, rows: Sequence[Row]) -> go.Figure:
    figure.update_xaxes(type="log", tickvals=sorted({each["n"] for row in rows for each in row["path"]}))
    figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    return figure
