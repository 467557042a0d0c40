"""Degenerate networks in one, three and four dimensions: patterns and neighbours are those of exact arithmetic."""

from itertools import product

import numpy as np

from cases import named, thinned
from isthmus.networks import ABSOLUTE, RELU, Activation
from isthmus.regions import enumerate_regions
from oracles.degenerate_cells import FAMILIES, degenerate_network
from oracles.rational_cells import adjacent_patterns, rational_cells


def pattern(regions, index):
    return tuple(np.concatenate(regions.pattern(index)).tolist())


WIDTHS = [(1, 4, 4, 4, 1), (3, 5, 4, 1), (3, 3, 3, 3, 1), (4, 4, 3, 1)]
CASES = product([0, 1], FAMILIES, WIDTHS, [RELU, ABSOLUTE, Activation(0.25)])


@thinned("seed, family, widths, activation", CASES, keep=42, ids=lambda v: str(v) if isinstance(v, tuple) else named(v))
def test_regions_and_neighbours_are_what_exact_arithmetic_says(seed, family, widths, activation):
    network = degenerate_network(family, widths, seed, activation)
    exact = rational_cells(network)
    regions = enumerate_regions(network, (-1, 1))
    patterns = [pattern(regions, i) for i in range(len(regions))]
    assert len(patterns) == len(exact)
    assert set(patterns) == {region.pattern for region in exact}
    neighbours = {frozenset((patterns[a], patterns[b])) for a, b in regions.neighbours}
    assert neighbours == adjacent_patterns(exact)
    assert len(neighbours) == len(regions.neighbours)
    assert sum((-1) ** k * n for k, n in enumerate(regions.spatial.counts)) == 1  # Euler: a ball
    # The corners are the exact ones, each once.
    of = {region.pattern: np.array(sorted(region.tight), dtype=float) for region in exact}
    for i, name in enumerate(patterns):
        corners = regions.vertices[regions.corners[regions.offsets[i] : regions.offsets[i + 1]]]
        assert len(corners) == len(of[name])
        distances = np.abs(corners[:, None] - of[name][None]).max(axis=2)
        assert distances.min(axis=0).max() <= 1e-12
