"""Huge depth: the norm beside 1 + C_N/L, the second singular value of the Jacobian, and of the activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, THIRD, blank
from isthmus.reports.figure import INSIDE, Drawing

Row = Mapping[str, Any]
_COLORS = {"teacher": ACCENT, "curve": CONTRAST}
_NAMES = {"teacher": "teachers of rank 1", "curve": "curve autoencoder"}
_NOTHING = 1e-18  # where numbers that vanish in double precision are drawn
_NO_RATIO = 1e-5  # where ratios below single precision are drawn


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Propositions 2, 2 with 3, and 4."""
    rows = measurements(record)
    return [
        Drawing(
            "cost",
            INSIDE,
            "What the best networks cost",
            "‖w‖²/L less the 1 of the identity layers. Filled marks: lowest objective found; open marks: the other "
            "start. Dashed: C_N/L of the rank-1 network that is built through the rows. One line for each seed.",
            "‖w‖²/L − 1",
            _cost(rows),
        ),
        Drawing(
            "second",
            INSIDE,
            "The second singular value of the Jacobian",
            "Marks: largest s₂ over the rows, lowest objective. Lines: what ‖w‖²/L allows by Proposition 3, median "
            "over the rows; dashed: what 1 + C_N/L allows. What vanishes in double precision is drawn at the edge.",
            "s₂(Jf)",
            _second(rows),
        ),
        Drawing(
            "ratio",
            INSIDE,
            "The narrowest layer",
            "Least s₂/s₁ of the activations over the layers. Filled marks: lowest objective; open marks: the other "
            "start. Dotted: L^(−1/4). Ratios of zero are drawn at the lower edge.",
            "least s₂/s₁",
            _ratio(rows),
        ),
    ]


def _lowest(row: Row) -> list[Row]:
    return [min(found, key=lambda each: each["objective"]) for found in zip(*row["paths"].values(), strict=True)]


def _others(row: Row) -> list[list[Row]]:
    best = _lowest(row)
    return [path for path in row["paths"].values() if any(a is not b for a, b in zip(path, best, strict=True))]


def _line(figure: go.Figure, xs: Sequence[float], ys: Sequence[float], **look: Any) -> None:
    figure.add_scatter(x=xs, y=ys, **look)


def _paths(figure: go.Figure, rows: Sequence[Row], quantity: Any) -> None:
    """Lowest objectives filled, the others open; one entry of the legend for each task."""
    named: set[str] = set()
    for row in rows:
        task, color = row["task"], _COLORS[row["task"]]
        for path in _others(row):
            _line(
                figure,
                [each["depth"] for each in path],
                [quantity(each) for each in path],
                mode="lines+markers",
                line={"color": color, "width": 1, "dash": "dot"},
                marker={"size": 7, "symbol": "circle-open"},
                showlegend=False,
                hovertemplate=f"{task}, seed {row['seed']}, other start, L = %{{x}}: %{{y:.3g}}<extra></extra>",
            )
        path = _lowest(row)
        _line(
            figure,
            [each["depth"] for each in path],
            [quantity(each) for each in path],
            mode="lines+markers",
            line={"color": color, "width": 2},
            marker={"size": 7},
            name=_NAMES[task],
            showlegend=task not in named,
            hovertemplate=f"{task}, seed {row['seed']}, L = %{{x}}: %{{y:.3g}}<extra></extra>",
        )
        named.add(task)


def _cost(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    _paths(figure, rows, lambda each: each["norm_per_depth"] - 1)
    for index, row in enumerate(rows):
        depths = [each["depth"] for each in _lowest(row)]
        _line(
            figure,
            depths,
            [row["constant"] / depth for depth in depths],
            mode="lines",
            line={"color": _COLORS[row["task"]], "width": 1, "dash": "dash"},
            name="C_N/L",
            showlegend=index == 0,
            hovertemplate=f"{row['task']}, seed {row['seed']}: C_N/L = %{{y:.3g}}<extra></extra>",
        )
    return _over_depth(figure, rows)


def _second(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    bounds = (("implied", "allowed by ‖w‖²/L", "solid"), ("implied_by_constant", "allowed by 1 + C_N/L", "dash"))
    for index, row in enumerate(rows):
        path, color = _lowest(row), _COLORS[row["task"]]
        depths = [each["depth"] for each in path]
        for quantity, name, dash in bounds:
            _line(
                figure,
                depths,
                [max(each[quantity], _NOTHING) for each in path],
                mode="lines",
                line={"color": color, "width": 1.2, "dash": dash},
                name=name,
                showlegend=index == 0,
                hovertemplate=f"{row['task']}, seed {row['seed']}, {name}: %{{y:.3g}}<extra></extra>",
            )
        _line(
            figure,
            depths,
            [max(each["second"], _NOTHING) for each in path],
            mode="markers",
            marker={"color": color, "size": 8},
            name=f"measured, {_NAMES[row['task']]}",
            showlegend=row["seed"] == min(r["seed"] for r in rows),
            hovertemplate=f"{row['task']}, seed {row['seed']}, L = %{{x}}: s₂ = %{{y:.3g}}<extra></extra>",
        )
    return _over_depth(figure, rows, step=6)


def _ratio(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    _paths(figure, rows, lambda each: max(each["ratio"], _NO_RATIO))
    depths = sorted({each["depth"] for row in rows for each in _lowest(row)})
    if depths:
        _line(
            figure,
            depths,
            [(depth / depths[0]) ** -0.25 for depth in depths],
            mode="lines",
            line={"color": THIRD, "width": 2, "dash": "dot"},
            name="L^(−1/4)",
            hoverinfo="skip",
        )
        figure.add_hline(y=_NO_RATIO, line={"color": MUTED, "width": 1})
    return _over_depth(figure, rows)


def _over_depth(figure: go.Figure, rows: Sequence[Row], step: int = 1) -> go.Figure:
    figure.update_xaxes(type="log", tickvals=sorted({each["depth"] for row in rows for each in _lowest(row)}))
    figure.update_yaxes(type="log", exponentformat="power", dtick=step)
    return figure
