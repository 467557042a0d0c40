"""The figure of which inputs the latent coordinates depend on."""

from __future__ import annotations

import plotly.graph_objects as go

from isthmus.reports.canvas import GROUPS, blank, label
from isthmus.reports.record import Record

_INPUTS = 30  # columns that are shown, the strongest
_BARS = 3  # coordinates up to which bars can be told apart
_LETTERS = 22  # of a name; the rest is shown on hovering
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SCALE = [[0.0, "rgba(135,144,154,0.10)"], [1.0, "#1a8a9e"]]  # nothing is the ground, in light and dark


def attribution(record: Record) -> go.Figure:
    """The strongest inputs, the strongest first: bars for few coordinates, a heat map for more."""
    found = record["attribution"]
    columns = strongest(found["effects"])
    names = [label(found["inputs"][j]) for j in columns]
    effects = [[row[j] for j in columns] for row in found["effects"]]
    figure = blank("")
    # Places instead of categories: inputs of one name are different inputs.
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=[_short(name) for name in names], automargin=True)
    if len(effects) <= _BARS:
        for i, row in enumerate(effects):
            figure.add_bar(
                y=row,
                name=_coordinate(i),
                customdata=names,
                marker={"color": GROUPS[i]},
                hovertemplate="%{customdata}: %{y:.3g}<extra></extra>",
            )
        figure.update_layout(showlegend=len(effects) > 1)
        return figure
    figure.add_heatmap(
        z=effects,
        y=[_coordinate(i) for i in range(len(effects))],
        customdata=[names] * len(effects),
        colorscale=_SCALE,
        zmin=0.0,
        colorbar={"thickness": 10, "outlinewidth": 0},
        hovertemplate="%{y}, %{customdata}: %{z:.3g}<extra></extra>",
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def strongest(effects: list[list[float]]) -> list[int]:
    """The columns with the largest sums of squares, at most 30."""
    sums = [sum(a * a for a in column) for column in zip(*effects, strict=True)]
    return sorted(range(len(sums)), key=lambda j: -sums[j])[:_INPUTS]


def _coordinate(index: int) -> str:
    return f"z{index + 1}".translate(_LOWERED)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"
