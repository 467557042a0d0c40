"""Collapse and the deviations of the logits along the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.record import measurements
from isthmus.reports.canvas import GROUPS, blank, label, shade_of
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    found = []
    rows = measurements(record)
    deepest = [row for row in rows if row["depth"] == max(row["depth"] for row in rows)]
    for row in (row for row in deepest if row["seed"] == deepest[0]["seed"]):
        name, title = (
            f"{row['loss']}-{row['linear_layers']}",
            f"{row['loss']}, {row['linear_layers']} linear at the end",
        )
        found += [
            Drawing(
                f"nc1-{name}",
                _CHAPTER,
                f"Class variation: {title}",
                "Variance within the classes over that between them, of what each layer reads; largest depth, first "
                "seed. Adam up to the last point but one, L-BFGS to the last.",
                "NC1",
                _variation(row),
            ),
            Drawing(
                f"logits-{name}",
                _CHAPTER,
                f"Logits: {title}",
                "Standard deviations along the principal directions; dashed, with class means in place of the rows.",
                "standard deviation",
                _logits(row),
            ),
        ]
    return found


def _variation(row: Row) -> go.Figure:
    figure = blank("step")
    steps = [moment["step"] + 1 for moment in row["moments"]]
    depth = row["depth"]
    for layer in range(depth):
        _line(figure, steps, [m["nc1"][layer] for m in row["moments"]], f"layer {layer + 1}", shade_of(layer, depth))
    return figure


def _logits(row: Row) -> go.Figure:
    figure = blank("step")
    steps = [moment["step"] + 1 for moment in row["moments"]]
    for index in range(row["classes"]):
        color = GROUPS[index % len(GROUPS)]
        for name, dash in (("logit_deviations", "solid"), ("collapsed_deviations", "dash")):
            # A logarithm has no place for the direction that class means lack.
            values = [max(moment[name][index], 1e-6) for moment in row["moments"]]
            _line(figure, steps, values, f"direction {index + 1}" if dash == "solid" else "", color, dash)
    return figure


def _line(figure: go.Figure, x: Sequence[int], y: Sequence[float], name: str, color: str, dash: str = "solid") -> None:
    figure.add_scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        name=label(name),
        showlegend=bool(name),
        line={"color": color, "dash": dash, "width": 2},
        hovertemplate="step %{x}: %{y:.3g}<extra></extra>",
    )
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
