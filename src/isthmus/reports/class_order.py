"""Classes along a line: the figure, and a sentence and a table with bars for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import plotly.graph_objects as go

from isthmus.regions import ClassOrder
from isthmus.reports.canvas import (
    GROUPS,
    MUTED,
    blank,
    label,
    shortened,
)
from isthmus.reports.wording import number

Order = Mapping[str, Any]
"""edges z₀ < … < z_m; owners, a class for each of the m intervals, by its place in names; names of the classes in their
order, then of those without an interval; centres of the former."""

_ROW, _OUTSIDE, _BAR = 26, 64, 0.5  # pixels of a class, and around all; how much of a row a bar fills
_EDGE = 0.02  # of the range, to be seen beyond its ends
_SEEN = 0.006  # of the range: a narrower interval is drawn as wide as this in the table
_WRITTEN = 3  # intervals of a class in words
_NOWHERE = "nowhere"


def figure(order: ClassOrder) -> go.Figure:
    """A row for each class in their order, with its intervals and their centre, and below them the line itself."""
    found = _plain(order)
    edges, owners, names = found["edges"], found["owners"], found["names"]
    drawn, line = blank("z"), len(names)
    _boundaries(drawn, found, line)
    for rows in (owners, [line] * len(owners)):
        colours = [_colour(owner) for owner in owners]
        drawn.add_bar(
            orientation="h",
            base=edges[:-1],
            x=[upper - lower for lower, upper in _intervals(found)],
            y=rows,
            width=_BAR,
            # An outline, so that the narrowest interval can be seen.
            marker={"color": colours, "line": {"color": colours, "width": 1}},
            customdata=[[label(names[owner]), *ends] for owner, ends in zip(owners, _intervals(found), strict=True)],
            hovertemplate="%{customdata[0]}: %{customdata[1]:.4g} to %{customdata[2]:.4g}<extra></extra>",
        )
    drawn.add_scatter(
        x=found["centres"],
        y=list(range(len(found["centres"]))),
        mode="markers",
        marker={"symbol": "diamond", "size": 7, "color": "white", "line": {"color": MUTED, "width": 1.5}},
        customdata=[label(name) for name in names[: len(found["centres"])]],
        hovertemplate="%{customdata}: centre %{x:.4g}<extra></extra>",
    )
    for row in range(len(found["centres"]), len(names)):
        note: dict[str, Any] = {"x": edges[0], "y": row, "xanchor": "left", "font": {"color": MUTED}}
        drawn.add_annotation(**note, text=_NOWHERE, showarrow=False)
    margin = _EDGE * (edges[-1] - edges[0])
    drawn.update_layout(barmode="overlay", showlegend=False, height=_ROW * (line + 1) + _OUTSIDE)
    drawn.update_xaxes(range=[edges[0] - margin, edges[-1] + margin])
    ticks = {"tickvals": list(range(line + 1)), "ticktext": [*(label(shortened(name)) for name in names), "the line"]}
    drawn.update_yaxes(**ticks, range=[line + 0.5, -0.5], showgrid=False)
    return drawn


def fragment(order: ClassOrder) -> str:
    """The order in a sentence and each class in a row with a bar for each of its intervals; it needs no script."""
    found = _plain(order)
    head = "".join(
        f'<th style="text-align:left">{name}</th>' for name in ("class", "ahead for z", "centre", "on the line")
    )
    body = "".join(_row(found, index) for index in range(len(found["names"])))
    return (
        f"<div><p>{escape(caption(found))}</p>"
        f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>'
    )


def caption(found: Order) -> str:
    """The order, and what is not as simple as an order."""
    names, owners, edges = found["names"], found["owners"], found["edges"]
    present, absent = names[: len(found["centres"])], names[len(found["centres"]) :]
    several = [name for index, name in enumerate(present) if owners.count(index) > 1]
    parts = [f"The most probable class for z from {number(edges[0])} to {number(edges[-1])}: {' – '.join(present)}."]
    parts += [f"On several intervals: {', '.join(several)}."] if several else []
    parts += [f"Nowhere: {', '.join(absent)}."] if absent else []
    return " ".join([*parts, "The direction of the line has no meaning of its own."])


def _boundaries(drawn: go.Figure, found: Order, line: int) -> None:
    """From where the line changes hands up to the rows of both classes."""
    owners, names = found["owners"], found["names"]
    x: list[float | None] = []
    y: list[int | None] = []
    between: list[str] = []
    for at, before, after in zip(found["edges"][1:-1], owners[:-1], owners[1:], strict=True):
        x += [at, at, at, None]
        y += [line, max(before, after), min(before, after), None]
        between += [f"{label(names[before])} | {label(names[after])}"] * 4
    drawn.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": MUTED, "width": 1, "dash": "dot"},
        customdata=between,
        hovertemplate="%{customdata}: %{x:.4g}<extra></extra>",
    )


def _row(found: Order, index: int) -> str:
    mine = [ends for owner, ends in zip(found["owners"], _intervals(found), strict=True) if owner == index]
    written = [f"{number(lower)} to {number(upper)}" for lower, upper in mine[:_WRITTEN]]
    written += [f"and {len(mine) - _WRITTEN} more"] * (len(mine) > _WRITTEN)
    centre = number(found["centres"][index]) if mine else ""
    texts = (found["names"][index], ", ".join(written) or _NOWHERE, centre)
    cells = "".join(f'<td style="text-align:left">{escape(text)}</td>' for text in texts)
    bar = f'<td style="min-width:16em;background:{_bars(found, mine, _colour(index))}"></td>'
    return f"<tr>{cells}{bar}</tr>"


def _bars(found: Order, mine: list[tuple[float, float]], colour: str) -> str:
    first, length = found["edges"][0], found["edges"][-1] - found["edges"][0]
    stops = []
    for lower, upper in mine:
        begin = min((lower - first) / length, 1 - _SEEN)
        end = max((upper - first) / length, begin + _SEEN)
        stops += [f"transparent {begin:.2%}", f"{colour} {begin:.2%}", f"{colour} {end:.2%}", f"transparent {end:.2%}"]
    return f"linear-gradient(to right,{','.join(stops)})" if stops else "none"


def _intervals(found: Order) -> list[tuple[float, float]]:
    return list(zip(found["edges"][:-1], found["edges"][1:], strict=True))


def _colour(index: int) -> str:
    return GROUPS[index % len(GROUPS)]


def _plain(found: ClassOrder) -> Order:
    # By number: two classes may read the same, as 1 and "1" do.
    return {
        "edges": list(found.edges),
        "owners": [found.order.index(label) for label in found.labels],
        "names": [str(label) for label in (*found.order, *found.absent)],
        "centres": [found.centres[label] for label in found.order],
    }
