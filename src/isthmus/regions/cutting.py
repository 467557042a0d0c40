"""Cutting a planar complex along the zero lines of one layer, neuron by neuron; compiled.

A cut never compares coordinates: it looks only at the three-valued signs of the neurons at the vertices, so rounding
can move a vertex by its last digits but cannot make faces overlap or leave a gap. Every cut makes one vertex, shared
by the faces on both sides. The arrays passed down are never reallocated below `cut_layer`: reassigning an array in
compiled code costs an atomic reference count at every use.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from isthmus.regions.half_edges import (
    AFTER,
    FACE,
    ORIGIN,
    OUTSIDE,
    split_edge,
    split_face,
)
from isthmus.regions.signs import (
    bits,
    crossed,
    decide_signs,
    file_edge,
    file_vertex,
    sign,
    vanished,
)


@njit(cache=True, error_model="numpy")
def _touch(face: int, j: int, marks: Any, touched: Any, count: int) -> int:
    """Count a zero of neuron j on the way round `face`; `marks` is `(F, 2)`: the last neuron that met it, its zeros."""
    if face != OUTSIDE:
        if marks[face, 0] != j:
            marks[face, 0] = j
            marks[face, 1] = 0
            touched[count, 0] = face
            count += 1
        marks[face, 1] += 1
    return count


@njit(cache=True, error_model="numpy")
def _cross(
    j: int,
    nv: int,
    ne: int,
    place: Any,
    z: Any,
    signs: Any,
    outgoing: Any,
    halves: Any,
    edge_head: Any,
    edge_entries: Any,
    zero_head: Any,
    zero_entries: Any,
    filed: Any,
    marks: Any,
    touched: Any,
    reach: Any,
) -> tuple[int, int, int]:
    """Split the edges that the zero line of neuron j crosses and collect the faces it touches."""
    n = reach.shape[1]
    met = 0
    i = zero_head[j]
    while i >= 0:
        start = outgoing[zero_entries[i, 0], 0]
        met = _touch(halves[start, FACE], j, marks, touched, met)
        h = halves[start ^ 1, AFTER]
        while h != start:
            met = _touch(halves[h, FACE], j, marks, touched, met)
            h = halves[h ^ 1, AFTER]
        i = zero_entries[i, 1]
    i = edge_head[j]
    while i >= 0:
        e = edge_entries[i, 0]
        i = edge_entries[i, 1]
        a, b = halves[2 * e, ORIGIN], halves[2 * e + 1, ORIGIN]
        if sign(signs, a, j) * sign(signs, b, j) >= 0:
            continue  # an earlier neuron split this edge: its other half was filed then, or its new vertex is a zero
        t = z[a, j] / (z[a, j] - z[b, j])
        for d in range(3):
            place[nv, d] = place[a, d] + t * (place[b, d] - place[a, d])  # exact on sides along an axis
        for k in range(z.shape[1]):
            z[nv, k] = (1.0 - t) * z[a, k] + t * z[b, k]
        z[nv, j] = 0.0
        decide_signs(nv, nv, z, place[nv, 2], reach, signs)
        split_edge(e, ne, nv, halves, outgoing)
        if j + 1 < n:
            filed[0] = file_edge(ne, nv, b, j + 1, signs, edge_head, edge_entries, filed[0])
            filed[1] = file_vertex(nv, j + 1, n, signs, zero_head, zero_entries, filed[1])
        met = _touch(halves[2 * e, FACE], j, marks, touched, met)
        met = _touch(halves[2 * e + 1, FACE], j, marks, touched, met)
        nv += 1
        ne += 1
    return nv, ne, met


@njit(cache=True, error_model="numpy")
def _ends_of_cut(face: int, j: int, halves: Any, faces: Any, signs: Any) -> tuple[int, int, int]:
    """The two halves of `face` that start on the zero line of neuron j where its sign turns, and how often it turns."""
    start = faces[face, 0]
    h = start
    now = sign(signs, halves[h, ORIGIN], j)
    while now == 0:
        h = halves[h, AFTER]
        now = sign(signs, halves[h, ORIGIN], j)
        if h == start:
            break
    start = h
    a, b, zero, turns = -1, -1, -1, 0
    going = now != 0
    while going:
        h = halves[h, AFTER]
        here = sign(signs, halves[h, ORIGIN], j)
        if here == 0:
            if zero < 0:
                zero = h
        else:
            if here != now:
                turns += 1
                a, b = b, zero
                now = here
            zero = -1
        going = h != start
    return a, b, turns


@njit(cache=True, error_model="numpy")
def _divide(
    j: int,
    n: int,
    ne: int,
    nf: int,
    met: int,
    signs: Any,
    halves: Any,
    faces: Any,
    edge_head: Any,
    edge_entries: Any,
    filed: Any,
    marks: Any,
    touched: Any,
) -> tuple[int, int, int]:
    """Divide the touched faces that have both signs of neuron j; new E and F, and the faces that contradict it."""
    contradictions = 0
    for i in range(met):
        face = touched[i, 0]
        if marks[face, 1] < 2:
            continue
        a, b, turns = _ends_of_cut(face, j, halves, faces, signs)
        if turns == 0:
            continue
        if turns != 2 or a < 0 or b < 0:
            contradictions += 1
            continue
        split_face(face, nf, a, b, ne, halves, faces)
        if j + 1 < n:
            u, v = halves[2 * ne, ORIGIN], halves[2 * ne + 1, ORIGIN]
            filed[0] = file_edge(ne, u, v, j + 1, signs, edge_head, edge_entries, filed[0])
        ne += 1
        nf += 1
    return ne, nf, contradictions


@njit(cache=True, error_model="numpy")
def _file_all(nv: int, ne: int, n: int, halves: Any, signs: Any) -> Any:
    """For every neuron the edges its zero line crosses and the vertices on it: two files, and their lengths."""
    filed = np.zeros(2, np.int64)
    for w in range(signs.shape[2]):
        for e in range(ne):
            filed[0] += bits(crossed(signs, halves[2 * e, ORIGIN], halves[2 * e + 1, ORIGIN], w))
        for v in range(nv):
            filed[1] += bits(vanished(signs, v, w, n))
    edge_head, zero_head = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    edge_entries, zero_entries = np.empty((2 * filed[0] + n, 2), np.int64), np.empty((2 * filed[1] + n, 2), np.int64)
    filed[:] = 0
    for e in range(ne):
        u, v = halves[2 * e, ORIGIN], halves[2 * e + 1, ORIGIN]
        filed[0] = file_edge(e, u, v, 0, signs, edge_head, edge_entries, filed[0])
    for v in range(nv):
        filed[1] = file_vertex(v, 0, n, signs, zero_head, zero_entries, filed[1])
    return edge_head, edge_entries, zero_head, zero_entries, filed


@njit(cache=True, error_model="numpy")
def _length(head: Any, entries: Any, j: int) -> int:
    length = 0
    i = head[j]
    while i >= 0:
        length += 1
        i = entries[i, 1]
    return length


@njit(cache=True, error_model="numpy")
def enlarged(values: Any, used: int, need: int) -> Any:
    """`values` with at least `need` rows: itself, or a copy of the `used` ones with half as much again."""
    if need <= len(values):
        return values
    grown = np.empty((need * 3 // 2 + 64, values.shape[1]), values.dtype)
    grown[:used] = values[:used]
    return grown


@njit(cache=True, error_model="numpy")
def _roomy(values: Any, capacity: int) -> Any:
    """A copy of `values` at the start of an array of `capacity` rows."""
    copy = np.empty((capacity, values.shape[1]), values.dtype)
    copy[: len(values)] = values
    return copy


@njit(cache=True, error_model="numpy")
def cut_layer(place: Any, z: Any, outgoing: Any, halves: Any, faces: Any, reach: Any, budget: int) -> Any:
    """Cut every face along the zero line of every neuron of one layer.

    Args:
        place: Coordinates of each vertex and the norm of what the layer reads there, `(V, 3)`.
        z: Pre-activations of the layer's n neurons at the vertices, `(≥ V, ≥ n)`; further columns do not cut, they
            are only carried along to new vertices. Overwritten.
        outgoing: One half-edge that starts at each vertex, `(V, 1)`.
        halves: The half-edges, `(2E, 4)`; see `half_edges`.
        faces: One half-edge of each face and the face it was cut from, `(F, 2)`; face 0 is the outside.
        reach: What counts as zero, `(2, n)`; see `signs.decide_signs`.
        budget: Stop once F exceeds this.

    Returns:
        The five arrays of the finer complex, the signs at its vertices `(V, 2, words)`, the number of faces whose
        signs contradict each other (0 unless rounding exceeded `reach`), and the number of neurons handled.
    """
    nv, ne, nf = len(place), len(halves) // 2, len(faces)
    n = reach.shape[1]
    # Memory that is never touched costs nothing, and n lines rarely make more than n² crossings.
    room = n * n
    place, outgoing = _roomy(place, 2 * nv + room), _roomy(outgoing, 2 * nv + room)
    z = enlarged(z, nv, 2 * nv + room)
    halves, faces = _roomy(halves, 4 * ne + 4 * room), _roomy(faces, 2 * nf + room)
    signs = np.empty((len(place), 2, (n + 63) >> 6), np.uint64)
    for v in range(nv):
        decide_signs(v, v, z, place[v, 2], reach, signs)
    edge_head, edge_entries, zero_head, zero_entries, filed = _file_all(nv, ne, n, halves, signs)
    marks = np.full((len(faces), 2), -1, np.int32)
    touched = np.empty((len(faces), 1), np.int64)
    contradictions = handled = 0
    while handled < n and nf <= budget:
        j = handled
        waiting = _length(edge_head, edge_entries, j)
        if nv + waiting > len(place):
            more = nv + waiting
            place, z, outgoing = enlarged(place, nv, more), enlarged(z, nv, more), enlarged(outgoing, nv, more)
            grown = np.empty((len(place), 2, signs.shape[2]), np.uint64)
            grown[:nv] = signs[:nv]
            signs = grown
        halves = enlarged(halves, 2 * ne, 2 * (ne + waiting))
        edge_entries = enlarged(edge_entries, filed[0], filed[0] + waiting * (n - j))
        zero_entries = enlarged(zero_entries, filed[1], filed[1] + waiting * (n - j))
        nv, ne, met = _cross(
            j, nv, ne, place, z, signs, outgoing, halves,
            edge_head, edge_entries, zero_head, zero_entries, filed, marks, touched, reach,
        )  # fmt: skip
        if nf + met > len(faces):
            faces, touched = enlarged(faces, nf, nf + met), enlarged(touched, met, nf + met)
            fresh = np.full((len(faces), 2), -1, np.int32)
            fresh[:nf] = marks[:nf]
            marks = fresh
        halves = enlarged(halves, 2 * ne, 2 * (ne + met))
        edge_entries = enlarged(edge_entries, filed[0], filed[0] + met * (n - j))
        ne, nf, bad = _divide(j, n, ne, nf, met, signs, halves, faces, edge_head, edge_entries, filed, marks, touched)
        contradictions += bad
        handled += 1
    return place[:nv], z[:nv], outgoing[:nv], halves[: 2 * ne], faces[:nf], signs[:nv], contradictions, handled
