"""A picture of regions as plain data: polygons, colours, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's colours, told apart with every kind of colour vision, lightened so that lines stand out on them.
CATEGORIES = ("#7fc4ea", "#f3c766", "#66c6a8", "#f0a566", "#d9a3c5", "#7aa6cc", "#f5ee8a", "#b9b9b9")
# Ordered colours, dark to light in every kind of colour vision (viridis at equal steps).
SEQUENCE = (
    "#440154",
    "#482878",
    "#3e4a89",
    "#31688e",
    "#26828e",
    "#1f9e89",
    "#35b779",
    "#6dcd59",
    "#b4de2c",
    "#fde725",
)


@dataclass(frozen=True, eq=False)
class Polygons:
    """Polygon i has the corners `vertices[corners[offsets[i]:offsets[i + 1]]]`.

    Attributes:
        vertices: `(V, 2)`.
        offsets: `(N + 1,)`.
        corners: `(Σ,)`.
    """

    vertices: NDArray[np.float64]
    offsets: NDArray[np.int64]
    corners: NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Colouring:
    """One way to colour the regions.

    Attributes:
        name: As on the command line.
        label: As on the page.
        colours: The colours in use.
        codes: For each region an index into `colours`, `(N,)`.
        legend: Colour and meaning of each entry.
        polygons: What is coloured, where that is finer than the regions; None for the regions.
    """

    name: str
    label: str
    colours: tuple[str, ...]
    codes: NDArray[np.uint8]
    legend: tuple[tuple[str, str], ...]
    polygons: Polygons | None = None


@dataclass(frozen=True, eq=False)
class RegionPicture:
    """Regions in the plane, ready to draw.

    Attributes:
        title: The heading.
        facts: Name and value of what was found, in order.
        polygons: The regions.
        areas: `(N,)`.
        notes: For each region what is said of it beside its area, `(N,)` texts.
        colourings: The first is shown first.
        segments: The decision boundary, `(S, 2, 2)`.
        tripoints: `(T, 2)`.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    polygons: Polygons
    areas: NDArray[np.float64]
    notes: tuple[str, ...]
    colourings: tuple[Colouring, ...]
    segments: NDArray[np.float64]
    tripoints: NDArray[np.float64]

    @property
    def lower(self) -> NDArray[np.float64]:
        """Lower corner of the box around everything, `(2,)`."""
        return np.asarray(self.polygons.vertices.min(axis=0))

    @property
    def upper(self) -> NDArray[np.float64]:
        """Upper corner of the box around everything, `(2,)`."""
        return np.asarray(self.polygons.vertices.max(axis=0))


def categories(
    name: str, label: str, values: NDArray[np.int64], meaning: str, polygons: Polygons | None = None
) -> Colouring:
    """A colour for each value; `meaning` with {} for the value. Beyond eight values colours repeat."""
    present = np.unique(values)
    codes = (np.searchsorted(present, values) % len(CATEGORIES)).astype(np.uint8)
    legend = tuple((CATEGORIES[i % len(CATEGORIES)], meaning.format(v)) for i, v in enumerate(present.tolist()))
    return Colouring(name, label, CATEGORIES, codes, legend, polygons)


def distinct_neighbours(name: str, label: str, count: int, pairs: NDArray[np.int64]) -> Colouring:
    """Colours that differ between neighbours wherever eight colours suffice; they mean nothing else."""
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs.tolist():
        near[a].append(b)
        near[b].append(a)
    codes = np.full(count, 255, np.uint8)
    for i in range(count):
        taken = {int(codes[j]) for j in near[i]}
        # Start at another colour each time, so that all of them are used alike.
        choices = ((i + shift) % len(CATEGORIES) for shift in range(len(CATEGORIES)))
        codes[i] = next((c for c in choices if c not in taken), i % len(CATEGORIES))
    return Colouring(name, label, CATEGORIES, codes, ())


def magnitudes(name: str, label: str, values: NDArray[np.float64]) -> Colouring:
    """Equal steps of the logarithm of positive `values`, zero at the dark end."""
    positive = values[values > 0]
    if positive.size == 0:
        return Colouring(name, label, SEQUENCE, np.zeros(len(values), np.uint8), ((SEQUENCE[0], "0 everywhere"),))
    # A hundredth at each end is cut off: one sliver must not take all the colours.
    low, high = np.log10(np.quantile(positive, [0.01, 0.99]))
    steps = max(high - low, 1e-12)
    logs = np.log10(np.where(values > 0, values, 10.0**low))
    codes = np.clip((logs - low) / steps * len(SEQUENCE), 0, len(SEQUENCE) - 1).astype(np.uint8)
    codes[values <= 0] = 0
    edges = 10.0 ** np.linspace(low, high, len(SEQUENCE) + 1)
    legend = tuple((colour, f"from {edge:.2g}") for colour, edge in zip(SEQUENCE, edges, strict=False))
    return Colouring(name, label, SEQUENCE, codes, legend)
