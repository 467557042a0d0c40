"""A planar complex of convex faces as half-edges, and the two ways to refine it; compiled.

Edge e has the two halves 2e and 2e + 1. Half h runs from its origin to the origin of its twin `h ^ 1` and has its face
on the left. Face 0 is what lies outside. `halves` is `(2E, 4)` with the columns below, one row a cache line's quarter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

ORIGIN, AFTER, BEFORE, FACE = 0, 1, 2, 3
OUTSIDE = 0


@njit(cache=True, error_model="numpy")
def split_edge(edge: int, new: int, vertex: int, halves: Any, outgoing: Any) -> None:
    """Put `vertex` on `edge` from a to b: it becomes a → vertex, and the edge `new` is vertex → b."""
    h, t = 2 * edge, 2 * edge + 1
    hn, tn = 2 * new, 2 * new + 1
    b = halves[t, ORIGIN]
    ahead, behind = halves[h, AFTER], halves[t, BEFORE]
    halves[hn, ORIGIN], halves[tn, ORIGIN], halves[t, ORIGIN] = vertex, b, vertex
    halves[hn, FACE], halves[tn, FACE] = halves[h, FACE], halves[t, FACE]
    halves[h, AFTER], halves[hn, BEFORE] = hn, h
    halves[hn, AFTER], halves[ahead, BEFORE] = ahead, hn
    halves[tn, AFTER], halves[t, BEFORE] = t, tn
    # The twin side may close on itself (a face with one more half between): read `behind` before writing it.
    halves[tn, BEFORE], halves[behind, AFTER] = behind, tn
    outgoing[vertex, 0], outgoing[b, 0] = hn, tn


@njit(cache=True, error_model="numpy")
def split_face(face: int, new: int, a: int, b: int, edge: int, halves: Any, faces: Any) -> None:
    """Join the origins of the halves a and b of `face` by `edge`; the way round from b becomes the face `new`."""
    there, back = 2 * edge, 2 * edge + 1
    before_a, before_b = halves[a, BEFORE], halves[b, BEFORE]
    halves[there, ORIGIN], halves[back, ORIGIN] = halves[a, ORIGIN], halves[b, ORIGIN]
    halves[before_b, AFTER], halves[back, BEFORE] = back, before_b
    halves[back, AFTER], halves[a, BEFORE] = a, back
    halves[before_a, AFTER], halves[there, BEFORE] = there, before_a
    halves[there, AFTER], halves[b, BEFORE] = b, there
    halves[back, FACE] = face
    halves[b, FACE] = new
    h = halves[b, AFTER]
    while h != b:
        halves[h, FACE] = new
        h = halves[h, AFTER]
    faces[face, 0] = a
    faces[new, 0] = b
    faces[new, 1] = face


@njit(cache=True, error_model="numpy")
def loops(halves: Any, faces: Any) -> Any:
    """The vertices round every face but the outside, counter-clockwise: offsets `(F,)` and vertex ids `(Σ,)`."""
    count = len(faces)
    offsets = np.zeros(count, np.int64)
    inside = 0
    for h in range(len(halves)):
        if halves[h, FACE] != OUTSIDE:
            offsets[halves[h, FACE]] += 1
            inside += 1
    for f in range(1, count):
        offsets[f] += offsets[f - 1]
    vertices = np.empty(inside, np.int32)
    for f in range(1, count):
        h = faces[f, 0]
        for i in range(offsets[f - 1], offsets[f]):
            vertices[i] = halves[h, ORIGIN]
            h = halves[h, AFTER]
    return offsets, vertices
