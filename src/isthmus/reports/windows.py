"""A depth window as a figure, a page and a drawing: the objective of each rank over the depth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from isthmus.foundation.files import write_atomically
from isthmus.reports.canvas import BAND, GROUPS, blank
from isthmus.reports.page import rendered
from isthmus.reports.wording import number

Record = Mapping[str, Any]
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 780, 460, 98, 90, 50, 60


def depths_in_words(record: Record) -> str:
    """The answer in one sentence."""
    k, shallowest, deepest = record["rank"], record["shallowest"], record["deepest"]
    if shallowest is None:
        return f"At no depth does the best network have rank {k}."
    if shallowest == deepest:
        return f"The best network has rank {k} at depth {shallowest} only."
    end = f"{shallowest} to {deepest}" if deepest is not None else f"{shallowest} and more"
    return f"The best network has rank {k} at depths {end}."


def window_figure(record: Record) -> go.Figure:
    """Objective over the depth, one line a rank, the window shaded."""
    figure = blank("depth L")
    for index, (rank, values) in enumerate(record["objectives"].items()):
        if rank == "0" and record["rank"] != 0:
            continue  # a constant: so far above the others that they would lie on top of each other
        is_answer = rank == str(record["rank"])
        figure.add_scatter(
            x=record["depths"],
            y=values,
            mode="lines",
            name=f"rank {rank}",
            line={"color": GROUPS[index % len(GROUPS)], "width": 3.5 if is_answer else 1.8},
            hovertemplate=f"L = %{{x}}, rank {rank}: %{{y:.4g}}<extra></extra>",
        )
    if record["shallowest"] is not None:
        end = min(record["deepest"] or math.inf, record["depths"][-1])
        figure.add_vrect(x0=record["shallowest"], x1=end, fillcolor=BAND, line_width=0, layer="below")
    figure.update_xaxes(type="log", tickvals=_ticks(record["depths"]))
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def write_window_page(record: Record, path: Path) -> Path:
    """Write one self-contained page, atomically, and return its path."""
    reasons = "".join(f'<p class="lead">{escape(reason)}</p>' for reason in record["reasons"])
    section = (
        f'<section class="record"><p class="eyebrow">{escape(str(record["name"]))} <span>depth window</span></p>'
        f'<div class="opening"><p class="rank" aria-hidden="true">{record["rank"]}</p>'
        f"<div><h1>{escape(depths_in_words(record))}</h1>{reasons}</div></div>"
        '<h2>Which rank is cheapest</h2><div class="figures"><figure class="wide"><h3>Objective over the depth</h3>'
        "<figcaption>The best network found of each rank, grown to each depth. Where the thick line is lowest (shaded) "
        'the best network has the rank that is sought.</figcaption><p class="quantity">loss + (λ/L)‖w‖²</p>'
        '<div class="plot" id="window" role="img" aria-label="Objective over the depth for each rank"></div>'
        f"</figure></div>{_table(record)}</section>"
    )
    title = f"{record['name']}: {depths_in_words(record)} – isthmus"
    write_atomically(path, rendered(title, "", section, {"window": window_figure(record)}).encode())
    return path


def _table(record: Record) -> str:
    rows = "".join(
        f"<tr><td>{row['rank']}</td><td>{number(row['error'])}</td><td>{number(row['constant'])}</td>"
        f"<td>{escape(row['wins'] or 'none')}</td></tr>"
        for row in record["ranks"]
    )
    return (
        f"<p>A network of rank r costs E + λ(r + C/L) at depth L; λ = {number(record['ridge'])}.</p>"
        '<div class="scroll"><table><thead><tr><th>rank r</th><th>loss E</th><th>constant C</th>'
        f"<th>lowest at depths</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def write_window_svg(record: Record, path: Path) -> Path:
    """Write the figure as a still drawing, atomically, and return its path."""
    write_atomically(path, "\n".join(_svg_lines(record)).encode())
    return path


def _svg_lines(record: Record) -> Iterator[str]:
    depths = record["depths"]
    curves = {rank: values for rank, values in record["objectives"].items() if rank != "0" or record["rank"] == 0}
    known = [value for values in curves.values() for value in values if value is not None]
    low, high = 0.95 * min(known), 1.05 * max(known)

    def across(depth: float) -> float:
        share = math.log(depth / depths[0]) / math.log(depths[-1] / depths[0])
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return _TOP + math.log(high / value) / math.log(high / low) * (_HEIGHT - _TOP - _BOTTOM)

    title = escape(depths_in_words(record), quote=True)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="14" role="img" aria-label="{title}"><title>{title}</title>'
        '<rect width="100%" height="100%" fill="white"/>'
    )
    yield f'<text x="{_LEFT}" y="26" font-size="16">{escape(str(record["name"]))}: {title}</text>'
    if record["shallowest"] is not None:
        begin, end = across(record["shallowest"]), across(min(record["deepest"] or math.inf, depths[-1]))
        height = _HEIGHT - _TOP - _BOTTOM
        yield f'<rect x="{begin:.1f}" y="{_TOP}" width="{end - begin:.1f}" height="{height}" fill="#1a8a9e22"/>'
    for tick in _ticks(depths):
        yield f'<text x="{across(tick):.1f}" y="{_HEIGHT - _BOTTOM + 22}" text-anchor="middle">{tick}</text>'
    for step in range(5):
        value = low * (high / low) ** (step / 4)
        yield f'<path d="M{_LEFT} {down(value):.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{down(value) + 5:.1f}" text-anchor="end">{value:.3g}</text>'
    labels: list[float] = []
    for index, (rank, values) in enumerate(curves.items()):
        points = [(across(d), down(v)) for d, v in zip(depths, values, strict=True) if v is not None]
        if not points:
            continue
        color, width = GROUPS[index % len(GROUPS)], 4 if rank == str(record["rank"]) else 2
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"/>'
        y = _free(points[-1][1], labels)
        labels.append(y)
        yield f'<text x="{_WIDTH - _RIGHT + 8}" y="{y + 5:.1f}" fill="{color}">rank {rank}</text>'
    yield f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 14}" text-anchor="middle">depth L</text>'
    yield (
        f'<text transform="translate(20 {_HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">loss + (λ/L)‖w‖²</text>'
        "</svg>\n"
    )


def _free(y: float, taken: list[float]) -> float:
    """The place nearest to y at which a label does not lie on another."""
    offsets = (sign * 4.0 * step for step in range(60) for sign in (1, -1))
    return next(place for place in (y + o for o in offsets) if all(abs(place - other) >= 16.0 for other in taken))


def _ticks(depths: list[int]) -> list[int]:
    first, last = depths[0], depths[-1]
    return [tick for tick in (2, 3, 5, 8, 12, 20, 32, 50, 80, 130, 200, 320, 500, 800, 2000) if first <= tick <= last]
