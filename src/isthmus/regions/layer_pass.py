"""One hidden layer over a planar complex: cut, record which neurons are positive where, apply σ; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from isthmus.regions.cutting import cut_layer, enlarged
from isthmus.regions.half_edges import FACE, ORIGIN, OUTSIDE


@njit(cache=True, error_model="numpy")
def record_layer(patterns: Any, before: int, word: int, halves: Any, faces: Any, signs: Any) -> Any:
    """The patterns of all faces after a layer: those of the faces they were cut from, and the layer's signs.

    Only what is new is written: a copy of all patterns at every layer took as long as all cutting.

    Args:
        patterns: Of the faces before the layer, `(≥ before, ≥ words)`. Overwritten.
        before: How many faces there were.
        word: The layer's first word; what later words hold is left as it is.
        halves: The half-edges after it.
        faces: One half-edge of each face and its parent, after it.
        signs: The layer's signs at the vertices.

    Returns:
        Patterns `(≥ F, words)`, and the number of faces that hold both signs of one neuron: 0 unless rounding
        exceeded its bound.
    """
    nf, words = len(faces), signs.shape[2]
    recorded = enlarged(patterns, before, nf)
    for f in range(before, nf):  # in this order: a new face may have been cut from another new one
        recorded[f, :word] = recorded[faces[f, 1], :word]
    # Beside each other and apart from the patterns: faces come in no order, and each costs a visit to memory.
    both = np.zeros((nf, 2, words), np.uint64)
    for h in range(len(halves)):
        f, v = halves[h, FACE], halves[h, ORIGIN]
        for w in range(words):
            both[f, 0, w] |= signs[v, 0, w]
            both[f, 1, w] |= signs[v, 1, w]
    both[OUTSIDE] = 0
    contradictions = 0
    for f in range(nf):
        mixed = np.uint64(0)
        for w in range(words):
            recorded[f, word + w] = both[f, 0, w]
            mixed |= both[f, 0, w] & both[f, 1, w]
        contradictions += int(mixed != 0)
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
    before = len(faces)
    place, z, outgoing, halves, faces, signs, contradictions, handled = cut_layer(
        place, z, outgoing, halves, faces, reach, budget
    )
    patterns, mixed = record_layer(patterns, before, word, halves, faces, signs)
    activate(z, negative_slope, place)
    return place, z, outgoing, halves, faces, patterns, contradictions + mixed, handled
