"""Where each class of a classifier wins, in exact rational arithmetic: territories, neighbours, boundary exits.

Every cell of the rational oracle is clipped to the half-planes where one logit is at least each other one. Where logits
agree on a whole cell, the class with the smaller index has it, as `argmax` would say.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from oracles.rational_regions import rational_regions, share_a_segment, signed_area


@dataclass(frozen=True)
class Territory:
    """A convex polygon of positive area on which class `label` wins and f is affine."""

    label: int
    polygon: tuple[tuple[Fraction, Fraction], ...]

    @property
    def area(self):
        return signed_area(self.polygon)


def rational_territories(network, lower=(-1, -1), upper=(1, 1)):
    """All territories in the box, cell by cell; together they tile it."""
    return [
        piece
        for cell in rational_regions(network, lower, upper)
        for label in range(len(cell.constant))
        if (piece := _territory(cell, label)) is not None
    ]


def neighbouring_classes(territories):
    """Pairs of classes {i, j} whose territories share a boundary of positive length."""
    pairs = set()
    for first, second in combinations(territories, 2):
        pair = frozenset((first.label, second.label))
        if len(pair) == 2 and pair not in pairs and share_a_segment(first.polygon, second.polygon):
            pairs.add(pair)
    return pairs


def boundary_exits(territories, lower=(-1, -1), upper=(1, 1)):
    """{point: the two classes} for the points on the edge of the box at which the winning class changes along it.

    A change exactly at a corner of the box counts too.
    """
    (x0, y0), (x1, y1) = ([Fraction(v) for v in corner] for corner in (lower, upper))
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    around = []
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        axis = 0 if start[0] != end[0] else 1
        edges = [
            (sorted((p, q), key=lambda v: v[axis])[0], t.label)
            for t in territories
            for p, q in zip(t.polygon, t.polygon[1:] + t.polygon[:1], strict=True)
            if p != q and p[1 - axis] == q[1 - axis] == start[1 - axis]
        ]
        forward = start[axis] < end[axis]
        edges.sort(key=lambda e: e[0][axis], reverse=not forward)
        # Walking backwards along an edge of the box, an interval starts at its larger end: that of the one before it.
        starts = [e[0] for e in edges] if forward else [start, *(e[0] for e in edges[:-1])]
        around += [(point, label) for point, (_, label) in zip(starts, edges, strict=True)]
    changes = zip(around[-1:] + around[:-1], around, strict=True)
    return {point: frozenset((before, label)) for (_, before), (point, label) in changes if before != label}


def _territory(cell, label):
    polygon = cell.polygon
    for other in range(len(cell.constant)):
        (a, b), (c, d) = cell.jacobian[label], cell.jacobian[other]
        gap = (a - c, b - d, cell.constant[label] - cell.constant[other])
        if not any(gap):
            if other < label:
                return None
            continue
        polygon = _clipped(polygon, gap)
        if len(polygon) < 3 or signed_area(polygon) == 0:
            return None
    return Territory(label, polygon)


def _clipped(polygon, gap):
    p, q, r = gap
    values = [p * x + q * y + r for x, y in polygon]
    kept = []
    for i, (point, value) in enumerate(zip(polygon, values, strict=True)):
        following, next_value = polygon[(i + 1) % len(polygon)], values[(i + 1) % len(polygon)]
        if value >= 0:
            kept.append(point)
        if value * next_value < 0:
            t = value / (value - next_value)
            kept.append(tuple(a + t * (c - a) for a, c in zip(point, following, strict=True)))
    return tuple(kept)
