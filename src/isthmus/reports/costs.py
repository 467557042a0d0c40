"""Representation costs over the depth as a figure and a page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from isthmus.foundation.files import write_atomically
from isthmus.reports.canvas import (
    ACCENT,
    BAND,
    CONTRAST,
    MUTED,
    blank,
    label,
)
from isthmus.reports.page import rendered
from isthmus.reports.wording import number

Record = Mapping[str, Any]


def costs_in_words(record: Record) -> str:
    """What the brackets say, in one sentence."""
    low, high = record["limit"]["lower"], record["limit"]["upper"]
    if low == high:
        return f"In the limit of infinite depth the function costs {number(low)} per layer."
    return f"In the limit of infinite depth the function costs between {number(low)} and {number(high)} per layer."


def cost_figure(record: Record) -> go.Figure:
    """R/L over L: the band between the bounds, and the limit."""
    rows = sorted(record["brackets"], key=lambda row: row["depth"])
    closed = [row for row in rows if row["upper"] is not None]
    figure = blank("depth L")
    depths = [row["depth"] for row in closed]
    figure.add_scatter(
        x=[*depths, *reversed(depths)],
        y=[*(row["upper"] for row in closed), *(row["lower"] for row in reversed(closed))],
        mode="lines",
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        name="the cost lies here",
        hoverinfo="skip",
    )
    for name, text, color, found in (
        ("upper", "network found", CONTRAST, closed),
        ("lower", "proved from below", ACCENT, rows),
    ):
        figure.add_scatter(
            x=[row["depth"] for row in found],
            y=[row[name] for row in found],
            mode="lines+markers",
            name=text,
            line={"color": color, "width": 2},
            customdata=[label(row[f"{name}_by"]) for row in found],
            hovertemplate=f"L = %{{x}}, {text}: %{{y:.4g}}<br>%{{customdata}}<extra></extra>",
        )
    if len(rows) > 1:
        for height in {record["limit"]["lower"], record["limit"]["upper"]} - {None}:
            figure.add_hline(y=height, line={"color": MUTED, "dash": "dot", "width": 1.2})
    if rows[-1]["depth"] > 4 * rows[0]["depth"]:
        figure.update_xaxes(type="log", tickvals=[row["depth"] for row in rows])
    figure.update_yaxes(rangemode="tozero")
    return figure


def write_cost_page(record: Record, path: Path) -> Path:
    """Write one self-contained page, atomically, and return its path."""
    lead = (
        f"The domain Ω: {record['domain']}. The lower ends are proved at a point of Ω; the upper ends are networks "
        "that were built and compared with f on all of Ω."
    )
    section = (
        f'<section class="record"><p class="eyebrow">{escape(str(record["name"]))} <span>representation cost</span></p>'
        f'<div class="opening"><p class="rank" aria-hidden="true">{escape(_limit(record))}</p>'
        f'<div><h1>{escape(costs_in_words(record))}</h1><p class="lead">{escape(lead)}</p></div></div>'
        '<h2>What f costs at each depth</h2><div class="figures"><figure class="wide"><h3>Cost per layer over the depth'
        "</h3><figcaption>The least ‖w‖² of a network of depth L that computes f, divided by L. It tends to a rank "
        '(dotted) as the network gets deeper.</figcaption><p class="quantity">R(f; L)/L</p>'
        '<div class="plot" id="cost" role="img" aria-label="Cost per layer over the depth"></div>'
        f"</figure></div>{_table(record)}</section>"
    )
    title = f"{record['name']}: representation cost – isthmus"
    write_atomically(path, rendered(title, "", section, {"cost": cost_figure(record)}).encode())
    return path


def _limit(record: Record) -> str:
    low, high = record["limit"]["lower"], record["limit"]["upper"]
    return number(low) if low == high else f"{number(low)}–{number(high)}"


def _table(record: Record) -> str:
    rows = "".join(
        f"<tr><td>{row['depth']}</td><td>{number(row['lower'])}</td>"
        f"<td>{'none known' if row['upper'] is None else number(row['upper'])}</td>"
        f"<td>{escape(row['lower_by'])}</td><td>{escape(row['upper_by'] or '')}</td></tr>"
        for row in record["brackets"]
    )
    return (
        '<div class="scroll"><table><thead><tr><th>depth L</th><th>at least</th><th>at most</th><th>proved by</th>'
        f"<th>network</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
