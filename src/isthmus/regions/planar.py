"""All linear regions of a network on a convex polygon in the plane, as one shared half-edge complex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PrecisionError
from isthmus.regions.cutting import activate, cut_layer, record_layer
from isthmus.regions.half_edges import AFTER, BEFORE, FACE, ORIGIN, OUTSIDE

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]
Words = NDArray[np.uint64]

# A pre-activation within this share of ‖W_j‖‖a‖ + |b_j| of zero is rounding, and counts as zero: decision 0008.
ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class PlanarComplex:
    """A planar complex of convex faces; `half_edges` gives the convention.

    Attributes:
        place: For each vertex its two coordinates and the norm of `values` there, `(V, 3)`.
        values: A function's values at the vertices, affine on each face, `(V, n)`.
        outgoing: A half-edge that starts at each vertex, `(V,)`.
        halves: `(2E, 4)`.
        faces: A half-edge of each face and the face it was cut from, `(F, 2)`; face 0 is the outside.
        patterns: Which neurons are positive on each face, bit-packed, each layer from a new word on, `(F, words)`.
    """

    place: Floats
    values: Floats
    outgoing: Integers
    halves: Integers
    faces: Integers
    patterns: Words

    @property
    def counts(self) -> tuple[int, int, int]:
        """V, E, F, the outside included."""
        return len(self.place), len(self.halves) // 2, len(self.faces)


def polygon_complex(corners: Floats, words: int) -> PlanarComplex:
    """The complex of one face, a convex polygon with `corners` `(m, 2)` counter-clockwise."""
    m = len(corners)
    e = np.arange(m)
    ahead, behind = (e + 1) % m, (e - 1) % m
    halves = np.empty((2 * m, 4), np.int32)
    inner, outer = halves[0::2], halves[1::2]
    inner[:, ORIGIN], inner[:, AFTER], inner[:, BEFORE], inner[:, FACE] = e, 2 * ahead, 2 * behind, 1
    outer[:, ORIGIN], outer[:, AFTER], outer[:, BEFORE] = ahead, 2 * behind + 1, 2 * ahead + 1
    outer[:, FACE] = OUTSIDE
    place = np.empty((m, 3))
    place[:, :2] = corners
    place[:, 2] = np.sqrt((corners * corners).sum(axis=1))
    faces = np.array([[1, 0], [0, 0]], np.int32)
    patterns = np.zeros((2, words), np.uint64)
    return PlanarComplex(place, np.ascontiguousarray(corners), (2 * e).astype(np.int32), halves, faces, patterns)


def cut(
    complex_: PlanarComplex, w: Floats, b: Floats, *, word: int, layer: int, budget: int
) -> tuple[PlanarComplex, int]:
    """Cut along the zero lines of the neurons $W a + b$, a the values of the complex.

    Args:
        complex_: What to cut.
        w: `(m, n)`.
        b: `(m,)`.
        word: Where in the patterns the signs go.
        layer: For messages.
        budget: Largest number of regions.

    Returns:
        The finer complex, its values the pre-activations $W a + b$ `(V, m)`, and the number of neurons handled: fewer
        than m if there are more regions than `budget`.

    Raises:
        PrecisionError: If the signs of a face contradict each other.
    """
    nv, ne, old = complex_.counts
    # Memory that is never touched costs nothing, and n lines rarely make more than n² crossings.
    room = len(b) ** 2
    z = np.empty((2 * nv + room, len(b)))
    np.matmul(complex_.values, w.T, out=z[:nv])
    z[:nv] += b
    place = _roomy(complex_.place, 2 * nv + room)
    outgoing = _roomy(complex_.outgoing, 2 * nv + room)
    halves = _roomy(complex_.halves, 4 * ne + 4 * room)
    faces = _roomy(complex_.faces, 2 * old + room)
    reach = np.empty((2, len(b)))
    reach[0] = ROUNDING * np.sqrt(np.einsum("ij,ij->i", w, w))
    reach[1] = ROUNDING * np.abs(b)
    place, z, outgoing, halves, faces, counts, signs, contradictions, handled = cut_layer(
        place, z, outgoing, halves, faces, complex_.counts, reach, budget + 1
    )
    nv, ne, nf = counts
    patterns = np.empty((nf, complex_.patterns.shape[1]), np.uint64)
    patterns[:old] = complex_.patterns
    contradictions += record_layer(patterns, word, old, counts, halves, faces, signs)
    if contradictions and handled == len(b):  # neurons that have not cut yet still change sign inside faces
        raise PrecisionError(layer, contradictions)
    finer = PlanarComplex(place[:nv], z[:nv], outgoing[:nv], halves[: 2 * ne], faces[:nf], patterns)
    return finer, handled


def _roomy(values: NDArray[np.generic], capacity: int) -> Any:
    """A copy of `values` at the start of an array of `capacity` rows."""
    copy = np.empty((capacity, *values.shape[1:]), values.dtype)
    copy[: len(values)] = values
    return copy


def activated(complex_: PlanarComplex, negative_slope: float) -> PlanarComplex:
    """The same complex with σ applied to its values, in place."""
    activate(complex_.values, negative_slope, complex_.place)
    return complex_


def planar_complex(
    weights: Sequence[Floats], biases: Sequence[Floats], negative_slope: float, corners: Floats, budget: int
) -> tuple[PlanarComplex, tuple[int, int] | None]:
    """Cut a convex polygon along the zero lines of all hidden neurons, layer by layer.

    Only the current layer's values are held, so memory follows the number of regions and one layer's width.

    Args:
        weights: $W_1, …, W_L$, float64; $W_1$ has two columns.
        biases: $b_1, …, b_L$.
        negative_slope: a in σ(z) = max(z, 0) + a min(z, 0).
        corners: Of the polygon, counter-clockwise, `(m, 2)`.
        budget: Largest number of regions.

    Returns:
        The complex, its values the outputs of the network; and where there are more regions than `budget`, the layer
        and the number of its neurons after which cutting stopped, else None.

    Raises:
        PrecisionError: If rounding makes the signs of a face contradict each other.
    """
    words = [(len(b) + 63) // 64 for b in biases[:-1]]
    result = polygon_complex(corners, sum(words))
    word = 0
    for layer, (w, b) in enumerate(zip(weights[:-1], biases[:-1], strict=True), start=1):
        result, handled = cut(result, w, b, word=word, layer=layer, budget=budget)
        if handled < len(b) or len(result.faces) - 1 > budget:
            return result, (layer, handled)
        result = activated(result, negative_slope)
        word += words[layer - 1]
    outputs = result.values @ weights[-1].T + biases[-1]
    final = PlanarComplex(result.place, outputs, result.outgoing, result.halves, result.faces, result.patterns)
    return final, None
