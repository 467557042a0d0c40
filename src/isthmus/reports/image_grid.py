"""Rows of small images as one picture: a PNG inside the figure, a hundredth of what their numbers take as text."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from isthmus.reports.canvas import blank, label

_GAP = 1  # pixels between images
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6  # PNG's number of this kind of pixel
_LETTER = 7.0  # pixels of the screen that a letter of a row's name takes


@dataclass(frozen=True, eq=False)
class ImageGrid:
    """Images in rows.

    Attributes:
        shape: Height and width of an image.
        rows: Name and images of each row from top to bottom, each image as its pixels line by line.
        low, high: The values of the first and the last colour.
        colours: First and last, (red, green, blue, opacity) from 0 to 255.
    """

    shape: tuple[int, int]
    rows: Sequence[tuple[str, Sequence[Sequence[float]]]]
    low: float
    high: float
    colours: tuple[tuple[int, int, int, int], tuple[int, int, int, int]] = ((0, 0, 0, 255), (255, 255, 255, 255))

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width of the whole in pixels of the images."""
        height, width = self.shape
        return len(self.rows) * (height + _GAP) - _GAP, max(len(r) for _, r in self.rows) * (width + _GAP) - _GAP

    @property
    def proportion(self) -> float:
        """Width over height."""
        height, width = self.extent
        return width / height

    def pixels(self) -> NDArray[np.uint8]:
        """Red, green, blue and opacity of each pixel, `(height, width, 4)`; clear between the images."""
        (height, width), canvas = self.shape, np.zeros((*self.extent, 4), np.uint8)
        first, last = (np.asarray(colour, float) for colour in self.colours)
        for i, (_, images) in enumerate(self.rows):
            for j, image in enumerate(images):
                values = (np.asarray(image, float).reshape(height, width, 1) - self.low) / (self.high - self.low or 1.0)
                top, left = i * (height + _GAP), j * (width + _GAP)
                canvas[top : top + height, left : left + width] = np.rint(first + values.clip(0, 1) * (last - first))
        return canvas

    def figure(self, *, is_named: bool = False) -> go.Figure:
        """The grid as a figure that fills its frame; named, with the rows' names to its left."""
        height, width = self.extent
        drawn = blank("")
        place = {"x": 0, "y": 0, "sizex": width, "sizey": height, "xref": "x", "yref": "y", "sizing": "stretch"}
        drawn.add_layout_image(source=png(self.pixels()), **place)
        # A figure without a trace has no axes to place the image on.
        drawn.add_scatter(x=[0, width], y=[0, height], mode="markers", opacity=0, hoverinfo="skip", showlegend=False)
        names = [label(name) for name, _ in self.rows] if is_named else []
        left = round(_LETTER * max(map(len, names))) + 8 if names else 0
        drawn.update_layout(margin={"l": left, "r": 0, "t": 0, "b": 0})
        drawn.update_xaxes(visible=False, range=[0, width], constrain="domain")
        centres = [i * (self.shape[0] + _GAP) + self.shape[0] / 2 for i in range(len(names))]
        drawn.update_yaxes(
            range=[height, 0], scaleanchor="x", constrain="domain", showgrid=False, tickvals=centres, ticktext=names
        )
        return drawn


def png(pixels: NDArray[np.uint8]) -> str:
    """The address of a PNG that holds itself: pixels of red, green, blue and opacity, `(height, width, 4)`."""
    height, width = pixels.shape[:2]
    unfiltered = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _RGBA, 0, 0, 0)),
        (b"IDAT", zlib.compress(unfiltered.tobytes(), 9)),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return f"data:image/png;base64,{base64.b64encode(_SIGNATURE + body).decode()}"
