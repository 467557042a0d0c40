"""All activation regions of a network in a box of the plane, in exact rational arithmetic.

Every cell is cut by every neuron, layer after layer; polygons of zero area are never made, because a neuron cuts a cell
only if it is positive at one of its vertices and negative at another. No tolerance, no floating point, and no code in
common with the library.

Three counts, which differ in general:

- activation regions: cells of the arrangement of all hidden neurons (patterns of strict signs);
- distinct affine pieces: different pairs (Jacobian, constant);
- connected affine pieces: activation regions with equal pairs, joined where they share a boundary of positive length.
"""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from oracles.rational_network import dot, exact_rank, rational_network


@dataclass(frozen=True)
class RationalCell:
    """One activation region.

    polygon: vertices (x, y) in counter-clockwise order; some may lie inside an edge.
    signs: one tuple a hidden layer, −1, 0 or 1 a neuron; 0 where the neuron vanishes on the whole cell.
    jacobian, constant: f(x) = jacobian x + constant on the cell.
    """

    polygon: tuple[tuple[Fraction, Fraction], ...]
    signs: tuple[tuple[int, ...], ...]
    jacobian: tuple[tuple[Fraction, Fraction], ...]
    constant: tuple[Fraction, ...]

    @property
    def area(self):
        return signed_area(self.polygon)

    @property
    def rank(self):
        return exact_rank(self.jacobian)

    @property
    def interior_point(self):
        """The mean of the vertices: inside, as the polygon is convex and has positive area."""
        n = len(self.polygon)
        return (sum(p[0] for p in self.polygon) / n, sum(p[1] for p in self.polygon) / n)

    @property
    def piece(self):
        """The affine map, hashable."""
        return (self.jacobian, self.constant)


def rational_regions(network, lower=(-1, -1), upper=(1, 1)):
    """Every activation region of `network` (two inputs) in the box, as a list of `RationalCell`."""
    net = rational_network(network)
    (x0, y0), (x1, y1) = ([Fraction(v) for v in corner] for corner in (lower, upper))
    assert x0 < x1
    assert y0 < y1
    one, zero = Fraction(1), Fraction(0)
    box = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    # A row (p, q, r) is the affine function p x + q y + r.
    cells = [(box, (), ((one, zero, zero), (zero, one, zero)))]
    for w, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        cells = [piece for cell in cells for piece in _through_layer(cell, w, b, net.slope)]
    done = []
    for polygon, signs, rows in cells:
        outputs = _layer(net.weights[-1], net.biases[-1], rows)
        done.append(RationalCell(polygon, signs, tuple((p, q) for p, q, _ in outputs), tuple(r for _, _, r in outputs)))
    return done


def activation_region_count(cells):
    return len(cells)


def distinct_piece_count(cells):
    return len({cell.piece for cell in cells})


def connected_piece_count(cells):
    parent = list(range(len(cells)))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    groups = defaultdict(list)
    for i, cell in enumerate(cells):
        groups[cell.piece].append(i)
    for members in groups.values():
        for i, j in combinations(members, 2):
            if root(i) != root(j) and share_a_segment(cells[i].polygon, cells[j].polygon):
                parent[root(i)] = root(j)
    return len({root(i) for i in range(len(cells))})


def adjacent_pairs(cells):
    """Pairs (i, j), i < j, of cells that share a boundary of positive length."""
    return {
        (i, j) for i, j in combinations(range(len(cells)), 2) if share_a_segment(cells[i].polygon, cells[j].polygon)
    }


def largest_rank(cells):
    """Rank_J over the box, exactly."""
    return max(cell.rank for cell in cells)


def signed_area(polygon):
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return sum((p[0] * q[1] - q[0] * p[1] for p, q in pairs), Fraction(0)) / 2


def share_a_segment(first, second):
    """True where two polygons with disjoint interiors touch along a positive length."""
    return any(_overlap(*edge, *other) for edge in _edges(first) for other in _edges(second))


def _edges(polygon):
    return zip(polygon, polygon[1:] + polygon[:1], strict=True)


def _overlap(p, q, r, s):
    dx, dy = q[0] - p[0], q[1] - p[1]
    if any(dx * (t[1] - p[1]) != dy * (t[0] - p[0]) for t in (r, s)):
        return False
    axis = 0 if dx else 1
    (a, b), (c, d) = sorted((p[axis], q[axis])), sorted((r[axis], s[axis]))
    return min(b, d) > max(a, c)


def _layer(w, b, rows):
    columns = list(zip(*rows, strict=True))
    return [
        tuple(dot(row, column) + c * last for column, last in zip(columns, (0, 0, 1), strict=True))
        for row, c in zip(w, b, strict=True)
    ]


def _through_layer(cell, w, b, slope):
    polygon, signs, rows = cell
    functions = _layer(w, b, rows)
    pieces = [(polygon, ())]
    for function in functions:
        pieces = [part for piece in pieces for part in _cut(piece, function)]
    for part, pattern in pieces:
        activated = tuple(
            f if sign > 0 else tuple(slope * v for v in f) for f, sign in zip(functions, pattern, strict=True)
        )
        yield part, (*signs, pattern), activated


def _cut(piece, function):
    polygon, pattern = piece
    p, q, r = function
    values = [p * x + q * y + r for x, y in polygon]
    low, high = min(values), max(values)
    if low < 0 < high:
        yield _side(polygon, values, 1), (*pattern, 1)
        yield _side(polygon, values, -1), (*pattern, -1)
    else:
        yield polygon, (*pattern, 1 if high > 0 else -1 if low < 0 else 0)


def _side(polygon, values, sign):
    kept = []
    for i, (point, value) in enumerate(zip(polygon, values, strict=True)):
        following, next_value = polygon[(i + 1) % len(polygon)], values[(i + 1) % len(polygon)]
        if value * sign >= 0:
            kept.append(point)
        if value * next_value < 0:
            t = value / (value - next_value)
            kept.append(tuple(a + t * (c - a) for a, c in zip(point, following, strict=True)))
    return tuple(kept)
