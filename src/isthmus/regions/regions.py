"""The linear regions of a network on a bounded domain, as a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.errors import DomainError
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected
from isthmus.regions.affine_pieces import (
    clearances,
    jacobians,
    singular_values,
    words_of,
)
from isthmus.regions.boundary import DecisionBoundary, decision_boundary, tripoints
from isthmus.regions.cells import CellComplex
from isthmus.regions.exact_ranks import (
    bottleneck_bracket,
    jacobian_rank_over,
    ranks_of,
    rational_rank_over,
)
from isthmus.regions.geometry import areas, middles, perimeters
from isthmus.regions.half_edges import FACE, loops
from isthmus.regions.hull import AffineHull, affine_hulls
from isthmus.regions.merging import connected_pieces, distinct_pieces
from isthmus.regions.planar import PlanarComplex
from isthmus.regions.plane import Plane
from isthmus.regions.region import Region
from isthmus.spectra import RankEstimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Regions:
    r"""All linear regions of a network f on a bounded domain Ω: sized, indexable, iterable.

    A *region* is a cell of the arrangement of all hidden neurons: a maximal set with interior on which no hidden
    neuron changes its sign (an activation region). Neighbouring regions can share one affine map, where a neuron has
    no effect on the output: `count_pieces` counts by affine map instead.

    Attributes:
        network: f in the coordinates of Ω, float64; where Ω is a slice the plane is absorbed by its first layer.
        plane: The slice, or None.
        vertices: Corners of all regions, `(V, d)`, in the coordinates of Ω.
        patterns: Bit-packed activation patterns `(N, words)`, each hidden layer from a new word on.
        is_complete: False where a budget stopped the enumeration: then later neurons have not cut yet.
        planar: The half-edge complex in two dimensions, else None; its face i + 1 is region i.
        spatial: The complex of cells in any other dimension, else None.
        ambient: f in its own inputs; `network` unless Ω is a slice.
    """

    network: FullyConnected
    plane: Plane | None
    vertices: Floats
    patterns: NDArray[np.uint64]
    ambient: FullyConnected
    planar: PlanarComplex | None = None
    spatial: CellComplex | None = None
    is_complete: bool = field(default=True)

    @staticmethod
    def of_planar(
        network: FullyConnected,
        ambient: FullyConnected,
        plane: Plane | None,
        planar: PlanarComplex,
        *,
        is_complete: bool = True,
    ) -> Regions:
        """The regions that the faces of `planar` are."""
        return Regions(
            network,
            plane,
            planar.place[:, :2],
            planar.patterns[1:],
            ambient,
            planar=planar,
            is_complete=is_complete,
        )

    @staticmethod
    def of_cells(network: FullyConnected, spatial: CellComplex, *, is_complete: bool = True) -> Regions:
        """The regions that the cells of full dimension of `spatial` are."""
        return Regions(
            network,
            None,
            spatial.vertices,
            spatial.patterns,
            network,
            spatial=spatial,
            is_complete=is_complete,
        )

    def __len__(self) -> int:
        return len(self.patterns)

    def __iter__(self) -> Iterator[Region]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> Region:
        i = range(len(self))[index]
        corners = self.vertices[self.corners[self.offsets[i] : self.offsets[i + 1]]]
        matrix = self._jacobians(self.network, self.patterns[i : i + 1])[0]
        middle = corners.mean(axis=0)
        value = self.network(torch.from_numpy(middle[None])).numpy()[0]
        return Region(i, corners, self.pattern(i), matrix, value - matrix @ middle)

    def pattern(self, index: int) -> tuple[NDArray[np.bool_], ...]:
        """For each hidden layer which neurons are positive on region `index`."""
        widths = [] if self.network.activation.is_linear else self.network.widths[1:-1]
        words = np.ascontiguousarray(self.patterns[index]).view(np.uint8)
        unpacked = np.unpackbits(words, bitorder="little").astype(bool)
        return tuple(unpacked[64 * w : 64 * w + n] for w, n in zip(words_of(widths), widths, strict=False))

    @cached_property
    def _loops(self) -> tuple[Integers, NDArray[np.integer[Any]]]:
        if self.planar is not None:
            offsets, corners = loops(self.planar.halves, self.planar.faces)
            return offsets, corners
        assert self.spatial is not None
        return self.spatial.corners()

    @property
    def offsets(self) -> Integers:
        """The corners of region i are `vertices[corners[offsets[i]:offsets[i + 1]]]`, `(N + 1,)`."""
        return self._loops[0]

    @property
    def corners(self) -> NDArray[np.integer[Any]]:
        """Rows of `vertices`, `(Σ,)`; counter-clockwise round each region in two dimensions."""
        return self._loops[1]

    @property
    def extent(self) -> float:
        """The largest side of the box around Ω."""
        return float(np.ptp(self.vertices, axis=0).max())

    @cached_property
    def neighbours(self) -> Integers:
        """Pairs of regions that share a facet, `(M, 2)`."""
        if self.planar is None:
            assert self.spatial is not None
            return self.spatial.neighbours()
        pairs = self.planar.halves[:, FACE].reshape(-1, 2)
        return np.asarray(pairs[(pairs > 0).all(axis=1)].astype(np.int64) - 1)

    @cached_property
    def interior_points(self) -> Floats:
        """The mean of the corners of each region, `(N, d)`."""
        return middles(self.vertices[self.corners], self.offsets)

    @cached_property
    def areas(self) -> Floats:
        """Area of each region `(N,)`, in squared units of Ω. Two dimensions only."""
        self._plane_complex("areas")
        return areas(self.vertices[self.corners], self.offsets)

    @cached_property
    def inner_radii(self) -> Floats:
        """A lower bound of the radius of the largest ball in each region, `(N,)`.

        In the plane area over perimeter; otherwise the ball round the mean of the corners in which no neuron changes
        its sign.
        """
        if self.planar is None:
            return self._clearances()
        around = perimeters(self.vertices[self.corners], self.offsets)
        return np.maximum(self.areas, 0.0) / np.maximum(around, np.finfo(float).tiny)

    def jacobians(self) -> Floats:
        r"""Jf on each region, `(N, n_L, n_0)`, in f's own inputs also where Ω is a slice. Exact up to rounding."""
        return self._jacobians(self.ambient, self.patterns)

    def slice_jacobians(self) -> Floats:
        """The Jacobian of f restricted to Ω, `(N, n_L, d)`; the same as `jacobians` where Ω is no slice."""
        return self._jacobians(self.network, self.patterns)

    @cached_property
    def singular_values(self) -> Floats:
        """Singular values of `jacobians`, descending, `(N, min(n_L, n_0))`."""
        return singular_values(self.jacobians())

    def jacobian_ranks(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Integers:
        """At each region the number of singular values above `tolerance` times the largest there, `(N,)`."""
        return ranks_of(self.singular_values, self.ambient, tolerance)

    def jacobian_rank(self, *, tolerance: Tolerance = DEFAULT_TOLERANCE) -> RankEstimate:
        r"""$\operatorname{Rank}_J(f; Ω)$ over all regions: exact at the tolerance, not sampled.

        Regions thinner than 1e-9 of the domain count for the upper end only: their shape is at the mercy of rounding.

        Source:
            Jacot (2023), definition of the Jacobian rank.
        """
        return jacobian_rank_over(self.jacobian_ranks(tolerance), self.inner_radii, self.extent, tolerance)

    def rational_jacobian_rank(self) -> RankEstimate:
        r"""$\operatorname{Rank}_J(f; Ω)$ over all regions in exact arithmetic, no tolerance; small networks only.

        Raises:
            MissingExtraError: If python-flint is not installed.
        """
        self._need_complete()
        return rational_rank_over(self.ambient, [self.pattern(i) for i in range(len(self))])

    @cached_property
    def hulls(self) -> list[AffineHull]:
        """The affine hull of every layer's activations over Ω, layer 0 to L."""
        self._need_complete()
        return affine_hulls(self.network, self.vertices)

    def bottleneck_rank(self, *, tolerance: Tolerance = DEFAULT_TOLERANCE) -> RankEstimate:
        r"""$\operatorname{Rank}_{BN}(f; Ω)$: at least the Jacobian rank, at most the smallest hull of a layer.

        Source:
            Jacot (2023), Rank_J ≤ Rank_BN; the upper end is a factorisation through that layer.
        """
        return bottleneck_bracket(self.jacobian_rank(tolerance=tolerance), self.hulls)

    def count_pieces(self) -> tuple[int, int]:
        """The number of connected affine pieces and of distinct affine pieces of f on Ω.

        A *connected affine piece* is a maximal connected union of regions with one affine map, a *distinct affine
        piece* is an affine map however many separate places use it; so regions ≥ connected ≥ distinct. Two maps are
        one when they differ by less than 1e-9 of their own size.
        """
        labels = self.connected_pieces
        return int(labels.max()) + 1, distinct_pieces(self.slice_jacobians(), self._constants(), labels)

    @cached_property
    def connected_pieces(self) -> Integers:
        """For each region the number of its connected affine piece, `(N,)`."""
        return connected_pieces(self.slice_jacobians(), self.neighbours)

    @cached_property
    def outputs(self) -> Floats:
        """f at the vertices, `(V, n_L)`."""
        if self.planar is not None and self.is_complete:
            return self.planar.values
        return np.asarray(self.network(torch.from_numpy(self.vertices)).numpy())

    def decision_boundary(self) -> DecisionBoundary:
        """Where the largest of the outputs changes: segments, tripoints, exits. Two dimensions only."""
        return decision_boundary(self._plane_complex("a decision boundary"), self.network.depth)

    def tripoints(self) -> Floats:
        """Points of Ω where three or more outputs tie at the maximum, `(T, 2)`. Two dimensions only."""
        return tripoints(self._plane_complex("tripoints"), self.network.depth)

    def _constants(self) -> Floats:
        """c in f(x) = A x + c on each region, `(N, n_L)`."""
        middles = self.interior_points
        values = self.network(torch.from_numpy(middles)).numpy()
        return np.asarray(values - np.einsum("fij,fj->fi", self.slice_jacobians(), middles))

    def _clearances(self) -> Floats:
        network, points = self.network, self.interior_points
        walls = np.minimum(points - self.vertices.min(axis=0), self.vertices.max(axis=0) - points).min(axis=1)
        if network.activation.is_linear:
            return np.asarray(walls)
        weights, biases = [w.numpy() for w in network.weights], [b.numpy() for b in network.biases]
        inside = clearances(weights, biases, network.activation.negative_slope, self.patterns, points)
        return np.asarray(np.maximum(np.minimum(walls, inside), 0.0))

    def _jacobians(self, network: FullyConnected, patterns: NDArray[np.uint64]) -> Floats:
        self._need_complete()
        weights = [w.numpy() for w in network.weights]
        if network.activation.is_linear:
            product = np.linalg.multi_dot([np.eye(network.d_out), *reversed(weights), np.eye(network.d_in)])
            return np.repeat(product[None], len(patterns), axis=0)
        return jacobians(weights, network.activation.negative_slope, patterns)

    def _need_complete(self) -> None:
        if not self.is_complete:
            raise DomainError(
                "These regions are partial: a budget stopped the enumeration before all neurons had cut, so f is not "
                "affine on them. Enumerate again with a larger budget."
            )

    def _plane_complex(self, what: str) -> PlanarComplex:
        """The half-edge complex, of which `what` is asked."""
        if self.planar is None:
            raise DomainError(
                f"Only regions in two dimensions have {what}; these have {self.vertices.shape[1]}. "
                "Enumerate on a plane through the inputs: enumerate_regions(model, box, plane=...)."
            )
        if what != "areas":
            self._need_complete()
        return self.planar
