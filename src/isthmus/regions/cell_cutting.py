"""Cutting a complex of convex cells of every dimension along the zero sets of one layer's neurons; compiled.

A cell of dimension k is known by its boundary, the cells of dimension k − 1 around it; vertices are cells of dimension
0. Cells are numbered across dimensions: `members[k, i]` lists those of dimension k, and a row of `cells` `(C, 6)` has
the columns below. The boundary of cell c is `pool[cells[c, START] : cells[c, START] + cells[c, LENGTH]]`.

`signs` `(C, 2, words)` says for each cell which neurons of the layer are positive, and which are negative, at some
corner of it; both: the neuron cuts the cell; neither: it vanishes there. So a cut looks only at three-valued signs,
never at coordinates. A cut cell keeps its number for its positive part, and gets a new cell for its negative part and
a new cell one dimension lower between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from isthmus.regions.signs import decide_signs

START, LENGTH = 0, 1
ROW = 2  # of a vertex: its row in the coordinates; of a region: its row in the patterns
NEGATIVE, BETWEEN = 3, 4  # of a cell that the neuron CUT_BY has cut: its negative part, and what lies between
CUT_BY = 5


@njit(cache=True, error_model="numpy")
def sign_cells(members: Any, counts: Any, cells: Any, pool: Any, z: Any, size: Any, reach: Any, signs: Any) -> None:
    """Signs of every neuron of a layer on every cell, from the corners up."""
    for i in range(counts[0]):
        c = members[0, i]
        _sign_vertex(c, cells[c, ROW], z, size, reach, signs)
    for k in range(1, len(counts)):
        for i in range(counts[k]):
            _gather(members[k, i], cells, pool, signs)


@njit(cache=True, error_model="numpy", forceinline=True)
def _sign_vertex(c: int, vertex: int, z: Any, size: Any, reach: Any, signs: Any) -> None:
    # The signs of vertex v are decided at row v and belong to cell c: cells number all dimensions, rows only vertices.
    decide_signs(vertex, c, z, size[vertex], reach, signs)


@njit(cache=True, error_model="numpy", forceinline=True)
def _gather(c: int, cells: Any, pool: Any, signs: Any) -> None:
    """The signs on cell c are those on its boundary."""
    for s in range(2):
        for w in range(signs.shape[2]):
            word = np.uint64(0)
            for p in range(cells[c, START], cells[c, START] + cells[c, LENGTH]):
                word |= signs[pool[p], s, w]
            signs[c, s, w] = word


@njit(cache=True, error_model="numpy", forceinline=True)
def _state(j: int, c: int, signs: Any) -> Any:
    """0: neuron j vanishes on cell c, 1: positive, 2: negative, 3: both."""
    shift = np.uint64(j & 63)
    up, down = signs[c, 0, j >> 6] >> shift, signs[c, 1, j >> 6] >> shift
    return np.int64(up & np.uint64(1)) | (np.int64(down & np.uint64(1)) << 1)


@njit(cache=True, error_model="numpy")
def needed(j: int, members: Any, counts: Any, cells: Any, pool: Any, signs: Any) -> tuple[int, int, int, bool]:
    """How many cells, pool entries and vertices cutting by neuron j will add, and whether it vanishes on a cell."""
    new_cells = entries = vertices = 0
    vanishes = False
    for k in range(len(counts)):
        for i in range(counts[k]):
            c = members[k, i]
            state = _state(j, c, signs)
            vanishes |= state == 0
            if state == 3:
                new_cells += 2
                vertices += int(k == 1)
                entries += 3 * cells[c, LENGTH] + 2
    if vanishes:
        for k in range(2, len(counts)):
            for i in range(counts[k]):
                c = members[k, i]
                if _state(j, c, signs) == 3:
                    for p in range(cells[c, START], cells[c, START] + cells[c, LENGTH]):
                        entries += cells[pool[p], LENGTH]
    return new_cells, entries, vertices, vanishes


@njit(cache=True, error_model="numpy")
def split(
    j: int, vanishes: bool, members: Any, counts: Any, cells: Any, pool: Any, signs: Any, ends: Any,
    x: Any, z: Any, size: Any, reach: Any, patterns: Any,
) -> int:  # fmt: skip
    """Split every cell that neuron j cuts, from edges up; the number of cells that contradict themselves.

    Args:
        j: The neuron.
        vanishes: As `needed` says.
        members: As above; likewise counts, cells, pool, signs, with the room that `needed` asks for.
        counts: Advanced here.
        cells: See above.
        pool: See above.
        signs: See above.
        ends: Cells, pool entries and vertices so far, `(3,)`; advanced here.
        x: Coordinates of the vertices.
        z: Pre-activations at the vertices.
        size: Norm of what the layer reads at the vertices.
        reach: What counts as zero.
        patterns: Of the regions.
    """
    top = len(counts) - 1
    old = counts.copy()
    contradictions = 0
    for k in range(1, top + 1):
        for i in range(old[k]):
            c = members[k, i]
            if _state(j, c, signs) != 3:
                continue
            between, negative = ends[0], ends[0] + 1
            ends[0] += 2
            cells[c, NEGATIVE], cells[c, BETWEEN], cells[c, CUT_BY] = negative, between, j
            cells[between, CUT_BY] = cells[negative, CUT_BY] = -1
            if k == 1:
                _new_vertex(j, between, c, cells, pool, signs, ends, x, z, size, reach)
            _parts(j, c, k, vanishes, cells, pool, signs, ends)
            contradictions += int(cells[between, LENGTH] < k and k > 1)
            members[k - 1, counts[k - 1]] = between
            members[k, counts[k]] = negative
            counts[k - 1] += 1
            counts[k] += 1
            if k == top:
                cells[negative, ROW] = counts[k] - 1
                patterns[counts[k] - 1] = patterns[cells[c, ROW]]
    return contradictions


@njit(cache=True, error_model="numpy", forceinline=True)
def _parts(j: int, c: int, k: int, vanishes: bool, cells: Any, pool: Any, signs: Any, ends: Any) -> None:
    """Boundaries and signs of the positive part of cell c, of its negative part, and of what lies between."""
    begin, count = cells[c, START], cells[c, LENGTH]
    negative, between = cells[c, NEGATIVE], cells[c, BETWEEN]
    below, middle = ends[1], ends[1] + count + 1
    up, down, mid = begin, below, middle  # the positive part takes the place of the whole: it is read before written
    for p in range(begin, begin + count):
        facet = pool[p]
        if cells[facet, CUT_BY] == j:
            pool[up], pool[down], pool[mid] = facet, cells[facet, NEGATIVE], cells[facet, BETWEEN]
            up, down, mid = up + 1, down + 1, mid + 1
            continue
        state = _state(j, facet, signs)
        if state == 1:
            pool[up] = facet
            up += 1
        elif state == 2:
            pool[down] = facet
            down += 1
        if state == 1 and vanishes and k > 1:
            # What lies on the zero set belongs to one positive and one negative facet: taken once, here.
            for q in range(cells[facet, START], cells[facet, START] + cells[facet, LENGTH]):
                if _state(j, pool[q], signs) == 0:
                    pool[mid] = pool[q]
                    mid += 1
    pool[down] = between
    cells[negative, START], cells[negative, LENGTH] = below, down + 1 - below
    cells[between, START], cells[between, LENGTH] = down + 1, mid - middle
    ends[1] = _moved(middle, mid, down + 1, pool)
    cells[c, LENGTH] = up + 1 - begin
    if up == begin + count:  # no facet is negative all over, so there is one more now than there was room for
        cells[c, START] = ends[1]
        up = _moved(begin, up, ends[1], pool)
        ends[1] = up + 1
    pool[up] = between
    if k > 1:
        _gather(between, cells, pool, signs)
    _gather(c, cells, pool, signs)
    _gather(negative, cells, pool, signs)


@njit(cache=True, error_model="numpy", forceinline=True)
def _moved(begin: int, end: int, to: int, pool: Any) -> int:
    """Move entries of the pool towards `to`; where they end now."""
    for p in range(begin, end):
        pool[to + p - begin] = pool[p]
    return to + end - begin


@njit(cache=True, error_model="numpy", forceinline=True)
def _new_vertex(
    j: int, c: int, edge: int, cells: Any, pool: Any, signs: Any, ends: Any, x: Any, z: Any, size: Any, reach: Any
) -> None:
    """Make cell c the point of `edge` where neuron j vanishes."""
    u, v = cells[pool[cells[edge, START]], ROW], cells[pool[cells[edge, START] + 1], ROW]
    m = ends[2]
    t = z[u, j] / (z[u, j] - z[v, j])
    for i in range(x.shape[1]):
        x[m, i] = x[u, i] + t * (x[v, i] - x[u, i])  # exact on sides along an axis
    for i in range(z.shape[1]):
        z[m, i] = (1.0 - t) * z[u, i] + t * z[v, i]
    z[m, j] = 0.0
    size[m] = (1.0 - t) * size[u] + t * size[v]
    cells[c, ROW] = m
    ends[2] += 1
    _sign_vertex(c, m, z, size, reach, signs)


@njit(cache=True, error_model="numpy")
def record_cells(members: Any, counts: Any, cells: Any, signs: Any, patterns: Any, word: int) -> int:
    """Write a layer's signs into the patterns of the regions; the number of regions with both signs of one neuron."""
    top = len(counts) - 1
    contradictions = 0
    for i in range(counts[top]):
        c = members[top, i]
        both = np.uint64(0)
        for w in range(signs.shape[2]):
            patterns[cells[c, ROW], word + w] = signs[c, 0, w]
            both |= signs[c, 0, w] & signs[c, 1, w]
        contradictions += int(both != 0)
    return contradictions


@njit(cache=True, error_model="numpy")
def corner_lists(members: Any, counts: Any, cells: Any, pool: Any) -> Any:
    """The vertices of every region: offsets `(N + 1,)` and rows.

    Built from the edges up, one dimension at a time, so that what several regions share is found once. A corner of a
    k-dimensional polytope lies on at least k of its facets, so k − 1 of them need not be asked.
    """
    place = np.empty(len(cells), np.int32)
    seen = np.empty(counts[0], np.int32)
    offsets, found = np.arange(counts[0] + 1), np.empty(counts[0], np.int32)
    for i in range(counts[0]):
        place[members[0, i]], found[i] = i, cells[members[0, i], ROW]
    for k in range(1, len(counts)):
        below, lower = offsets, found
        offsets, found = np.zeros(counts[k] + 1, np.int64), np.empty(2 * len(lower) + 16, np.int32)
        seen[:] = -1
        total = 0
        for i in range(counts[k]):
            c = members[k, i]
            place[c] = i
            for p in range(cells[c, START], cells[c, START] + cells[c, LENGTH] - (k - 1)):
                facet = place[pool[p]]
                begin, end = below[facet], below[facet + 1]
                if total + end - begin > len(found):
                    more = np.empty(2 * len(found) + end - begin, np.int32)
                    more[:total] = found[:total]
                    found = more
                for q in range(begin, end):
                    vertex = lower[q]
                    # Without a branch, which would be mispredicted every other time.
                    found[total] = vertex
                    total += int(seen[vertex] != i)
                    seen[vertex] = i
            offsets[i + 1] = total
    return offsets, found[:total]


@njit(cache=True, error_model="numpy")
def facet_pairs(members: Any, counts: Any, cells: Any, pool: Any) -> Any:
    """Pairs of regions with a common facet, `(M, 2)`, by their rows in the patterns."""
    top = len(counts) - 1
    owner = np.full(len(cells), -1, np.int64)
    pairs = np.empty((counts[top - 1], 2), np.int64)
    count = 0
    for i in range(counts[top]):
        c = members[top, i]
        for p in range(cells[c, START], cells[c, START] + cells[c, LENGTH]):
            if owner[pool[p]] < 0:
                owner[pool[p]] = i
            else:
                pairs[count, 0], pairs[count, 1] = owner[pool[p]], i
                count += 1
    return pairs[:count]
