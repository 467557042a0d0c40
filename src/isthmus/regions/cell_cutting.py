"""Cutting a complex of convex cells of every dimension by one hyperplane bent at its cells; compiled.

A cell of dimension k is known by its boundary, the cells of dimension k − 1 around it; vertices are cells of dimension
0. Cells carry numbers across dimensions; `members[k, i]` lists those of dimension k. The boundary of cell c is
`pool[start[c] : start[c] + length[c]]`. As in the plane, a cut looks only at three-valued signs, never at coordinates.

A cell's `state` for the neuron at hand has bit 1 if it has a positive corner and bit 2 if it has a negative one: 0 lies
on the zero set, 1 and 2 beside it, 3 is cut. A cut cell keeps its number for its positive part, gets a new cell for its
negative part, and a new cell one dimension lower between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

CUT = 3


@njit(cache=True, error_model="numpy")
def classify(
    j: int, members: Any, counts: Any, start: Any, length: Any, pool: Any, state: Any, row: Any, z: Any, limits: Any
) -> tuple[int, int, int]:
    """States of all cells for neuron j, from the corners up; cells, pool entries and vertices that cutting will add.

    Args:
        j: The neuron.
        members: Cells of each dimension, `(d + 1, ≥ count)`.
        counts: How many there are, `(d + 1,)`.
        start: Where each cell's boundary starts in `pool`.
        length: How many cells it has.
        pool: Boundaries.
        state: Written here.
        row: For a vertex its row in `z`.
        z: Pre-activations at the vertices, `(≥ V, n)`.
        limits: What is within rounding of zero: reach · size and offset, `(≥ V,)` and `(2, n)`, as a pair.
    """
    size, reach = limits
    for i in range(counts[0]):
        c = members[0, i]
        value, limit = z[row[c], j], reach[0, j] * size[row[c]] + reach[1, j]
        state[c] = 1 if value > limit else 2 if value < -limit else 0
    cells = entries = vertices = 0
    for k in range(1, len(counts)):
        for i in range(counts[k]):
            c = members[k, i]
            s = 0
            for p in range(start[c], start[c] + length[c]):
                s |= state[pool[p]]
            state[c] = s
            if s != CUT:
                continue
            cells += 2
            vertices += int(k == 1)
            entries += 2 * length[c] + 2
            for p in range(start[c], start[c] + length[c]):
                facet = pool[p]
                entries += int(state[facet] == CUT)
                if state[facet] == 1:
                    for q in range(start[facet], start[facet] + length[facet]):
                        entries += int(state[pool[q]] == 0)
    return cells, entries, vertices


@njit(cache=True, error_model="numpy")
def split(
    j: int, members: Any, counts: Any, start: Any, length: Any, pool: Any, state: Any, row: Any,
    minus: Any, between: Any, ends: Any, x: Any, z: Any, size: Any, patterns: Any, region: Any, word: int,
) -> int:  # fmt: skip
    """Split every cut cell, from edges up, and write bit j of the patterns; the number of cells that contradict.

    Args:
        j: The neuron.
        members: As in `classify`; likewise counts, start, length, pool, state, row, z.
        minus: For a cut cell the cell of its negative part; written here.
        between: For a cut cell the cell between its parts; written here.
        ends: Cells, pool entries and vertices so far, `(3,)`; advanced here.
        x: Coordinates of the vertices.
        size: Norm of what the layer reads at the vertices.
        patterns: Of the regions, `(≥ N, words)`.
        region: For a cell of full dimension its row in `patterns`.
        word: The layer's first word.
    """
    top = len(counts) - 1
    old = counts.copy()
    contradictions = 0
    bit = np.uint64(1) << np.uint64(j & 63)
    place = word + (j >> 6)
    for k in range(1, top + 1):
        for i in range(old[k]):
            c = members[k, i]
            if state[c] != CUT:
                if k == top and state[c] == 1:
                    patterns[region[c], place] |= bit
                continue
            zero, negative = ends[0], ends[0] + 1
            ends[0] += 2
            state[zero], state[negative] = 0, 2
            minus[c], between[c] = negative, zero
            begin, count = start[c], length[c]
            start[zero], length[zero] = ends[1], 0
            if k == 1:
                _new_vertex(j, pool[begin], pool[begin + 1], zero, ends, row, x, z, size)
            else:
                for p in range(begin, begin + count):
                    facet = pool[p]
                    if state[facet] == CUT:
                        pool[ends[1]] = between[facet]
                        ends[1] += 1
                    elif state[facet] == 1:
                        # A corner or face on the zero set belongs to one positive and one negative facet: once here.
                        for q in range(start[facet], start[facet] + length[facet]):
                            if state[pool[q]] == 0:
                                pool[ends[1]] = pool[q]
                                ends[1] += 1
                length[zero] = ends[1] - start[zero]
                contradictions += int(length[zero] < k)
            for part, own in ((c, 1), (negative, 2)):
                first = ends[1]
                for p in range(begin, begin + count):
                    facet = pool[p]
                    if state[facet] == own:
                        pool[ends[1]] = facet
                        ends[1] += 1
                    elif state[facet] == CUT:
                        pool[ends[1]] = facet if own == 1 else minus[facet]
                        ends[1] += 1
                pool[ends[1]] = zero
                ends[1] += 1
                start[part], length[part] = first, ends[1] - first
            members[k - 1, counts[k - 1]] = zero
            members[k, counts[k]] = negative
            counts[k - 1] += 1
            counts[k] += 1
            if k == top:
                region[negative] = counts[k] - 1
                patterns[region[negative]] = patterns[region[c]]
                patterns[region[c], place] |= bit
    return contradictions


@njit(cache=True, error_model="numpy")
def _new_vertex(j: int, a: int, b: int, new: int, ends: Any, row: Any, x: Any, z: Any, size: Any) -> None:
    """The point of the edge from a to b where neuron j vanishes."""
    u, v, m = row[a], row[b], ends[2]
    t = z[u, j] / (z[u, j] - z[v, j])
    for i in range(x.shape[1]):
        x[m, i] = (1.0 - t) * x[u, i] + t * x[v, i]
    for i in range(z.shape[1]):
        z[m, i] = (1.0 - t) * z[u, i] + t * z[v, i]
    z[m, j] = 0.0
    size[m] = (1.0 - t) * size[u] + t * size[v]
    row[new] = m
    ends[2] += 1


@njit(cache=True, error_model="numpy")
def corner_lists(members: Any, counts: Any, start: Any, length: Any, pool: Any, row: Any) -> Any:
    """The vertices of every cell of full dimension: offsets `(N + 1,)` and rows, found by walking down."""
    top = len(counts) - 1
    offsets = np.zeros(counts[top] + 1, np.int64)
    found = np.empty(16 * counts[top] + 16, np.int64)
    seen = np.full(len(start), -1, np.int64)
    queue = np.empty(len(start), np.int64)
    total = 0
    for i in range(counts[top]):
        queue[0] = members[top, i]
        head, tail = 0, 1
        while head < tail:
            c = queue[head]
            head += 1
            if length[c] == 0:
                if total == len(found):
                    more = np.empty(2 * len(found), np.int64)
                    more[:total] = found
                    found = more
                found[total] = row[c]
                total += 1
            for p in range(start[c], start[c] + length[c]):
                if seen[pool[p]] != i:
                    seen[pool[p]] = i
                    queue[tail] = pool[p]
                    tail += 1
        offsets[i + 1] = total
    return offsets, found[:total]


@njit(cache=True, error_model="numpy")
def facet_pairs(members: Any, counts: Any, start: Any, length: Any, pool: Any) -> Any:
    """Pairs of cells of full dimension with a common facet, `(M, 2)`, by their places in `members`."""
    top = len(counts) - 1
    owner = np.full(len(start), -1, np.int64)
    pairs = np.empty((counts[top - 1], 2), np.int64)
    count = 0
    for i in range(counts[top]):
        c = members[top, i]
        for p in range(start[c], start[c] + length[c]):
            facet = pool[p]
            if owner[facet] < 0:
                owner[facet] = i
            else:
                pairs[count, 0], pairs[count, 1] = owner[facet], i
                count += 1
    return pairs[:count]
