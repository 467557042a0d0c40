"""All linear regions of a network on a box of any small dimension, as a complex of convex cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PrecisionError
from isthmus.foundation.progress import Report, silent
from isthmus.regions.affine_pieces import words_of
from isthmus.regions.cell_cutting import (
    CUT_BY,
    LENGTH,
    ROW,
    START,
    corner_lists,
    facet_pairs,
    needed,
    record_cells,
    sign_cells,
    split,
)
from isthmus.regions.conditioning import Conditioned

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(eq=False)
class CellComplex:
    """Cells of every dimension with their boundaries; `cell_cutting` gives the convention.

    Attributes:
        members: Cells of each dimension, `(d + 1, ≥ count)`.
        counts: How many there are, `(d + 1,)`: the last entry is the number of regions.
        cells: `(≥ C, 6)`.
        pool: Boundaries.
        ends: Cells, entries of `pool` and vertices in use.
        vertices: Coordinates, `(≥ V, d)`.
        patterns: Bit-packed activation patterns of the regions, `(≥ N, words)`.
    """

    members: NDArray[np.int32]
    counts: Integers
    cells: NDArray[np.int32]
    pool: NDArray[np.int32]
    ends: Integers
    vertices: Floats
    patterns: NDArray[np.uint64]

    def corners(self) -> tuple[Integers, NDArray[np.int32]]:
        """The vertices of each region in CSR form."""
        offsets, rows = corner_lists(self.members, self.counts, self.cells, self.pool)
        return offsets, rows

    def neighbours(self) -> Integers:
        """Pairs of regions that share a facet, `(M, 2)`."""
        pairs = facet_pairs(self.members, self.counts, self.cells, self.pool)
        # One number a pair: numpy sorts rows ten times more slowly.
        return np.stack(np.divmod(np.unique(pairs @ [self.counts[-1], 1]), self.counts[-1]), axis=1)


def box_complex(lower: Floats, upper: Floats, words: int) -> CellComplex:
    """The complex of one box: $3^d$ faces, one for each way to fix coordinates low or high or leave them free."""
    d = len(lower)
    faces = sorted(product((0, 1, 2), repeat=d), key=lambda f: f.count(2))
    number = {face: i for i, face in enumerate(faces)}
    members = np.zeros((d + 1, 3**d), np.int32)
    counts = np.zeros(d + 1, np.int64)
    cells = np.full((3**d, 6), -1, np.int32)
    pool: list[int] = []
    for i, face in enumerate(faces):
        k = face.count(2)
        members[k, counts[k]] = i
        cells[i, ROW] = counts[k]
        counts[k] += 1
        boundary = [number[(*face[:a], end, *face[a + 1 :])] for a in range(d) if face[a] == 2 for end in (0, 1)]
        cells[i, START], cells[i, LENGTH] = len(pool), len(boundary)
        pool += boundary
    vertices = np.array([[(lower, upper)[end][a] for a, end in enumerate(face)] for face in faces if 2 not in face])
    ends = np.array([3**d, len(pool), 2**d])
    patterns = np.zeros((1, words), np.uint64)
    return CellComplex(members, counts, cells, np.array(pool, np.int32), ends, vertices, patterns)


def cell_complex(
    network: Conditioned, lower: Floats, upper: Floats, budget: int, report: Report = silent
) -> tuple[CellComplex, tuple[int, int] | None]:
    """Cut a box along the zero sets of all hidden neurons, layer by layer, neuron by neuron.

    The number of cells of all dimensions is near $2^d$ times the number of regions.

    Args:
        network: With d inputs.
        lower: Of the box in its coordinates, `(d,)`.
        upper: Of the box, `(d,)`.
        budget: Largest number of regions.
        report: Told after each layer.

    Returns:
        The complex; and where there are more regions than `budget`, the layer and the number of its neurons after
        which cutting stopped, else None.

    Raises:
        PrecisionError: If rounding makes the signs of a cell contradict each other.
    """
    weights, biases, negative_slope = network.weights, network.biases, network.negative_slope
    words = words_of([len(b) for b in biases[:-1]])
    c = box_complex(lower, upper, words[-1])
    read = c.vertices
    for layer, (w, b) in enumerate(zip(weights[:-1], biases[:-1], strict=True), start=1):
        reach = network.reaches[layer - 1]
        z, handled, contradictions = _pass(
            c, read @ w.T + b, np.linalg.norm(read, axis=1), reach, words[layer - 1], budget
        )
        report(layer / len(weights), f"{int(c.counts[-1]):,} regions")
        if c.counts[-1] > budget:
            return _trimmed(c), (layer, handled)
        if contradictions:
            raise PrecisionError(layer, contradictions)
        read = np.where(z > 0.0, z, negative_slope * z)
    return _trimmed(c), None


def _pass(c: CellComplex, z: Floats, size: Floats, reach: Floats, word: int, budget: int) -> tuple[Floats, int, int]:
    """Cut `c` in place by one layer; its pre-activations at all vertices, neurons handled, contradictions."""
    signs = np.empty((len(c.cells), 2, (z.shape[1] + 63) // 64), np.uint64)
    sign_cells(c.members, c.counts, c.cells, c.pool, z, size, reach, signs)
    c.cells[:, CUT_BY] = -1
    contradictions = handled = 0
    while handled < z.shape[1] and c.counts[-1] <= budget:
        more_cells, more_entries, more_vertices, vanishes = needed(handled, c.members, c.counts, c.cells, c.pool, signs)
        cells, entries, vertices = c.ends
        c.cells, signs = (_roomy(a, cells, cells + more_cells) for a in (c.cells, signs))
        c.pool = _roomy(c.pool, entries, entries + more_entries)
        c.vertices, z, size = (_roomy(a, vertices, vertices + more_vertices) for a in (c.vertices, z, size))
        c.patterns = _roomy(c.patterns, c.counts[-1], c.counts[-1] + more_cells)
        if c.counts.max() + more_cells > c.members.shape[1]:
            wider = np.empty((len(c.members), (c.counts.max() + more_cells) * 3 // 2), np.int32)
            wider[:, : c.members.shape[1]] = c.members
            c.members = wider
        contradictions += split(
            handled,
            vanishes,
            c.members,
            c.counts,
            c.cells,
            c.pool,
            signs,
            c.ends,
            c.vertices,
            z,
            size,
            reach,
            c.patterns,
        )
        handled += 1
    mixed = record_cells(c.members, c.counts, c.cells, signs, c.patterns, word)
    return z[: c.ends[2]], handled, contradictions + mixed


def _trimmed(c: CellComplex) -> CellComplex:
    """Without the room at the ends."""
    cells, entries, vertices = c.ends
    return replace(
        c,
        members=c.members[:, : c.counts.max()],
        cells=c.cells[:cells],
        pool=c.pool[:entries],
        vertices=c.vertices[:vertices],
        patterns=c.patterns[: c.counts[-1]],
    )


def _roomy(values: NDArray[Any], used: int, rows: int) -> Any:
    """`values` with at least `rows` rows: itself, or the `used` ones in an array half as large again."""
    if rows <= len(values):
        return values
    longer = np.empty((rows * 3 // 2, *values.shape[1:]), values.dtype)
    longer[:used] = values[:used]
    return longer
