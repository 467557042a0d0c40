"""The smaller network beside the given one, as a page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from isthmus.foundation.files import write_atomically
from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, blank, label
from isthmus.reports.page import rendered
from isthmus.reports.wording import number

Record = Mapping[str, Any]


def compression_in_words(record: Record) -> str:
    """What became smaller, in one sentence."""
    before, after = record["parameters_before"], record["parameters_after"]
    return f"{after:,} parameters in place of {before:,}, {before / after:.3g} times fewer."


def domain_in_words(record: Record) -> str:
    """Where f is kept, or, of an approximation, that it is not: only the folds before it hold there."""
    if record["method"] == "exact folds":
        return f"f is kept on {record['domain']}"
    return f"f is approximated; its exact folds hold on {record['domain']}"


def compression_figure(record: Record) -> go.Figure:
    """Error on held-out rows over the number of parameters, of every network that was seen."""
    figure = blank("parameters")
    points = record["curve"]
    figure.add_scatter(
        x=[point["parameters"] for point in points],
        y=[max(point["error"], 1e-8) for point in points],
        mode="lines+markers",
        name="networks on the way",
        line={"color": ACCENT, "width": 2},
        customdata=[label(point["method"]) for point in points],
        hovertemplate="%{x} parameters: %{y:.3g}<br>%{customdata}<extra></extra>",
    )
    figure.add_scatter(
        x=[record["parameters_after"]],
        y=[max(record["error"], 1e-8)],
        mode="markers",
        name="the network that was written, on rows that nothing was chosen by",
        marker={"color": CONTRAST, "size": 11},
    )
    figure.add_vline(x=record["parameters_before"], line={"color": MUTED, "dash": "dot", "width": 1.2})
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    return figure


def write_compression_page(record: Record, path: Path) -> Path:
    """Write one self-contained page, atomically, and return its path."""
    lead = (
        f"{domain_in_words(record)}. The largest change of an output that was seen is "
        f"{number(record['largest_change'])} of that output's largest value; evaluating f in its own precision changes "
        f"{number(record['rounding'])}."
    )
    figures: dict[str, go.Figure] = {}
    curve = ""
    if record["curve"]:
        figures["curve"] = compression_figure(record)
        curve = (
            '<h2>Error over size</h2><div class="figures"><figure class="wide"><h3>Error on held-out rows</h3>'
            "<figcaption>‖f − g‖ over the spread of f, of each network g on the way; the size of f is dotted."
            '</figcaption><p class="quantity">relative error</p><div class="plot" id="curve" role="img" '
            'aria-label="Error over the number of parameters"></div></figure></div>'
        )
    section = (
        f'<section class="record"><p class="eyebrow">{escape(str(record["name"]))} <span>compression</span></p>'
        f'<div class="opening"><p class="rank" aria-hidden="true">{_numeral(record)}</p>'
        f"<div><h1>{escape(compression_in_words(record))}</h1>"
        f'<p class="lead">{escape(lead)}</p></div></div>{_sizes(record)}{curve}{_folds(record)}</section>'
    )
    title = f"{record['name']}: compression – isthmus"
    write_atomically(path, rendered(title, "", section, figures).encode())
    return path


def _numeral(record: Record) -> str:
    """The large numeral and what it counts: of a graph, which has no narrowest layer, how much smaller it is."""
    rank = record["rank"]
    if rank is None:
        return f"{record['parameters_before'] / record['parameters_after']:.3g}<small>times fewer parameters</small>"
    return f"{rank}<small>number{'s' * (rank != 1)} at the narrowest layer</small>"


def _sizes(record: Record) -> str:
    rows = [
        ("parameters", f"{record['parameters_before']:,}", f"{record['parameters_after']:,}"),
        ("matrices", record["depth_before"], record["depth_after"]),
        ("FLOPs a row", f"{record['flops_before']:,}", f"{record['flops_after']:,}"),
        ("widths", *("–".join(map(str, record[f"widths_{when}"])) for when in ("before", "after"))),
    ]
    for row in record.get("latency", ()):
        rows.append((f"µs a run of {row['batch']}", number(row["before"]), number(row["after"])))
    return "<h2>Size</h2>" + _table(("", "before", "after"), rows) + _error(record)


def _error(record: Record) -> str:
    where = "on held-out rows that nothing was fitted to or chosen by" if record["curve"] else "over the rows"
    notes = "".join(f"<p>{escape(note)}</p>" for note in record["notes"])
    said = f"{number(record['error'])} of the spread of f, {record['units']}, {where} ({record['method']})."
    return f"<p>Error: {escape(said)}</p>{notes}"


def _folds(record: Record) -> str:
    if not record["folds"]:
        return "<h2>Exact folds</h2><p>Nothing could be folded exactly.</p>"
    rows = [
        (fold["kind"], ", ".join(fold["layers"]), fold["neurons"] or "all", fold["proof"], number(fold["bound"]))
        for fold in record["folds"]
    ]
    return "<h2>Exact folds</h2>" + _table(("what", "layers", "neurons", "why", "bound"), rows)


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
