"""The part of a planar complex on which no single output leads: where a decision boundary can be; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from isthmus.regions.half_edges import AFTER, BEFORE, FACE, ORIGIN, OUTSIDE
from isthmus.regions.planar import PlanarComplex

_NOBODY = -1


def contested(complex_: PlanarComplex, margins: NDArray[np.float64]) -> PlanarComplex:
    """The complex without the faces at all of whose vertices one and the same output leads the others by the margin.

    Outputs are affine on a face, so such a lead holds on all of it: no two outputs tie there. What is left out becomes
    outside. Of a classifier few faces are left, those along its decision boundary.

    Args:
        complex_: Its values are at least two outputs. Its patterns are left out.
        margins: At each vertex, `(V,)`.
    """
    values = complex_.values
    leaders = values.argmax(axis=1)
    second = np.partition(values, -2, axis=1)[:, -2]
    leaders[values.max(axis=1) - second <= margins] = _NOBODY
    kept = _contested_faces(leaders, complex_.halves, len(complex_.faces))
    halves, faces, vertices = _restricted(kept, complex_.halves, complex_.faces, len(values))
    outgoing = np.zeros((len(vertices), 1), np.int32)
    outgoing[halves[:, ORIGIN], 0] = np.arange(len(halves))
    patterns = np.zeros((len(faces), 0), np.uint64)
    return PlanarComplex(complex_.place[vertices], values[vertices], outgoing, halves, faces, patterns)


@njit(cache=True, error_model="numpy")
def _contested_faces(leaders: Any, halves: Any, count: int) -> Any:
    """Which faces have no leader, or several, at their vertices, `(F,)`."""
    found = np.zeros(count, np.bool_)
    first = np.full(count, _NOBODY, np.int64)
    for h in range(len(halves)):
        face, leader = halves[h, FACE], leaders[halves[h, ORIGIN]]
        if leader == _NOBODY or first[face] not in (_NOBODY, leader):
            found[face] = True
        first[face] = leader
    found[OUTSIDE] = False
    return found


@njit(cache=True, error_model="numpy")
def _restricted(kept: Any, halves: Any, whole: Any, vertex_count: int) -> Any:
    """Of the `whole` faces the kept ones: half-edges `(2E', 4)`, faces `(F', 2)`, and their vertices' old numbers."""
    edges = np.full(len(halves) // 2, -1, np.int32)
    vertices = np.full(vertex_count, -1, np.int32)
    ne = nv = 0
    for h in range(len(halves)):
        if kept[halves[h, FACE]] or kept[halves[h ^ 1, FACE]]:
            if edges[h >> 1] < 0:
                edges[h >> 1] = ne
                ne += 1
            if vertices[halves[h, ORIGIN]] < 0:
                vertices[halves[h, ORIGIN]] = nv
                nv += 1
    numbers = np.cumsum(kept)  # the outside keeps its 0
    found = np.empty((2 * ne, 4), np.int32)
    faces = np.zeros((numbers[-1] + 1, 2), np.int32)
    for h in range(len(halves)):
        if edges[h >> 1] < 0:
            continue
        after = halves[h, AFTER]
        while edges[after >> 1] < 0:  # round the vertex to the next edge that is left: at the latest back along h
            after = halves[after ^ 1, AFTER]
        here, there = 2 * edges[h >> 1] + (h & 1), 2 * edges[after >> 1] + (after & 1)
        face = numbers[halves[h, FACE]] if kept[halves[h, FACE]] else OUTSIDE
        found[here, ORIGIN], found[here, AFTER], found[here, FACE] = vertices[halves[h, ORIGIN]], there, face
        found[there, BEFORE] = here
        if face == OUTSIDE or whole[halves[h, FACE], 0] == h:  # cuts begin at this one, and round by it
            faces[face, 0] = here
    old = np.empty(nv, np.int64)
    for v in range(vertex_count):
        if vertices[v] >= 0:
            old[vertices[v]] = v
    return found, faces, old
