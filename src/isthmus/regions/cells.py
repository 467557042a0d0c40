"""All linear regions of a network on a box of any small dimension, as a complex of convex cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PrecisionError
from isthmus.regions.affine_pieces import words_of
from isthmus.regions.cell_cutting import classify, corner_lists, facet_pairs, split
from isthmus.regions.planar import ROUNDING

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(eq=False)
class CellComplex:
    """Cells of every dimension with their boundaries; `cell_cutting` gives the convention.

    Attributes:
        members: Cells of each dimension, `(d + 1, ≥ count)`.
        counts: How many there are, `(d + 1,)`: the last entry is the number of regions.
        start: Where the boundary of each cell starts in `pool`.
        length: How many cells it has.
        pool: Boundaries.
        row: For a vertex its row in `vertices`.
        vertices: Coordinates, `(V, d)`.
        patterns: Bit-packed activation patterns of the regions, `(N, words)`.
    """

    members: Integers
    counts: Integers
    start: Integers
    length: Integers
    pool: Integers
    row: Integers
    vertices: Floats
    patterns: NDArray[np.uint64]

    def corners(self) -> tuple[Integers, Integers]:
        """The vertices of each region in CSR form."""
        offsets, rows = corner_lists(self.members, self.counts, self.start, self.length, self.pool, self.row)
        return offsets, rows

    def neighbours(self) -> Integers:
        """Pairs of regions that share a facet, `(M, 2)`."""
        pairs = facet_pairs(self.members, self.counts, self.start, self.length, self.pool)
        return np.asarray(np.unique(pairs, axis=0))


def box_complex(lower: Floats, upper: Floats, words: int) -> CellComplex:
    """The complex of one box: its $3^d$ faces, a face for each way to fix coordinates low or high or leave them free."""
    d = len(lower)
    faces = sorted(product((0, 1, 2), repeat=d), key=lambda f: f.count(2))
    number = {face: i for i, face in enumerate(faces)}
    members = np.zeros((d + 1, 3**d), np.int64)
    counts = np.zeros(d + 1, np.int64)
    start, length, row = (np.zeros(3**d, np.int64) for _ in range(3))
    pool: list[int] = []
    corners = [face for face in faces if 2 not in face]
    for i, face in enumerate(faces):
        k = face.count(2)
        members[k, counts[k]] = i
        counts[k] += 1
        boundary = [number[(*face[:a], end, *face[a + 1 :])] for a in range(d) if face[a] == 2 for end in (0, 1)]
        start[i], length[i] = len(pool), len(boundary)
        pool += boundary
        row[i] = i if k == 0 else -1
    vertices = np.array([[upper[a] if face[a] else lower[a] for a in range(d)] for face in corners])
    patterns = np.zeros((1, words), np.uint64)
    return CellComplex(members, counts, start, length, np.array(pool, np.int64), row, vertices, patterns)


def cell_complex(
    weights: Sequence[Floats],
    biases: Sequence[Floats],
    negative_slope: float,
    lower: Floats,
    upper: Floats,
    budget: int,
) -> tuple[CellComplex, tuple[int, int] | None]:
    """Cut a box along the zero sets of all hidden neurons, layer by layer, neuron by neuron.

    The number of cells of all dimensions is near $2^d$ times the number of regions.

    Args:
        weights: $W_1, …, W_L$, float64.
        biases: $b_1, …, b_L$.
        negative_slope: a in σ(z) = max(z, 0) + a min(z, 0).
        lower: Of the box, `(d,)`.
        upper: Of the box, `(d,)`.
        budget: Largest number of regions.

    Returns:
        The complex; and where there are more regions than `budget`, the layer and the number of its neurons after
        which cutting stopped, else None.

    Raises:
        PrecisionError: If rounding makes the signs of a cell contradict each other.
    """
    words = words_of([len(b) for b in biases[:-1]])
    c = box_complex(lower, upper, words[-1])
    read = c.vertices
    for layer, (w, b) in enumerate(zip(weights[:-1], biases[:-1], strict=True), start=1):
        reach = ROUNDING * np.stack([np.sqrt(np.einsum("ij,ij->i", w, w)), np.abs(b)])
        size = np.sqrt(np.einsum("ij,ij->i", read, read))
        z = read @ w.T + b
        for j in range(len(b)):
            z, size, contradictions = _cut(c, j, z, size, reach, words[layer - 1])
            if contradictions:
                raise PrecisionError(layer, contradictions)
            if c.counts[-1] > budget:
                return c, (layer, j + 1)
        read = np.where(z > 0.0, z, negative_slope * z)
    return c, None


def _cut(c: CellComplex, j: int, z: Floats, size: Floats, reach: Floats, word: int) -> tuple[Floats, Floats, int]:
    """Cut `c` in place by neuron j; its pre-activations and sizes at old and new vertices, and contradictions."""
    cells, entries, pooled, vertices = len(c.start), len(c.start), len(c.pool), len(c.vertices)
    state = np.empty(cells, np.int8)
    more_cells, more_entries, more_vertices = classify(
        j, c.members, c.counts, c.start, c.length, c.pool, state, c.row, z, (size, reach)
    )
    entries = cells + more_cells
    most = int(c.counts.max()) + more_cells
    c.members = _extended(c.members.T, max(most, c.members.shape[1])).T
    c.start, c.length, c.row = (_extended(a, entries) for a in (c.start, c.length, c.row))
    c.pool = _extended(c.pool, pooled + more_entries)
    c.vertices, z, size = (_extended(a, vertices + more_vertices) for a in (c.vertices, z, size))
    c.patterns = _extended(c.patterns, int(c.counts[-1]) + more_cells)
    state = _extended(state, entries)
    minus, between, region = (np.empty(entries, np.int64) for _ in range(3))
    region[c.members[-1, : c.counts[-1]]] = np.arange(c.counts[-1])
    ends = np.array([cells, pooled, vertices])
    contradictions = split(
        j, c.members, c.counts, c.start, c.length, c.pool, state, c.row,
        minus, between, ends, c.vertices, z, size, c.patterns, region, word,
    )  # fmt: skip
    c.patterns = c.patterns[: c.counts[-1]]
    return z, size, contradictions


def _extended(values: NDArray[Any], rows: int) -> Any:
    """`values` at the start of an array of `rows` rows; what follows is unset."""
    longer = np.empty((rows, *values.shape[1:]), values.dtype)
    longer[: len(values)] = values
    return longer
