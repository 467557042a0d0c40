"""Heat maps out of bars: the bundle of plotly that a page carries draws points, lines and bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.reports.canvas import SHADE

_FILLED = 0.94  # of a cell's width and height; the rest parts it from its neighbours


def add_heat_map(
    figure: go.Figure,
    values: Sequence[Sequence[float | None]],
    *,
    hover: Sequence[Sequence[str]],
    scale: list[list[Any]],
    texts: Sequence[Sequence[str]] | None = None,
    filled: float = _FILLED,
    axes: tuple[str, str] = ("x", "y"),
    **marker: Any,
) -> None:
    """Add bars of which that in column j of line i fills the cell around (j, i); the unknown ones, None, are grey.

    Args:
        figure: Its axes get their names by `name_cells`.
        values: Lines of cells, the first at height 0.
        hover: What each cell says when it is pointed at, as plotly reads it.
        scale: Colours from the least to the largest value.
        texts: Written into the cells.
        filled: Share of a cell's width and height that is coloured.
        axes: Names of the axes.
        **marker: `cmin`, `cmax`, `colorbar` and so on of the known cells.
    """
    cells = [(i, j) for i, line in enumerate(values) for j in range(len(line))]
    known = [(i, j) for i, j in cells if values[i][j] is not None]
    unknown = [(i, j) for i, j in cells if values[i][j] is None]
    colours = {"color": [values[i][j] for i, j in known], "colorscale": scale, **marker}
    for drawn, painted in ((known, colours), (unknown, {"color": SHADE})):
        if not drawn:
            continue
        figure.add_bar(
            x=[j for _, j in drawn],
            base=[i - filled / 2 for i, _ in drawn],
            y=[filled] * len(drawn),
            width=filled,
            marker={"line": {"width": 0}, **painted},
            text=[texts[i][j] for i, j in drawn] if texts else None,
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            customdata=[hover[i][j] for i, j in drawn],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
            xaxis=axes[0],
            yaxis=axes[1],
        )
    figure.update_layout(barmode="overlay")


def name_cells(names: Sequence[str], *, is_downwards: bool = False) -> dict[str, Any]:
    """The layout of an axis along which a cell lies at each of the places from 0 on."""
    ends = [-0.5, len(names) - 0.5]
    return {
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "range": ends[::-1] if is_downwards else ends,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
