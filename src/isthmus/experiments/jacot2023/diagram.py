"""Phase diagrams: a heat map of what is found over two axes, of cells that may be empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.reports.canvas import SCALE, blank
from isthmus.reports.heat_map import add_heat_map, name_cells

Row = Mapping[str, Any]


def phase_diagram(
    rows: Sequence[Row],
    x: tuple[str, str, Sequence[float]],
    y: tuple[str, Sequence[float]],
    value: Callable[[Sequence[Row]], float],
    limits: tuple[float, float],
) -> go.Figure:
    """The value of the rows at each pair of two axes, written into its cell; grey where there are none.

    Args:
        rows: Each with the names of both axes.
        x: Key, title and values of the axis to the right.
        y: Key and values of the axis upwards.
        value: Of the rows of one cell, at least one.
        limits: Values of the coldest and the warmest colour.
    """
    figure = blank(x[1])
    cells = [[[r for r in rows if r[x[0]] == a and r[y[0]] == b] for a in x[2]] for b in y[1]]
    values = [[value(cell) if cell else None for cell in line] for line in cells]
    add_heat_map(
        figure,
        values,
        hover=[
            [
                f"{x[0]} {a:g}, {y[0]} {b:g}: " + (f"{len(cell)} of them" if cell else "none")
                for a, cell in zip(x[2], line, strict=True)
            ]
            for b, line in zip(y[1], cells, strict=True)
        ],
        texts=[["" if v is None else f"{v:.2g}" for v in line] for line in values],
        scale=SCALE,
        cmin=limits[0],
        cmax=limits[1],
        colorbar={"thickness": 12},
    )
    figure.update_xaxes(**name_cells([f"{a:g}" for a in x[2]]))
    figure.update_yaxes(**name_cells([f"{b:g}" for b in y[1]]))
    return figure
