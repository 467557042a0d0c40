"""Quantities layer by layer: one network in full, the others of its kind faintly behind it."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, blank, shade_of

_FAINT = 0.28
Spectra = Sequence[Sequence[float]]


def spectra_over_layers(networks: Sequence[Spectra], kept: int) -> go.Figure:
    """Singular values over the layers, one line for each index; the first `kept` and the next one stand out.

    Args:
        networks: For each network the singular values of each layer, ℓ = 1, …, L; the first is drawn in full.
        kept: k.
    """
    figure = blank("layer ℓ")
    shown = max(len(values) for values in networks[0])
    for others in (True, False):
        for index in range(shown):
            lines = [_line(spectra, index) for spectra in (networks[1:] if others else networks[:1])]
            group = f"first {kept}" if index < kept else f"number {kept + 1}" if index == kept else "the others"
            color = shade_of(index, kept) if index < kept else CONTRAST if index == kept else MUTED
            _add(figure, lines, color, group, index, is_faint=others)
    _layer_axis(figure, len(networks[0]))
    figure.update_yaxes(rangemode="tozero")
    return figure


def impact_over_layers(networks: Sequence[Sequence[float]]) -> go.Figure:
    """‖Z̃ − σ(Z̃)‖/‖Z̃‖ over the hidden layers; the first network is drawn in full."""
    figure = blank("layer ℓ")
    for impact in networks[1:]:
        _add(figure, [_points(impact)], MUTED, "other seeds", 0, is_faint=True)
    _add(figure, [_points(networks[0])], ACCENT, "impact", 0, is_faint=False)
    _layer_axis(figure, len(networks[0]) + 1)
    figure.update_yaxes(rangemode="tozero", tickformat=".0%")
    figure.update_layout(showlegend=False)
    return figure


def _points(values: Sequence[float]) -> list[tuple[int, float]]:
    return list(enumerate(values, start=1))


def _line(spectra: Spectra, index: int) -> list[tuple[int, float]]:
    """(ℓ, singular value number `index`) where the layer has so many."""
    return [(layer, values[index]) for layer, values in enumerate(spectra, start=1) if index < len(values)]


def _add(
    figure: go.Figure, lines: Sequence[list[tuple[int, float]]], color: str, group: str, index: int, *, is_faint: bool
) -> None:
    if not lines:
        return
    # One trace for all: a gap (None) lifts the pen between two networks.
    points: list[tuple[int | None, float | None]] = [point for line in lines for point in (*line, (None, None))]
    named = {trace.name for trace in figure.data if trace.showlegend}
    figure.add_scatter(
        x=[layer for layer, _ in points[:-1]],
        y=[value for _, value in points[:-1]],
        mode="lines" if is_faint else "lines+markers",
        name=group,
        legendgroup=group,
        showlegend=not is_faint and group not in named,
        opacity=_FAINT if is_faint else 1.0,
        line={"color": color, "width": 1 if is_faint or color == MUTED else 2},
        marker={"size": 3 if color == MUTED else 5},
        hoverinfo="skip" if is_faint else None,
        hovertemplate=None if is_faint else f"layer %{{x}}, value {index + 1}: %{{y:.4g}}<extra></extra>",
    )


def _layer_axis(figure: go.Figure, depth: int) -> None:
    figure.update_xaxes(range=[0.5, depth + 0.5])
    if depth <= 15:
        figure.update_xaxes(dtick=1 if depth <= 10 else 2, tick0=1)
