"""Figures of the weight spectrum: the slides' Figure 1(a) at every depth, and what sharpens with depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.jacot2023.layer_figures import spectra_over_layers
from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, blank, label
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
_FLOOR = 1e-6  # of σ_{k+1}: what is smaller is rounding in single precision
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    k, rows = record["settings"]["rank"], measurements(record)
    if not rows:
        return []
    by_depth = [(depth, [row for row in rows if row["depth"] == depth]) for depth in sorted({r["depth"] for r in rows})]
    found = [_spectrum(k, depth, each) for depth, each in by_depth]
    found.append(
        Drawing(
            "gaps",
            _CHAPTER,
            "The gap behind the large singular values",
            "Medians over the middle third of the layers, a point for each seed. A layer hands on k directions and the "
            "one to the sheet they lie on, so the gap is behind k + 1. Below a millionth is drawn there.",
            "ratio of two singular values of W_ℓ",
            _gaps(rows),
        )
    )
    found.append(
        Drawing(
            "sharpening",
            _CHAPTER,
            "What approaches its limit",
            f"Distance of the first {k} singular values of the middle layers from 1, and share of the layers that the "
            "nonlinearity changes by less than 1 %. A point for each seed.",
            "mean |σᵢ − 1|; share of layers",
            _sharpening(rows),
        )
    )
    return found


def _spectrum(k: int, depth: int, rows: Sequence[Row]) -> Drawing:
    behind = f"; the {len(rows) - 1} other seeds faintly behind it" if len(rows) > 1 else ""
    return Drawing(
        f"weights-{depth}",
        _CHAPTER,
        f"Spectrum of the weights, L = {depth}",
        f"The first ten singular values of W_ℓ, true rank {k}, seed {rows[0]['seed']}{behind}.",
        "singular values of W_ℓ",
        spectra_over_layers([row["weights"] for row in rows], k),
    )


def _gaps(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    for name, said, color, symbol in (
        ("after_k", "σₖ₊₁ / σₖ", CONTRAST, "diamond"),
        ("after_k_plus_1", "σₖ₊₂ / σₖ₊₁", ACCENT, "circle"),
    ):
        _points(figure, rows, name, said, color, symbol, floor=_FLOOR)
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def _sharpening(rows: Sequence[Row]) -> go.Figure:
    figure = blank("depth L")
    _points(figure, rows, "distance", "mean |σᵢ − 1|, i ≤ k", CONTRAST, "diamond")
    _points(figure, rows, "linear_share", "share of layers with an impact below 1 %", ACCENT, "circle")
    figure.update_yaxes(rangemode="tozero")
    return figure


def _points(
    figure: go.Figure, rows: Sequence[Row], name: str, said: str, color: str, symbol: str, floor: float | None = None
) -> None:
    values = [row[name] if floor is None else max(row[name], floor) for row in rows]
    figure.add_scatter(
        x=[row["depth"] for row in rows],
        y=values,
        mode="markers",
        name=label(said),
        marker={"color": color, "symbol": symbol, "size": 8},
        customdata=[row["seed"] for row in rows],
        hovertemplate="L = %{x}, seed %{customdata}: %{y:.3g}<extra></extra>",
    )
