"""One hidden layer over a planar complex: cut, record which neurons are positive where, apply σ; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from isthmus.regions.cutting import cut_layer
from isthmus.regions.half_edges import FACE, ORIGIN, OUTSIDE


@njit(cache=True, error_model="numpy")
def record_layer(patterns: Any, word: int, halves: Any, faces: Any, signs: Any) -> Any:
    """The patterns of all faces after a layer: those of the faces they were cut from, and the layer's signs.

    Args:
        patterns: Of the faces before the layer, `(≤ F, words)`.
        word: The layer's first word.
        halves: The half-edges after it.
        faces: One half-edge of each face and its parent, after it.
        signs: The layer's signs at the vertices.

    Returns:
        Patterns `(F, words)`, and the number of faces that hold both signs of one neuron: 0 unless rounding exceeded
        its bound.
    """
    nf, words = len(faces), signs.shape[2]
    recorded = np.empty((nf, patterns.shape[1]), np.uint64)
    recorded[: len(patterns)] = patterns
    for f in range(len(patterns), nf):  # in this order: a new face may have been cut from another new one
        recorded[f] = recorded[faces[f, 1]]
    below = np.zeros((nf, words), np.uint64)
    recorded[:, word : word + words] = 0
    for h in range(len(halves)):
        f, v = halves[h, FACE], halves[h, ORIGIN]
        for w in range(words):
            recorded[f, word + w] |= signs[v, 0, w]
            below[f, w] |= signs[v, 1, w]
    recorded[OUTSIDE] = 0
    contradictions = 0
    for f in range(1, nf):
        both = np.uint64(0)
        for w in range(words):
            both |= recorded[f, word + w] & below[f, w]
        contradictions += int(both != 0)
    return recorded, contradictions


@njit(cache=True, error_model="numpy")
def activate(z: Any, negative_slope: float, place: Any) -> None:
    """Apply σ to `z` `(V, n)` in place and write the norm of each row to the last column of `place`."""
    for v in range(len(z)):
        total = 0.0
        for k in range(z.shape[1]):
            value = z[v, k] if z[v, k] > 0.0 else negative_slope * z[v, k]
            z[v, k] = value
            total += value * value
        place[v, 2] = np.sqrt(total)


@njit(cache=True, error_model="numpy")
def pass_layer(
    place: Any,
    z: Any,
    outgoing: Any,
    halves: Any,
    faces: Any,
    patterns: Any,
    word: int,
    negative_slope: float,
    reach: Any,
    budget: int,
) -> Any:
    """Cut by one layer, record its signs and apply σ: the arrays after it, contradictions, neurons handled."""
    place, z, outgoing, halves, faces, signs, contradictions, handled = cut_layer(
        place, z, outgoing, halves, faces, reach, budget
    )
    patterns, mixed = record_layer(patterns, word, halves, faces, signs)
    activate(z, negative_slope, place)
    return place, z, outgoing, halves, faces, patterns, contradictions + mixed, handled
