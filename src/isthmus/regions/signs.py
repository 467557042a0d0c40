"""Three-valued signs of one layer's neurons at the vertices, bit-packed, and who crosses whom; compiled.

`signs` is `(V, 2, words)`: bit j of `signs[v, 0]` says that neuron j is positive at v, of `signs[v, 1]` that it is
negative; where neither is set it is zero. Files are linked lists, one a neuron: `head[j]` is the first entry,
`entries[i]` is (what is filed, the next entry).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@njit(cache=True, error_model="numpy")
def decide_signs(vertex: int, entry: int, z: Any, size: float, reach: Any, signs: Any) -> None:
    """Signs of all neurons at one vertex, written to `signs[entry]`; what is within rounding of zero becomes zero.

    `reach` is `(2, n)`: neuron j vanishes where |z| ≤ reach[0, j] · size + reach[1, j].
    """
    n = reach.shape[1]
    # Without branches: signs are as good as random, and a mispredicted branch costs more than the arithmetic.
    close = 0
    for k in range(n):
        close |= int(abs(z[vertex, k]) <= reach[0, k] * size + reach[1, k])
    for begin in range(0, n, 64):
        count = min(64, n - begin)
        up = np.uint64(0)
        for k in range(count):
            up |= np.uint64(z[vertex, begin + k] > 0.0) << np.uint64(k)
        signs[entry, 0, begin >> 6] = up
        signs[entry, 1, begin >> 6] = ~up & (_ALL >> np.uint64(64 - count))
    for k in range(n * close):
        if abs(z[vertex, k]) <= reach[0, k] * size + reach[1, k]:
            z[vertex, k] = 0.0
            kept = ~(_ONE << np.uint64(k & 63))
            signs[entry, 0, k >> 6] &= kept
            signs[entry, 1, k >> 6] &= kept


@njit(cache=True, error_model="numpy")
def sign(signs: Any, vertex: int, neuron: int) -> Any:
    """−1, 0 or +1."""
    word, shift = neuron >> 6, np.uint64(neuron & 63)
    up, down = (signs[vertex, 0, word] >> shift) & _ONE, (signs[vertex, 1, word] >> shift) & _ONE
    return np.int64(up) - np.int64(down)


@njit(cache=True, error_model="numpy")
def _lowest(word: Any) -> int:
    """Index of the lowest set bit."""
    index = 0
    for step in (32, 16, 8, 4, 2, 1):
        if word & ((_ONE << np.uint64(step)) - _ONE) == 0:
            index += step
            word >>= np.uint64(step)
    return index


@njit(cache=True, error_model="numpy")
def crossed(signs: Any, u: int, v: int, word: int) -> Any:
    """The neurons of one word with opposite signs at u and v."""
    return (signs[u, 0, word] & signs[v, 1, word]) | (signs[u, 1, word] & signs[v, 0, word])


@njit(cache=True, error_model="numpy")
def vanished(signs: Any, vertex: int, word: int, n: int) -> Any:
    """The neurons of one word that are zero at `vertex`."""
    return ~(signs[vertex, 0, word] | signs[vertex, 1, word]) & (_ALL >> np.uint64(64 - min(64, n - (word << 6))))


@njit(cache=True, error_model="numpy")
def file_edge(edge: int, u: int, v: int, since: int, signs: Any, head: Any, entries: Any, count: int) -> int:
    """File an edge from u to v with every neuron ≥ `since` whose zero line crosses it; the new number of entries."""
    for word in range(since >> 6, signs.shape[2]):
        found = crossed(signs, u, v, word)
        if word == since >> 6:
            found &= _ALL << np.uint64(since & 63)
        count = _file(edge, word, found, head, entries, count)
    return count


@njit(cache=True, error_model="numpy")
def file_vertex(vertex: int, since: int, n: int, signs: Any, head: Any, entries: Any, count: int) -> int:
    """File a vertex with every neuron ≥ `since` that vanishes there; the new number of entries."""
    for word in range(since >> 6, signs.shape[2]):
        found = vanished(signs, vertex, word, n)
        if word == since >> 6:
            found &= _ALL << np.uint64(since & 63)
        count = _file(vertex, word, found, head, entries, count)
    return count


@njit(cache=True, error_model="numpy")
def _file(what: int, word: int, found: Any, head: Any, entries: Any, count: int) -> int:
    while found != 0:
        k = (word << 6) + _lowest(found)
        found &= found - _ONE
        entries[count, 0] = what
        entries[count, 1] = head[k]
        head[k] = count
        count += 1
    return count


@njit(cache=True, error_model="numpy")
def bits(word: Any) -> int:
    """Number of set bits."""
    count = 0
    while word != 0:
        word &= word - _ONE
        count += 1
    return count
