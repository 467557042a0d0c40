"""Figures of samples: images before and after, images of the latent directions, and points of the plane."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from isthmus.factorization import latent_names
from isthmus.reports.canvas import (
    ACCENT,
    CONTRAST,
    MUTED,
    blank,
)
from isthmus.reports.image_grid import ImageGrid
from isthmus.runs import FitRecord

_SHADES = ((26, 138, 158, 0), (26, 138, 158, 255))  # from clear: nothing is the ground, in light and dark
_IN_A_ROW = 10  # pictures of one number each


def before_and_after(record: FitRecord) -> ImageGrid:
    """Images above what the narrowed network and the baseline make of them."""
    found = record.reconstructions
    assert found is not None  # asked for only where there are some
    rows = [("as given", found.originals), (f"after passing {record.rank}", found.outputs)]
    low, high = _ends(found.originals)
    return ImageGrid(_plane(found.shape), [*rows, (found.baseline_name, found.baseline)], low, high)


def traversals(record: FitRecord) -> ImageGrid:
    """A row for each latent coordinate: what the decoder draws while that one alone moves."""
    found = record.traversals
    assert found is not None  # asked for only where there are some
    rows = list(zip(latent_names(len(found.images)), found.images, strict=True))
    low, high = _ends([image for images in found.images for image in images])
    return ImageGrid(_plane(found.shape), rows, low, high)


def input_pictures(record: FitRecord) -> ImageGrid:
    """For each latent coordinate a picture of the effect that every pixel has on it."""
    shape, found = record.data.image_shape, record.attribution
    assert shape is not None  # asked for only where the inputs are images
    assert found is not None
    names = latent_names(len(found.effects))
    starts = range(0, len(names), _IN_A_ROW)
    rows = [(f"{names[i]}, …", found.effects[i : i + _IN_A_ROW]) for i in starts]
    return ImageGrid(_plane(shape), rows, 0.0, _ends(found.effects)[1], _SHADES)


def _ends(images: Sequence[Sequence[float]]) -> tuple[float, float]:
    return min(map(min, images)), max(map(max, images))


def _plane(shape: Sequence[int]) -> tuple[int, int]:
    height, width = shape
    return height, width


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
