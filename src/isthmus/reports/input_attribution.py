"""Which inputs the latent coordinates depend on: the figure of the page, the same by itself, and a table with bars."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

from isthmus.factorization import Attribution, latent_names
from isthmus.reports.canvas import (
    GROUPS,
    blank,
    label,
    shortened,
)
from isthmus.reports.heat_map import add_heat_map, name_cells
from isthmus.runs import FitRecord
from isthmus.runs.record_parts import AttributionRow

QUANTITY = "effect of the input"
_INPUTS = 30  # columns that are shown, the strongest
_BARS = 3  # coordinates up to which bars can be told apart
_BAR = "rgba(26,138,158,0.40)"  # behind a number, in light and dark
_SCALE = [[0.0, "rgba(135,144,154,0.10)"], [1.0, "#1a8a9e"]]  # nothing is the ground, in light and dark


def attribution(record: FitRecord | Attribution) -> go.Figure:
    """The strongest inputs, the strongest first: bars for few coordinates, a heat map for more."""
    found = _plain(record)
    columns = strongest(found.effects)
    names = [label(found.inputs[j]) for j in columns]
    effects = [[row[j] for j in columns] for row in found.effects]
    figure = blank("")
    # Places instead of categories: inputs of one name are different inputs.
    ticks = [label(shortened(found.inputs[j])) for j in columns]
    figure.update_xaxes(tickvals=list(range(len(ticks))), ticktext=ticks, automargin=True)
    if len(effects) <= _BARS:
        for i, row in enumerate(effects):
            figure.add_bar(
                y=row,
                name=latent_names(i + 1)[-1],
                customdata=names,
                marker={"color": GROUPS[i]},
                hovertemplate="%{customdata}: %{y:.3g}<extra></extra>",
            )
        figure.update_layout(showlegend=len(effects) > 1)
        return figure
    coordinates = latent_names(len(effects))
    add_heat_map(
        figure,
        effects,
        hover=[
            [f"{z}, {name}: {effect:.3g}" for name, effect in zip(names, row, strict=True)]
            for z, row in zip(coordinates, effects, strict=True)
        ],
        scale=_SCALE,
        filled=1.0,
        cmin=0.0,
        cmax=max(map(max, effects)),
        colorbar={"thickness": 10, "outlinewidth": 0},
    )
    figure.update_xaxes(name_cells(ticks))
    figure.update_yaxes(name_cells(coordinates, is_downwards=True))
    return figure


def figure(record: FitRecord | Attribution) -> go.Figure:
    """The figure with the words that the page sets around it."""
    drawn = attribution(record)
    if len(_plain(record).effects) > _BARS:
        drawn.data[0].marker.colorbar.title = {"text": QUANTITY, "side": "right"}
    else:
        drawn.update_yaxes(title={"text": QUANTITY}, rangemode="tozero")
    return drawn


def fragment(record: FitRecord | Attribution) -> str:
    """A table of the strongest inputs, the strongest first, with a bar behind each effect; it needs no script."""
    found = _plain(record)
    effects = found.effects
    largest = max((max(row) for row in effects), default=0.0) or 1.0
    head = "".join(f'<th style="text-align:left">{text}</th>' for text in ("input", *latent_names(len(effects))))
    body = "".join(
        f'<tr><td style="text-align:left">{escape(found.inputs[j])}</td>'
        + "".join(_barred(row[j], row[j] / largest) for row in effects)
        + "</tr>"
        for j in strongest(effects)
    )
    return (
        f"<div><p>{escape(caption(record))}</p>"
        f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>'
    )


def caption(record: FitRecord | Attribution) -> str:
    """How to read either of them."""
    found = _plain(record)
    shown, inputs = len(strongest(found.effects)), len(found.inputs)
    which = f"The {shown} of {inputs} inputs with the largest effects. " if shown < inputs else ""
    return (
        f"{which}By how many of its standard deviations a coordinate moves when one input alone moves by one of its "
        "own, as a root mean square over the data. Inputs that move together can stand in for each other."
    )


def strongest(effects: list[list[float]]) -> list[int]:
    """The columns with the largest sums of squares, at most 30."""
    sums = [sum(a * a for a in column) for column in zip(*effects, strict=True)]
    return sorted(range(len(sums)), key=lambda j: -sums[j])[:_INPUTS]


def _plain(found: FitRecord | Attribution) -> AttributionRow:
    if isinstance(found, Attribution):
        return AttributionRow(inputs=list(found.input_names), effects=found.effects.tolist())
    assert found.attribution is not None  # asked for only where there is one
    return found.attribution


def _barred(effect: float, share: float) -> str:
    filled = f"linear-gradient(to right,{_BAR} {100 * share:.1f}%,transparent {100 * share:.1f}%)"
    return f'<td style="text-align:left;min-width:8em;background:{filled}">{effect:.3g}</td>'
