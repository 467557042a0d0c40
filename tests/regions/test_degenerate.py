"""Networks whose zero lines coincide or meet in one point, against exact rational arithmetic."""

from itertools import product

import pytest

from cases import named, thinned
from isthmus.networks import ABSOLUTE, RELU, Activation
from isthmus.regions import enumerate_regions
from oracles import degenerate_nets, rational_regions
from regions.nets import assert_a_tiling, assert_continuous, assert_jacobians_are_autograds

FAMILIES = [
    degenerate_nets.integer_weights,
    degenerate_nets.quarter_integer_weights,
    degenerate_nets.zero_biases,
    degenerate_nets.paired_weights,
    degenerate_nets.duplicated_neurons,
    degenerate_nets.axis_grid_with_diagonals,
    degenerate_nets.all_dead_layer,
]


CASES = product(range(4), FAMILIES, [RELU, Activation(0.25), ABSOLUTE])


@thinned("seed, family, activation", CASES, keep=21, ids=named)
def test_everything_is_what_exact_arithmetic_says(seed, family, activation):
    network = family(seed, activation=activation)
    cells = rational_regions.rational_regions(network)
    regions = enumerate_regions(network, (-1, 1))
    assert len(regions) == rational_regions.activation_region_count(cells)
    assert regions.count_pieces() == (
        rational_regions.connected_piece_count(cells),
        rational_regions.distinct_piece_count(cells),
    )
    pairs = {tuple(sorted(pair)) for pair in regions.neighbours.tolist()}
    assert len(pairs) == len(rational_regions.adjacent_pairs(cells))
    assert regions.rational_jacobian_rank().upper == rational_regions.largest_rank(cells)
    exact = sorted(float(cell.area) for cell in cells)
    assert sorted(regions.areas.tolist()) == pytest.approx(exact, rel=1e-9, abs=1e-14)
    assert_a_tiling(regions, 4.0)
    assert_continuous(regions)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_affine_pieces_are_autograds(family):
    assert_jacobians_are_autograds(enumerate_regions(family(5), (-1, 1)))


def test_patterns_are_those_of_exact_arithmetic():
    network = degenerate_nets.duplicated_neurons(2)
    exact = {
        tuple(sign > 0 for layer in cell.signs for sign in layer) for cell in rational_regions.rational_regions(network)
    }
    regions = enumerate_regions(network, (-1, 1))
    found = {tuple(bool(b) for layer in region.pattern for b in layer) for region in regions}
    assert found == exact
