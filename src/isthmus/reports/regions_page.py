"""Pictures of regions as one self-contained page, to pan and zoom, or as a still drawing."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from isthmus.foundation.files import write_atomically
from isthmus.reports.page import framed, part
from isthmus.reports.regions_picture import Polygons, RegionPicture


def write_regions_page(picture: RegionPicture, path: Path) -> Path:
    """Write the page, atomically. It loads nothing from elsewhere.

    Coordinates are embedded in double precision: neighbours share their corners, and at a zoom of a million single
    precision would tear them apart.
    """
    body = Template(part("regions.html")).substitute(
        title=escape(picture.title),
        facts="".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in picture.facts),
        options="".join(f'<option value="{i}">{escape(c.label)}</option>' for i, c in enumerate(picture.colourings)),
    )
    page = framed(f"{picture.title} – isthmus", body, _data(picture), ["regions.js"], ["regions.css"])
    write_atomically(path, page.encode())
    return path


def _data(picture: RegionPicture) -> dict[str, Any]:
    return {
        **_shape(picture.polygons),
        "areas": _packed(picture.areas, "<f4"),
        "segments": _packed(picture.segments, "<f8"),
        "tripoints": _packed(picture.tripoints, "<f8"),
        "notes": picture.notes,
        "colourings": [
            {
                "label": c.label,
                "colours": c.colours,
                "codes": _packed(c.codes, "u1"),
                "legend": c.legend,
                **({} if c.polygons is None else _shape(c.polygons)),
            }
            for c in picture.colourings
        ],
    }


def _shape(polygons: Polygons) -> dict[str, str]:
    return {
        "vertices": _packed(polygons.vertices, "<f8"),
        "offsets": _packed(polygons.offsets, "<u4"),
        "corners": _packed(polygons.corners, "<u4"),
    }


def _packed(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


_SIZE, _MARGIN = 900.0, 60.0


def write_regions_svg(picture: RegionPicture, path: Path) -> Path:
    """Write the first colouring as a still drawing with axes and a legend, atomically."""
    write_atomically(path, "\n".join(_svg_lines(picture)).encode())
    return path


def _svg_lines(picture: RegionPicture) -> list[str]:
    lower, extent = picture.lower, picture.upper - picture.lower
    scale = _SIZE / extent.max()
    width, height = extent * scale
    colouring = picture.colourings[0]

    def placed(points: np.ndarray) -> np.ndarray:
        x, y = ((points - lower) * scale).reshape(-1, 2).T
        return np.stack([x, height - y], axis=1).reshape(points.shape)

    shape = colouring.polygons or picture.polygons
    corners = placed(shape.vertices)[shape.corners]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-_MARGIN} {-_MARGIN} {width + 2 * _MARGIN + 160:.0f} '
        f'{height + 2 * _MARGIN:.0f}" font-family="sans-serif" font-size="14" role="img" '
        f"aria-label={quoteattr(picture.title)}>",
        f"<title>{escape(picture.title)}</title>",
        f'<text x="0" y="-24" font-size="18">{escape(picture.title)}</text>',
    ]
    for code, colour in enumerate(colouring.colours):
        chosen = np.flatnonzero(colouring.codes == code)
        if chosen.size == 0:
            continue
        lines.append(f'<g fill="{colour}" stroke="#00000055" stroke-width="0.3">')
        for i in chosen:
            points = corners[shape.offsets[i] : shape.offsets[i + 1]]
            lines.append('<polygon points="' + " ".join(f"{x:.3f},{y:.3f}" for x, y in points) + '"/>')
        lines.append("</g>")
    lines += [
        f'<line x1="{a[0]:.3f}" y1="{a[1]:.3f}" x2="{b[0]:.3f}" y2="{b[1]:.3f}" stroke="#000" stroke-width="2"/>'
        for a, b in placed(picture.segments)
    ]
    lines += [
        f'<circle cx="{x:.3f}" cy="{y:.3f}" r="6" fill="#d00000" stroke="#fff" stroke-width="1.5"/>'
        for x, y in placed(picture.tripoints)
    ]
    return [*lines, *_svg_axes(picture, width, height), *_svg_legend(colouring.legend, width), "</svg>"]


def _svg_axes(picture: RegionPicture, width: float, height: float) -> list[str]:
    lines = []
    for axis, length in enumerate((width, height)):
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            value = picture.lower[axis] + share * (picture.upper - picture.lower)[axis]
            if axis == 0:
                place = f'x="{share * length:.1f}" y="{height + 22:.1f}" text-anchor="middle"'
            else:
                place = f'x="-8" y="{height - share * length + 5:.1f}" text-anchor="end"'
            lines.append(f"<text {place}>{value:.4g}</text>")
    return lines


def _svg_legend(legend: tuple[tuple[str, str], ...], width: float) -> list[str]:
    return [
        f'<rect x="{width + 16:.0f}" y="{24 * i}" width="16" height="16" fill="{colour}"/>'
        f'<text x="{width + 40:.0f}" y="{24 * i + 13}">{escape(text)}</text>'
        for i, (colour, text) in enumerate(legend)
    ]
