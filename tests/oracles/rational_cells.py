"""All activation regions of a network in a box of any dimension, in exact rational arithmetic.

A region is a polytope known by its vertices, each with the set of half-spaces that are tight there (the double
description). A neuron that is positive at one vertex and negative at another splits the polytope; the new vertices lie
on the edges that join the two sides, and two vertices span an edge if no third one is tight wherever both are. No
tolerance, no floating point, and no code in common with the library, which never keeps tight sets.

Source: Fukuda and Prodon (1996), Double description method revisited: the combinatorial test of adjacency.
"""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from oracles.rational_network import dot, exact_rank, rational_network


@dataclass(frozen=True)
class RationalPolytope:
    """One activation region.

    tight: for each vertex, a tuple of fractions, the half-spaces that hold with equality there.
    signs: one entry a hidden neuron, layer after layer: −1, 0 or 1; 0 where it vanishes on the whole region.
    """

    tight: dict[tuple[Fraction, ...], frozenset[int]]
    signs: tuple[int, ...]

    @property
    def pattern(self):
        """True for the neurons that are positive."""
        return tuple(sign > 0 for sign in self.signs)


def rational_cells(network, side=1):
    """Every activation region of `network` in the box [−side, side]^d, as a list of `RationalPolytope`."""
    net = rational_network(network)
    d = len(net.weights[0][0])
    box = {
        tuple(Fraction(side * s) for s in corner): frozenset(2 * a + (s > 0) for a, s in enumerate(corner))
        for corner in product((-1, 1), repeat=d)
    }
    # A row (p_1, …, p_d, q) is the affine function p · x + q.
    coordinates = [[Fraction(a == b) for b in range(d + 1)] for a in range(d)]
    regions = [(RationalPolytope(box, ()), coordinates)]
    for w, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        regions = [part for region in regions for part in _through_layer(*region, w, b, net.slope)]
    return [region for region, _ in regions]


def adjacent_patterns(regions):
    """Pairs of patterns of regions with a common facet: their common vertices span d − 1 dimensions."""
    at = defaultdict(list)
    for i, region in enumerate(regions):
        for vertex in region.tight:
            at[vertex].append(i)
    common = defaultdict(list)
    for vertex, owners in at.items():
        for k, i in enumerate(owners):
            for j in owners[:k]:
                common[i, j].append(vertex)
    d = len(next(iter(at)))
    return {
        frozenset((regions[i].pattern, regions[j].pattern))
        for (i, j), shared in common.items()
        if len(shared) >= d and _dimension(shared) == d - 1
    }


def _dimension(points):
    return exact_rank([[a - b for a, b in zip(p, points[0], strict=True)] for p in points[1:]])


def _through_layer(region, rows, w, b, slope):
    functions = [[dot(weight, column) for column in zip(*rows, strict=True)] if rows else [Fraction(0)] for weight in w]
    for function, bias in zip(functions, b, strict=True):
        function[-1] += bias
    parts = [region]
    for function in functions:
        parts = [half for part in parts for half in _split(part, function)]
    for part in parts:
        signs = part.signs[len(region.signs) :]
        activated = [f if sign > 0 else [slope * v for v in f] for f, sign in zip(functions, signs, strict=True)]
        yield part, activated


def _split(region, function):
    values = {vertex: dot(function[:-1], vertex) + function[-1] for vertex in region.tight}
    low, high = min(values.values()), max(values.values())
    if not low < 0 < high:
        yield RationalPolytope(region.tight, (*region.signs, (high > 0) - (low < 0)))
        return
    new = 1 + max(max(tight) for tight in region.tight.values())
    between = {vertex: tight | {new} for vertex, tight in region.tight.items() if values[vertex] == 0}
    for u, v in _crossing_edges(region.tight, values):
        t = values[u] / (values[u] - values[v])
        vertex = tuple(p + t * (q - p) for p, q in zip(u, v, strict=True))
        between[vertex] = (region.tight[u] & region.tight[v]) | {new}
    for sign in (1, -1):
        kept = {vertex: tight for vertex, tight in region.tight.items() if sign * values[vertex] > 0}
        yield RationalPolytope(kept | between, (*region.signs, sign))


def _crossing_edges(tight, values):
    above, below = ([v for v in tight if sign * values[v] > 0] for sign in (1, -1))
    d = len(above[0])
    for u, v in product(above, below):
        both = tight[u] & tight[v]
        if len(both) >= d - 1 and not any(both <= other for w, other in tight.items() if w not in (u, v)):
            yield u, v
