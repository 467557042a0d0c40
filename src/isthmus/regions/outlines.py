"""The territory of each class as closed lines: what a decision boundary encloses."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # compiled code, which takes a third of a second to load
    from isthmus.regions.boundary import DecisionBoundary

Floats = NDArray[np.float64]


def class_outlines(boundary: DecisionBoundary) -> dict[int, list[Floats]]:
    """The edge of each class's territory in Ω: class -> closed lines, `(m, 2)` each, the last point joins the first.

    The territory lies to the left of its lines, so outer ones run counter-clockwise and those round holes clockwise;
    the even-odd rule fills it. A line passes every corner of the regions on its way, also where it goes straight on.
    """
    found = {}
    for owner in boundary.present:
        following: dict[int, list[int]] = defaultdict(list)
        for a, b in _edges(boundary, owner):
            following[a].append(b)
        found[owner] = [boundary.vertices[line] for line in _closed_lines(following)]
    return found


def _edges(boundary: DecisionBoundary, owner: int) -> set[tuple[int, int]]:
    """The sides of the class's parts, from corner to corner with the part on the left, that no other part shares."""
    sides: set[tuple[int, int]] = set()
    for part in np.flatnonzero(boundary.owners == owner):
        corners = boundary.corners[boundary.offsets[part] : boundary.offsets[part + 1]].tolist()
        sides.update(zip(corners, [*corners[1:], corners[0]], strict=True))
    return {(a, b) for a, b in sides if (b, a) not in sides}


def _closed_lines(following: dict[int, list[int]]) -> list[list[int]]:
    """Edges joined end to end. Where lines touch in a corner either way on is right: as many enter it as leave it."""
    lines = []
    for start in sorted(following):
        while following[start]:
            line = [start]
            while (after := following[line[-1]].pop()) != start:
                line.append(after)
            lines.append(line)
    return lines
