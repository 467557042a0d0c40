"""The linear regions of a network on a bounded domain, as a value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.errors import DomainError
from isthmus.functions import FullyConnected
from isthmus.ranks import RankEstimate
from isthmus.regions.affine_pieces import jacobians, singular_values, words_of
from isthmus.regions.boundary import DecisionBoundary, decision_boundary
from isthmus.regions.half_edges import FACE, loops
from isthmus.regions.hull import AffineHull, affine_hulls
from isthmus.regions.merging import connected_pieces, distinct_pieces
from isthmus.regions.planar import PlanarComplex
from isthmus.regions.plane import Plane
from isthmus.regions.rational import rational_jacobian_rank
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A region thinner than this share of the domain may be an artefact of rounding: no rank is decided on it alone.
SLIVER = 1e-9


@dataclass(frozen=True, eq=False)
class Region:
    r"""One linear region: a convex set on which every hidden neuron keeps its sign, so f is affine.

    Attributes:
        index: Its number among the regions.
        vertices: Its corners `(m, d)`; counter-clockwise in two dimensions.
        pattern: For each hidden layer which neurons are positive, `(n_ℓ,)` booleans.
        matrix: A in $f(x) = A x + c$ on the region, `(n_L, d)`.
        constant: c, `(n_L,)`.
    """

    index: int
    vertices: Floats
    pattern: tuple[NDArray[np.bool_], ...]
    matrix: Floats
    constant: Floats

    @property
    def interior_point(self) -> Floats:
        """The mean of the corners, `(d,)`."""
        return np.asarray(self.vertices.mean(axis=0))


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
        offsets: Corners of region i are `vertices[corners[offsets[i]:offsets[i + 1]]]`, `(N + 1,)`.
        corners: `(Σ,)`.
        patterns: Bit-packed activation patterns `(N, words)`, each hidden layer from a new word on.
        is_complete: False where a budget stopped the enumeration: then later neurons have not cut yet.
        planar: The half-edge complex in two dimensions, else None; its face i + 1 is region i.
        ambient: f in its own inputs; `network` unless Ω is a slice.
    """

    network: FullyConnected
    plane: Plane | None
    vertices: Floats
    offsets: Integers
    corners: NDArray[np.int32]
    patterns: NDArray[np.uint64]
    ambient: FullyConnected
    planar: PlanarComplex | None = None
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
        offsets, corners = loops(planar.halves, planar.faces)
        return Regions(
            network,
            plane,
            planar.place[:, :2],
            offsets,
            corners,
            planar.patterns[1:],
            ambient,
            planar,
            is_complete,
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

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
    def neighbours(self) -> Integers:
        """Pairs of regions that share a facet, `(M, 2)`."""
        assert self.planar is not None
        pairs = self.planar.halves[:, FACE].reshape(-1, 2)
        return np.asarray(pairs[(pairs > 0).all(axis=1)].astype(np.int64) - 1)

    @cached_property
    def interior_points(self) -> Floats:
        """The mean of the corners of each region, `(N, d)`."""
        sums = np.add.reduceat(self.vertices[self.corners], self.offsets[:-1], axis=0)
        return np.asarray(sums / np.diff(self.offsets)[:, None])

    @cached_property
    def areas(self) -> Floats:
        """Area of each region `(N,)`, in squared units of Ω. Two dimensions only."""
        self._need_two_dimensions("areas")
        start = self.vertices[self.corners]
        end = start[self._successors()]
        # Relative to the first corner: far from the origin the plain shoelace formula loses all digits.
        base = np.repeat(start[self.offsets[:-1]], np.diff(self.offsets), axis=0)
        a, b = start - base, end - base
        return np.asarray(np.add.reduceat(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], self.offsets[:-1]) / 2)

    @cached_property
    def inner_radii(self) -> Floats:
        """A lower bound of the radius of the largest disc in each region, area over perimeter, `(N,)`."""
        start = self.vertices[self.corners]
        perimeters = np.add.reduceat(np.linalg.norm(start[self._successors()] - start, axis=1), self.offsets[:-1])
        return np.maximum(self.areas, 0.0) / np.maximum(perimeters, np.finfo(float).tiny)

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
        """At each region the number of singular values above `tolerance` times the largest there, `(N,)`.

        Where f is constant, rounded weights leave a Jacobian of rounding errors, which is no rank: a region whose
        largest singular value is within rounding of what the network's layers could produce has rank 0.
        """
        values = self.singular_values
        layers = math.prod(float(np.linalg.norm(w.numpy(), 2)) for w in self.ambient.weights)
        floor = np.finfo(np.float64).eps * max(layers, 1e3 * float(values.max(initial=0.0)))
        largest = values[:, :1]
        return np.asarray(((values > tolerance.relative * largest) & (largest > floor)).sum(axis=1))

    def jacobian_rank(self, *, tolerance: Tolerance = DEFAULT_TOLERANCE) -> RankEstimate:
        r"""$\operatorname{Rank}_J(f; Ω)$ over all regions: exact at the tolerance, not sampled.

        Regions thinner than 1e-9 of the domain count for the upper end only: their shape is at the mercy of rounding.

        Source:
            Jacot (2023), definition of the Jacobian rank.
        """
        ranks = self.jacobian_ranks(tolerance)
        thick = self._is_thick()
        upper = int(ranks.max())
        lower = int(ranks[thick].max()) if thick.any() else 0
        where = int(np.flatnonzero(thick & (ranks == lower))[0]) if thick.any() else -1
        thin = int((~thick).sum())
        below = (
            f"region {where} of {len(self)} has {lower} singular values above {tolerance.relative:g} of the largest "
            f"(all regions enumerated)"
        )
        above = f"no region has more than {upper}" + (f"; {thin} are too thin to decide on alone" if thin else "")
        return RankEstimate(lower, upper, tolerance.relative, (below, above))

    def rational_jacobian_rank(self) -> RankEstimate:
        r"""$\operatorname{Rank}_J(f; Ω)$ over all regions in exact arithmetic, no tolerance; small networks only.

        Raises:
            MissingExtraError: If python-flint is not installed.
        """
        self._need_complete()
        most = min(self.ambient.widths)
        best, where = -1, -1
        for i in range(len(self)):
            rank = rational_jacobian_rank(self.ambient, self.pattern(i))
            if rank > best:
                best, where = rank, i
            if best == most:
                break
        evidence = f"region {where} of {len(self)} has a Jacobian of rank {best} over the rational numbers"
        return RankEstimate(best, best, 0.0, (evidence, "no region has more"))

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
        below = self.jacobian_rank(tolerance=tolerance)
        narrowest = min(self.hulls, key=lambda hull: hull.dimension)
        above = (
            f"over all of the domain the activations of layer {narrowest.layer} lie in {narrowest.dimension} dimensions"
        )
        upper = max(narrowest.dimension, below.lower)
        return RankEstimate(below.lower, upper, tolerance.relative, (below.evidence[0], above))

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
        self._need_two_dimensions("the decision boundary")
        assert self.planar is not None
        return decision_boundary(self.planar, self.network)

    def tripoints(self) -> Floats:
        """Points of Ω where three or more outputs tie at the maximum, `(T, 2)`. Two dimensions only."""
        return self.decision_boundary().tripoints

    def _constants(self) -> Floats:
        """c in f(x) = A x + c on each region, `(N, n_L)`."""
        middles = self.interior_points
        values = self.network(torch.from_numpy(middles)).numpy()
        return np.asarray(values - np.einsum("fij,fj->fi", self.slice_jacobians(), middles))

    def _is_thick(self) -> NDArray[np.bool_]:
        if self.planar is None:
            return np.ones(len(self), bool)
        extent = float(np.ptp(self.vertices, axis=0).max())
        return np.asarray(self.inner_radii > SLIVER * extent)

    def _successors(self) -> Integers:
        """For each place in `corners` the place of the next corner round the region."""
        following = np.arange(1, len(self.corners) + 1)
        following[self.offsets[1:] - 1] = self.offsets[:-1]
        return following

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

    def _need_two_dimensions(self, what: str) -> None:
        if self.planar is None:
            raise DomainError(
                f"Only regions in two dimensions have {what}; these have {self.vertices.shape[1]}. "
                "Enumerate on a plane through the inputs: enumerate_regions(model, box, plane=...)."
            )
        if what != "areas":
            self._need_complete()
