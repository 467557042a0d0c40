"""Autoencoders of digits: pictures before and after, distances to the clean digits, and the error over k."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.jacot2023.mnist_autoencoder.settings import AVERAGED, SUMMED
from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, GROUPS, MUTED, THIRD, blank, mark
from isthmus.reports.figure import ANSWER, INSIDE, MEANING, Drawing
from isthmus.reports.image_grid import ImageGrid

_LINES = {
    "noisy": "noisy",
    "deep": "deep",
    "shallow": "shallow",
    "pca": "PCA",
    "bottleneck": "hard bottleneck",
    "clean": "clean",
}
_METHODS = {
    "noisy": ("noisy digits", MUTED, "dash"),
    "deep": ("deep", ACCENT, "solid"),
    "narrow": ("deep, refitted through k", GROUPS[3], "dot"),
    "shallow": ("shallow", CONTRAST, "solid"),
    "pca": ("PCA at k", THIRD, "solid"),
    "bottleneck": ("hard bottleneck of k", GROUPS[4], "solid"),
}
_READINGS = {AVERAGED: "error averaged over the pixels", SUMMED: "error summed over the pixels"}
_PARTS = {"held_out": "held-out digits", "training": "digits that were trained on"}

Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Pictures, then for each reading of the ridge the distances, then the error over k."""
    rows = measurements(record)
    return [*_pictures(record, rows), *_distances(record, rows), *_curves(rows)]


def _pictures(record: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[Drawing]:
    for row in rows:
        if found := row["pictures"]:
            grid = _grid(found)
            yield Drawing(
                "pictures",
                ANSWER,
                "Noisy digits and what becomes of them",
                f"Digits that were not trained on, with noise of σ = {record['settings']['shown']:g} of the range of a "
                f"pixel. PCA and the hard bottleneck pass as many numbers as the deep autoencoder, k = {row['k']}. "
                f"Seed {row['seed']}.",
                "",
                grid.figure(is_named=True),
                is_wide=True,
                proportion=grid.proportion,
            )


def _grid(found: Mapping[str, Any]) -> ImageGrid:
    rows = [(name, found[line]) for line, name in _LINES.items()]
    return ImageGrid((found["shape"][0], found["shape"][1]), rows, 0.0, 100.0)


def _distances(record: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[Drawing]:
    for reading, said in _READINGS.items():
        chosen = [row for row in rows if row["reading"] == reading]
        for part, who in _PARTS.items() if chosen else ():
            yield Drawing(
                f"distance-{reading}-{part.partition('_')[0]}",
                MEANING,
                f"Nearer to the clean digits? {who.capitalize()}",
                f"Ridge beside the {said}. Above the dashed line noise was taken away, below it more of the digit was "
                "lost than noise. Lines: mean over the seeds; bars: from the least to the largest.",
                "PSNR against the clean digits, dB",
                _over_noise(record["settings"]["noise"], [row[part] for row in chosen]),
            )


def _over_noise(levels: Sequence[float], found: Sequence[Mapping[str, Any]]) -> go.Figure:
    figure = blank("noise σ, in units of the range of a pixel")
    for name, (text, color, dash) in _METHODS.items():
        columns = list(zip(*(each[name]["psnr"] for each in found), strict=True))
        means = [sum(column) / len(column) for column in columns]
        figure.add_scatter(
            x=levels,
            y=means,
            error_y={
                "array": [max(c) - m for c, m in zip(columns, means, strict=True)],
                "arrayminus": [m - min(c) for c, m in zip(columns, means, strict=True)],
                "thickness": 1,
                "width": 3,
            },
            mode="lines+markers",
            name=text,
            line={"color": color, "width": 2, "dash": dash},
            marker={"size": 6},
            hovertemplate=f"{text}, σ = %{{x}}: %{{y:.3g}} dB<extra></extra>",
        )
    figure.update_xaxes(tickvals=list(levels))
    return figure


def _curves(rows: Sequence[Row]) -> Iterator[Drawing]:
    for reading, said in _READINGS.items():
        first = next((row for row in rows if row["reading"] == reading), None)
        if first is not None:
            yield Drawing(
                f"curve-{reading}",
                INSIDE,
                "How many numbers pass",
                "Held-out clean digits when only k numbers may pass the deep autoencoder: as it is, projected, or "
                f"trained on under that constraint (refitted). Ridge beside the {said}, seed {first['seed']}.",
                "squared error per pixel",
                _over_k(first),
            )


def _over_k(row: Row) -> go.Figure:
    figure = blank("numbers passed on, k")
    for name, text, color, symbol in (
        ("projected", "projected", ACCENT, "circle"),
        ("refitted", "refitted", CONTRAST, "diamond"),
        ("pca", "PCA", THIRD, "circle"),
        ("whole", "whole network", MUTED, "line-ew"),
    ):
        found = [(entry["k"], entry[name]) for entry in row["curve"] if entry[name] is not None]
        figure.add_scatter(
            x=[k for k, _ in found],
            y=[value for _, value in found],
            mode="lines" if name == "whole" else "lines+markers",
            name=text,
            line={"color": color, "width": 2, "dash": "dash" if name == "pca" else "solid"},
            marker={"size": 5, "symbol": symbol},
            hovertemplate=f"{text}, k = %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    mark(figure, row["k"], f"k = {row['k']}")
    figure.update_yaxes(rangemode="tozero")
    return figure
