"""A measurement as single figures and as a fragment of HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import plotly.graph_objects as go

from isthmus.errors import OptionError
from isthmus.reports import certificate, learning, spectra, tables
from isthmus.reports.canvas import (
    ACCENT,
    CONTRAST,
    MUTED,
    SHADE,
    blank,
    label,
)
from isthmus.reports.sentences import headline, paragraph
from isthmus.runs import MeasureRecord


def figure(record: MeasureRecord, what: str) -> go.Figure:
    """The figure of a measurement called `what`.

    Raises:
        OptionError: If there is none of that name.
    """
    known: dict[str, Callable[[MeasureRecord], go.Figure]] = {
        "jacobian": spectra.jacobian,
        "curve": rank_curve,
        "weights": lambda r: spectra.through_layers(r, "weight_singular_values"),
        "activations": lambda r: spectra.through_layers(r, "activation_singular_values"),
        "nonlinearity": spectra.nonlinearity,
    }
    if record.bottleneck_changes:  # none where the rows show nothing of a bottleneck
        known["narrowing"] = learning.narrowing_curve
    if record.certificate is not None:
        known |= {"isometry": certificate.isometry_distances, "identity": certificate.identity_costs}
    if what not in known:
        raise OptionError("what", what, f"one of {', '.join(known)}")
    return known[what](record)


def rank_curve(record: MeasureRecord) -> go.Figure:
    """Rank over the tolerance, from coarse to fine: largest and median over the points; a known plateau is shaded."""
    curve = record.curve
    drawn = blank("tolerance ε")
    for name, text, color, width in (("median", "median", MUTED, 1.5), ("largest", "largest", ACCENT, 2)):
        drawn.add_scatter(
            x=curve.tolerances,
            y=getattr(curve, name),
            mode="lines",
            name=f"{text} over the points",
            line={"color": color, "width": width, "shape": "hv"},
            hovertemplate=f"ε = %{{x:.2g}}: {text} rank %{{y}}<extra></extra>",
        )
    if curve.plateau is not None:
        fine, coarse = curve.plateau
        drawn.add_vrect(x0=fine, x1=coarse, fillcolor=SHADE, line_width=0, layer="below")
    highest = max(*curve.largest, 1)
    drawn.add_scatter(
        x=[record.tolerance] * 2,
        y=[0, highest],
        mode="lines",
        name=label(f"tolerance {record.tolerance:g}"),
        line={"color": CONTRAST, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
    )
    drawn.update_xaxes(type="log", exponentformat="power", autorange="reversed")
    drawn.update_yaxes(rangemode="tozero", dtick=1 if highest <= 12 else None)
    return drawn


def fragment(record: MeasureRecord) -> str:
    """Headline, paragraph, key numbers and layers."""
    return (
        f"<div><h3>{escape(headline(record))}</h3><p>{escape(paragraph(record))}</p>{tables.facts(record)}"
        f"<details><summary>Layer by layer</summary>{tables.layers(record)}</details></div>"
    )
