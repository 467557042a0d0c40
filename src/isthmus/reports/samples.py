"""Figures of what the function makes of samples: images before and after, and points of the plane."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from isthmus.reports.canvas import (
    ACCENT,
    CONTRAST,
    MUTED,
    blank,
)
from isthmus.runs import FitRecord
from isthmus.runs.record_parts import ReconstructionsRow

_GAP = 1  # pixels between images


def picture_rows(record: FitRecord) -> list[tuple[str, Sequence[Sequence[float]]]]:
    """(name, images) of each row, from top to bottom."""
    found = _found(record)
    k = record.rank
    rows = [("as given", found.originals), (f"after passing {k}", found.outputs)]
    return [*rows, (found.baseline_name, found.baseline)]


def picture_proportion(record: FitRecord) -> float:
    """Width over height of the whole grid of images."""
    height, width = _found(record).shape[:2]
    rows = picture_rows(record)
    return float(len(rows[0][1]) * (width + _GAP) / (len(rows) * (height + _GAP)))


def pictures(record: FitRecord) -> go.Figure:
    """Held-out images above what the narrowed network and the baseline make of them."""
    height, width = _found(record).shape[:2]
    rows = [images for _, images in picture_rows(record)]
    canvas: list[list[float | None]] = []
    for images in rows:
        for i in range(height):
            canvas.append([v for image in images for v in (*image[i * width : (i + 1) * width], *[None] * _GAP)])
        canvas += [[None] * len(canvas[0])] * _GAP
    figure = blank("")
    originals = [v for image in rows[0] for v in image]
    figure.add_heatmap(
        z=canvas, colorscale="gray", zmin=min(originals), zmax=max(originals), showscale=False, hoverinfo="skip"
    )
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", constrain="domain")
    return figure


def arrows(record: FitRecord) -> go.Figure:
    """Random points of the plane, and where the autoencoder sends them."""
    found = record.arrows
    assert found is not None
    figure = blank("x1")
    if found.data:
        figure.add_scatter(
            x=[p[0] for p in found.data],
            y=[p[1] for p in found.data],
            mode="markers",
            name="data",
            marker={"color": ACCENT, "size": 4, "opacity": 0.5},
            hoverinfo="skip",
        )
    x, y = ([v for a, b in zip(found.starts, found.ends, strict=True) for v in (a[i], b[i], None)] for i in (0, 1))
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        name="where points go",
        line={"color": MUTED, "width": 1},
        marker={
            "symbol": "arrow",
            "angleref": "previous",
            "color": CONTRAST,
            # The tail has no mark, and the None that ends each arrow none either.
            "size": [0, 8, 0] * len(found.starts),
        },
        hoverinfo="skip",
    )
    figure.update_yaxes(scaleanchor="x", title={"text": "x2"})
    return figure


def _found(record: FitRecord) -> ReconstructionsRow:
    assert record.reconstructions is not None  # asked for only where there are some
    return record.reconstructions
