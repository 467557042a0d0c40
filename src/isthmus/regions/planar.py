"""All linear regions of a network on a convex polygon in the plane, as one shared half-edge complex."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PrecisionError
from isthmus.foundation.progress import Report, silent
from isthmus.regions.affine_pieces import words_of
from isthmus.regions.conditioning import Conditioned
from isthmus.regions.half_edges import (
    AFTER,
    BEFORE,
    FACE,
    ORIGIN,
    OUTSIDE,
)
from isthmus.regions.layer_pass import pass_layer

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]
Words = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class PlanarComplex:
    """A planar complex of convex faces; `half_edges` gives the convention.

    Attributes:
        place: For each vertex its two coordinates, and the size against which rounding there is measured: the norm of
            `values`, or for outputs the largest ‖W_j‖‖a‖ + |b_j|, `(V, 3)`.
        values: A function's values at the vertices, affine on each face, `(V, n)`.
        outgoing: A half-edge that starts at each vertex, `(V, 1)`.
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


@functools.cache
def _ring(m: int) -> Integers:
    """The half-edges of one face with m corners."""
    e = np.arange(m)
    ahead, behind = (e + 1) % m, (e - 1) % m
    halves = np.empty((2 * m, 4), np.int32)
    inner, outer = halves[0::2], halves[1::2]
    inner[:, ORIGIN], inner[:, AFTER], inner[:, BEFORE], inner[:, FACE] = e, 2 * ahead, 2 * behind, 1
    outer[:, ORIGIN], outer[:, AFTER], outer[:, BEFORE] = ahead, 2 * behind + 1, 2 * ahead + 1
    outer[:, FACE] = OUTSIDE
    return halves


def polygon_complex(corners: Floats, words: int) -> PlanarComplex:
    """The complex of one face, a convex polygon with `corners` `(m, 2)` counter-clockwise."""
    m = len(corners)
    place = np.empty((m, 3))
    place[:, :2] = corners
    place[:, 2] = np.sqrt((corners * corners).sum(axis=1))
    faces = np.array([[1, 0], [0, 0]], np.int32)
    patterns = np.zeros((2, words), np.uint64)
    return PlanarComplex(
        place,
        np.ascontiguousarray(corners),
        (2 * np.arange(m, dtype=np.int32))[:, None],
        _ring(m).copy(),
        faces,
        patterns,
    )


def planar_complex(
    network: Conditioned, corners: Floats, budget: int, report: Report = silent
) -> tuple[PlanarComplex, tuple[int, int] | None]:
    """Cut a convex polygon along the zero lines of all hidden neurons, layer by layer.

    Only the current layer's values are held, so memory follows the number of regions and one layer's width.

    Args:
        network: With two inputs.
        corners: Of the polygon in its coordinates, counter-clockwise, `(m, 2)`.
        budget: Largest number of regions.
        report: Told after each layer.

    Returns:
        The complex, its values the outputs of the network; and where there are more regions than `budget`, the layer
        and the number of its neurons after which cutting stopped, else None.

    Raises:
        PrecisionError: If rounding makes the signs of a face contradict each other.
    """
    weights, biases = network.weights, network.biases
    words = words_of([len(b) for b in biases[:-1]])
    c = polygon_complex(corners, words[-1])
    patterns = c.patterns  # in time with more rows than there are faces
    for layer, (w, b) in enumerate(zip(weights[:-1], biases[:-1], strict=True), start=1):
        reach = network.reaches[layer - 1]
        z = np.empty((2 * len(c.place) + len(b) ** 2, len(b)))  # with the room that cutting will want
        np.matmul(c.values, w.T, out=z[: len(c.place)])
        z[: len(c.place)] += b
        *arrays, patterns, contradictions, handled = pass_layer(
            c.place,
            z,
            c.outgoing,
            c.halves,
            c.faces,
            patterns,
            words[layer - 1],
            network.negative_slope,
            reach,
            budget + 1,
        )
        place, values, outgoing, halves, faces = arrays
        c = PlanarComplex(place, values, outgoing, halves, faces, patterns[: len(faces)])
        report(layer / len(weights), f"{len(faces) - 1:,} regions")
        if len(faces) - 1 > budget:
            c.patterns[:, words[layer] :] = 0  # no later layer was seen
            return c, (layer, handled)
        if contradictions:
            raise PrecisionError(layer, contradictions)
    outputs = c.values @ weights[-1].T + biases[-1]
    c.place[:, 2] = (
        c.place[:, 2] * np.sqrt(np.einsum("ij,ij->i", weights[-1], weights[-1])).max() + abs(biases[-1]).max()
    )
    return PlanarComplex(c.place, outputs, c.outgoing, c.halves, c.faces, c.patterns), None
