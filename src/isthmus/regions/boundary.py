"""The decision boundary of a classifier and its tripoints, exactly: the regions cut by the running maximum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PrecisionError, ShapeError
from isthmus.regions.conditioning import ROUNDING
from isthmus.regions.contested import contested
from isthmus.regions.cutting import cut_layer
from isthmus.regions.half_edges import (
    AFTER,
    FACE,
    ORIGIN,
    loops,
)
from isthmus.regions.layer_pass import record_layer
from isthmus.regions.planar import PlanarComplex

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DecisionBoundary:
    r"""Where $\arg\max_c f_c$ changes on Ω.

    Attributes:
        segments: End points of straight pieces of the boundary, `(S, 2, 2)`.
        classes: The two classes that meet along each piece, the smaller first, `(S, 2)`.
        tripoints: Isolated points where three or more outputs tie at the maximum, `(T, 2)`.
        tripoint_classes: The classes that meet at each of them.
        tied_segments: Pieces along which three or more outputs tie all the way, `(R, 2, 2)`: no isolated tripoints,
            but infinitely many, as when two outputs are the same function.
        exits: Points of the rim of Ω where the class changes, `(X, 2)`.
        present: Classes that are largest somewhere with positive area.
        vertices: Corners of the regions as cut by the boundary, `(V, 2)`.
        offsets: Part i has the corners `vertices[corners[offsets[i]:offsets[i + 1]]]`, `(P + 1,)`.
        corners: `(Σ,)`.
        owners: The class that is largest on each part, `(P,)`.
        tied_area: Area of Ω on which two or more outputs tie at the maximum; the smallest class is counted there.
    """

    segments: Floats
    classes: Integers
    tripoints: Floats
    tripoint_classes: tuple[tuple[int, ...], ...]
    tied_segments: Floats
    exits: Floats
    present: tuple[int, ...]
    vertices: Floats
    offsets: Integers
    corners: NDArray[np.int32]
    owners: Integers
    tied_area: float

    @property
    def adjacency(self) -> dict[tuple[int, int], float]:
        """The graph of the classes: pairs that meet along a boundary, with its length in the units of Ω."""
        lengths = np.linalg.norm(self.segments[:, 1] - self.segments[:, 0], axis=1)
        graph: dict[tuple[int, int], float] = {}
        for (a, b), length in zip(self.classes.tolist(), lengths.tolist(), strict=True):
            graph[a, b] = graph.get((a, b), 0.0) + length
        return dict(sorted(graph.items()))

    @property
    def order(self) -> tuple[int, ...] | None:
        """The classes along a line, if their graph is a path, as it is for a classifier of bottleneck rank 1.

        None if the graph is anything else (a cycle, a branching, several parts).
        """
        near: dict[int, list[int]] = {c: [] for c in self.present}
        for a, b in self.adjacency:
            near[a].append(b)
            near[b].append(a)
        ends = sorted(c for c in near if len(near[c]) <= 1)
        if len(near) == 1:
            return self.present
        if len(ends) != 2 or any(len(n) > 2 for n in near.values()):
            return None
        path = [ends[0]]
        while path[-1] != ends[1]:
            path.append(next(c for c in near[path[-1]] if c not in path[-2:]))
        return tuple(path) if len(path) == len(near) else None


def decision_boundary(complex_: PlanarComplex, depth: int) -> DecisionBoundary:
    r"""Refine the regions until each has one largest output, and read the boundary off.

    For c = 1, 2, … the regions are cut along the zero lines of $f_c - \max(f_0, …, f_{c-1})$: earlier cuts have made
    that function affine on each face, so the same cutting by signs serves, with its handling of degenerate cases.

    Args:
        complex_: The regions of a network, its values the outputs at the vertices.
        depth: L, for messages.

    Raises:
        ShapeError: If the network has one output.
        PrecisionError: If rounding makes the cuts contradict each other.
    """
    _need_two_outputs(complex_)
    refined, owners = _cut_by_maximum(complex_, depth)
    return _read(refined, owners, _ties(refined))


def tripoints(complex_: PlanarComplex, depth: int) -> Floats:
    """Those of `decision_boundary`, from the faces along it alone: a small part of them all.

    Args:
        complex_: As for `decision_boundary`.
        depth: L, for messages.

    Returns:
        The points, `(T, 2)`; in another order, to the last bit the same.

    Raises:
        ShapeError, PrecisionError: As `decision_boundary`, of those faces.
    """
    _need_two_outputs(complex_)
    part = contested(complex_, _margins(complex_))
    if len(part.place) == 0:
        return np.empty((0, 2))
    refined, _ = _cut_by_maximum(part, depth)
    return refined.place[_isolated_ties(refined, _ties(refined))[0], :2]


def _need_two_outputs(complex_: PlanarComplex) -> None:
    if complex_.values.shape[1] < 2:
        raise ShapeError(
            "A decision boundary needs at least two outputs, one a class; the network has one. "
            "Compare its output with 0 by adding a second output that is constant."
        )


def _margins(complex_: PlanarComplex) -> Floats:
    """By how much an output may miss the maximum at each vertex and still tie with it, `(V,)`."""
    return np.asarray(4 * ROUNDING * complex_.place[:, 2])


def _ties(complex_: PlanarComplex) -> NDArray[np.bool_]:
    """Which outputs are the largest at each vertex, `(V, n)`."""
    return np.asarray(complex_.values >= (complex_.values.max(axis=1) - _margins(complex_))[:, None])


def _isolated_ties(refined: PlanarComplex, ties: NDArray[np.bool_]) -> tuple[Integers, NDArray[np.bool_]]:
    """Vertices at which three or more outputs tie and on no edge from them all the way, and the edges on which."""
    ends = refined.halves[:, ORIGIN].reshape(-1, 2)
    common = (ties[ends[:, 0]] & ties[ends[:, 1]]).sum(axis=1) >= 3
    isolated = ties.sum(axis=1) >= 3
    isolated[ends[common].ravel()] = False
    return np.flatnonzero(isolated), common


def _cut_by_maximum(complex_: PlanarComplex, depth: int) -> tuple[PlanarComplex, Integers]:
    """The complex cut until one output is largest on each face, and that output."""
    place, values, outgoing = complex_.place, complex_.values, complex_.outgoing
    halves, faces = complex_.halves, complex_.faces
    owners = np.zeros(len(faces), np.int64)
    count = values.shape[1]
    reach = np.array([[2 * ROUNDING], [0.0]])
    for c in range(1, count):
        lead = values[:, c] - values[:, :c].max(axis=1)
        z = np.column_stack([lead, values])
        place, z, outgoing, halves, faces, signs, contradictions, _ = cut_layer(
            place, z, outgoing, halves, faces, reach, np.iinfo(np.int64).max
        )
        values = z[:, 1:]
        won, mixed = record_layer(np.zeros((len(owners), 1), np.uint64), len(owners), 0, halves, faces, signs)
        if contradictions + mixed:
            raise PrecisionError(depth, contradictions + mixed)
        old = len(owners)
        owners = np.concatenate([owners, np.zeros(len(faces) - old, np.int64)])
        for f in range(old, len(faces)):  # in this order: a new face may have been cut from another new one
            owners[f] = owners[faces[f, 1]]
        owners[won[: len(faces), 0] != 0] = c
    return PlanarComplex(place, values, outgoing, halves, faces, complex_.patterns), owners


def _read(refined: PlanarComplex, owners: Integers, ties: NDArray[np.bool_]) -> DecisionBoundary:
    x = refined.place[:, :2]
    ends = refined.halves[:, ORIGIN].reshape(-1, 2)
    sides = refined.halves[:, FACE].reshape(-1, 2)
    inner = (sides > 0).all(axis=1)
    meeting = inner & (owners[sides[:, 0]] != owners[sides[:, 1]])
    classes = np.sort(owners[sides[meeting]], axis=1)
    points, common = _isolated_ties(refined, ties)
    inside = owners[1:]
    offsets, corners = loops(refined.halves, refined.faces)
    return DecisionBoundary(
        segments=x[ends[meeting]],
        classes=classes,
        tripoints=x[points],
        tripoint_classes=tuple(tuple(np.flatnonzero(ties[v]).tolist()) for v in points),
        tied_segments=x[ends[common]],
        exits=x[_exits(refined, owners)],
        present=tuple(np.unique(inside).tolist()),
        vertices=x,
        offsets=offsets,
        corners=corners,
        owners=inside,
        tied_area=_tied_area(refined, ties),
    )


def _exits(refined: PlanarComplex, owners: Integers) -> list[int]:
    """Vertices on the rim of Ω between edges of different classes."""
    halves = refined.halves
    start = int(np.flatnonzero(halves[:, FACE] == 0)[0])
    rim = [start]
    while (h := int(halves[rim[-1], AFTER])) != start:
        rim.append(h)
    rim.append(start)
    return [
        int(halves[following, ORIGIN])
        for here, following in pairwise(rim)
        if owners[halves[here ^ 1, FACE]] != owners[halves[following ^ 1, FACE]]
    ]


def _tied_area(refined: PlanarComplex, ties: NDArray[np.bool_]) -> float:
    """Total area of the faces all of whose vertices share two tied classes."""
    halves = refined.halves
    face, vertex = halves[:, FACE], halves[:, ORIGIN]
    shared = np.ones((len(refined.faces), ties.shape[1]), bool)
    np.logical_and.at(shared, face, ties[vertex])
    a, b = refined.place[vertex, :2], refined.place[halves[halves[:, AFTER], ORIGIN], :2]
    base = refined.place[halves[refined.faces[face, 0], ORIGIN], :2]
    twice = np.zeros(len(refined.faces))
    u, v = a - base, b - base
    np.add.at(twice, face, u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    tied = shared.sum(axis=1) >= 2
    tied[0] = False
    return float(twice[tied].sum() / 2)
