"""Where an autoencoder of a curve sends random points: the slides' Figure 3, B and C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, GROUPS, MUTED, blank
from isthmus.reports.figure import MEANING, Drawing

Row = Mapping[str, Any]
_GREEN = GROUPS[3]
_KINDS = {"random start": (MUTED, "dot"), "lowest found": (ACCENT, "solid")}
_GAP = 0.08  # between two panels, as a share of the width


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Arrows of the deepest and the shallowest network side by side, and the distance left over the depth."""
    rows = measurements(record)
    if not rows:
        return []
    found = [
        Drawing(
            "distance",
            MEANING,
            "What is left of the distance to the curve",
            "Mean distance of random points to the curve after the network, in units of that before; every seed, and a "
            "line through the means. Each mark is told apart by the rank of its network.",
            "distance after / before",
            distance(rows),
        )
    ]
    shown = sorted((row for row in rows if "from" in row), key=lambda row: row["depth"])
    if shown:
        found.insert(
            0,
            Drawing(
                "arrows",
                MEANING,
                "Where random points go",
                "Blue: training data. Green: random inputs. Orange: where the network of lowest objective sends them. "
                "Left the deep network (the slides' B), right the shallow one (C).",
                "",
                arrows([shown[-1], shown[0]]),
                is_wide=True,
                proportion=3.4,
            ),
        )
    return found


def arrows(rows: Sequence[Row]) -> go.Figure:
    """A panel for each of two networks."""
    figure = blank("")
    side = (1.0 - _GAP) / 2
    for index, row in enumerate(rows):
        axes = {"xaxis": f"x{index + 1 if index else ''}", "yaxis": f"y{index + 1 if index else ''}"}
        left = index * (side + _GAP)
        kind = row["lowest found"]
        _panel(figure, row["from"], kind["to"], row["data"], axes, is_named=index == 0)
        figure.update_layout(
            {
                axes["xaxis"].replace("x", "xaxis"): {
                    "domain": [left, left + side],
                    "title": {"text": f"x₁ (L = {row['depth']}, rank {kind['rank']})", "standoff": 8},
                    "zeroline": False,
                    "anchor": axes["yaxis"],
                },
                axes["yaxis"].replace("y", "yaxis"): {
                    "scaleanchor": axes["xaxis"],
                    "title": {"text": "x₂"},
                    "zeroline": False,
                    "anchor": axes["xaxis"],
                },
            }
        )
    return figure


def _panel(figure: go.Figure, begin: Any, end: Any, data: Any, axes: Mapping[str, str], *, is_named: bool) -> None:
    x, y = ([v for a, b in zip(begin, end, strict=True) for v in (a[i], b[i], None)] for i in (0, 1))
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": MUTED, "width": 0.8},
        # The head of each arrow only: its tail has its own mark, and the None between two arrows none.
        marker={"symbol": "arrow", "angleref": "previous", "color": MUTED, "size": [0, 7, 0] * len(begin)},
        showlegend=False,
        hoverinfo="skip",
        **axes,
    )
    for points, name, color, size in (
        (data, "training data", ACCENT, 4),
        (begin, "random inputs", _GREEN, 5),
        (end, "their images", CONTRAST, 5),
    ):
        figure.add_scatter(
            x=[p[0] for p in points],
            y=[p[1] for p in points],
            mode="markers",
            name=name,
            showlegend=is_named,
            marker={"color": color, "size": size},
            hoverinfo="skip",
            **axes,
        )


def distance(rows: Sequence[Row]) -> go.Figure:
    """After over before, at each depth."""
    figure = blank("depth L")
    depths = sorted({row["depth"] for row in rows})
    symbols = ("x", "circle", "diamond")  # of rank 0, 1, 2
    for kind, (color, dash) in _KINDS.items():
        shares = [[row[kind]["after"] / row["before"] for row in rows if row["depth"] == depth] for depth in depths]
        figure.add_scatter(
            x=depths,
            y=[sum(values) / len(values) for values in shares],
            mode="lines",
            line={"color": color, "dash": dash, "width": 2},
            name=kind,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=[row["depth"] for row in rows],
            y=[row[kind]["after"] / row["before"] for row in rows],
            mode="markers",
            marker={"color": color, "size": 9, "symbol": [symbols[min(row[kind]["rank"], 2)] for row in rows]},
            showlegend=False,
            text=[f"seed {row['seed']}, rank {row[kind]['rank']}" for row in rows],
            hovertemplate=f"{kind}, L = %{{x}}, %{{text}}: %{{y:.3g}}<extra></extra>",
        )
    for name, symbol in (("rank 1", "circle"), ("rank 2", "diamond")):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=name, marker={"color": MUTED, "size": 9, "symbol": symbol}
        )
    figure.update_xaxes(type="log", tickvals=depths)
    figure.update_yaxes(type="log")
    return figure
