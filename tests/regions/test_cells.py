"""Regions in one to six dimensions: known counts, the plane's own algorithm, closed forms, and the laws."""

from itertools import product
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from cases import named, random_layers, thinned
from isthmus.errors import DomainError, RegionBudgetError
from isthmus.networks import (
    ABSOLUTE,
    RELU,
    Activation,
    FullyConnected,
    direct_product,
)
from isthmus.networks.catalogue import catalogue
from isthmus.regions import enumerate_regions
from isthmus.regions.cells import cell_complex
from isthmus.regions.conditioning import conditioned
from oracles.degenerate_nets import DEGENERATE_NETS
from oracles.rational_regions import activation_region_count, adjacent_pairs, rational_regions
from regions.nets import autograd_jacobians, default_init, layers


@pytest.mark.parametrize(
    ("widths", "scale", "count"),
    [
        ((3, 16, 16, 1), 1.0, 1_276),
        ((4, 16, 16, 1), 1.0, 6_658),
        ((6, 10, 10, 2), 1.0, 4_951),
        ((6, 10, 10, 2), 2.0, 18_371),
    ],
)
def test_counts_are_the_known_ones(widths, scale, count):
    regions = enumerate_regions(default_init(widths, scale=scale), (-1, 1))
    assert len(regions) == count
    assert len(np.unique(regions.patterns, axis=0)) == count
    assert sum((-1) ** k * n for k, n in enumerate(regions.spatial.counts)) == 1  # Euler: a ball


def through_cells(network, d, side=1.0):
    scaled = conditioned(network, -side * np.ones(d), side * np.ones(d))
    low, high = scaled.forward(side * np.array([-np.ones(d), np.ones(d)]))
    return cell_complex(scaled, low, high, 10**6)[0]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.sampled_from([RELU, Activation(0.2), ABSOLUTE]),
    st.integers(0, 10_000),
)
@settings(max_examples=25)
def test_in_the_plane_both_algorithms_agree(hidden, activation, seed):
    network = random_layers((2, *hidden, 2), activation, seed)
    planar, spatial = enumerate_regions(network, (-1, 1)), through_cells(network, 2)
    assert {p.tobytes() for p in planar.patterns} == {p.tobytes() for p in spatial.patterns}

    def named(patterns, pairs):
        return {frozenset((patterns[a].tobytes(), patterns[b].tobytes())) for a, b in pairs}

    assert named(planar.patterns, planar.neighbours) == named(spatial.patterns, spatial.neighbours())


@thinned(
    "seed, family, activation", product([0, 1], DEGENERATE_NETS, [RELU, Activation(0.25), ABSOLUTE]), keep=14, ids=named
)
def test_degenerate_nets_are_what_exact_arithmetic_says(seed, family, activation):
    network = DEGENERATE_NETS[family](seed, activation=activation)
    exact = rational_regions(network)
    spatial = through_cells(network, 2)
    assert spatial.counts[-1] == activation_region_count(exact)
    assert len(spatial.neighbours()) == len(adjacent_pairs(exact))


@pytest.mark.parametrize("family", DEGENERATE_NETS.values(), ids=DEGENERATE_NETS.keys())
def test_degenerate_nets_in_three_and_four_dimensions(family):
    """A product of two networks has the products of their regions; the exact oracle knows the factors."""
    network = family(3)
    exact = activation_region_count(rational_regions(network))
    line = layers(([[1.0], [1.0], [-1.0]], [0.0, -0.5, -0.5]), ([[1.0, 1.0, 1.0]], [0.0]))
    assert len(enumerate_regions(line, (-1, 1))) == 4
    with_line = direct_product(network, deepened_like(line, network))
    assert with_line.d_in == 3
    regions = enumerate_regions(with_line, (-1, 1))
    assert len(regions) == exact * 4
    assert_filled(regions, 8.0)


def deepened_like(line, network):
    """`line` with as many layers, so that a product needs no neurons of its own; its outputs are not negative."""
    from isthmus.networks import deepened

    return deepened(line, network.depth)


@pytest.mark.parametrize("d", [3, 4])
@pytest.mark.parametrize("n", [3, 5, 7])
def test_generic_hyperplanes_through_one_point(d, n):
    """A central arrangement has 2 Σ_{i<d} C(n−1, i) regions."""
    from math import comb

    w = torch.randn(n, d, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    net = FullyConnected((w, torch.ones(1, n).double()), (torch.zeros(n).double(), torch.zeros(1).double()))
    assert len(enumerate_regions(net, (-1, 1))) == 2 * sum(comb(n - 1, i) for i in range(d))


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6])
def test_a_grid_with_repeated_and_opposite_neurons(d):
    """k hyperplanes across each axis, each given twice and once more reversed, make (k + 1)^d boxes."""
    k = 2 if d > 3 else 3
    rows, shifts = [], []
    for axis in range(d):
        for cut in np.linspace(-0.5, 0.5, k):
            for sign in (1.0, 2.0, -1.0):
                rows.append([sign * (axis == a) for a in range(d)])
                shifts.append(-sign * cut)
    net = layers((rows, shifts), ([[1.0] * len(rows)], [0.0]))
    regions = enumerate_regions(net, (-1, 1))
    assert len(regions) == (k + 1) ** d
    assert len(regions.neighbours) == d * k * (k + 1) ** (d - 1)


def assert_filled(regions, volume):
    hulls = [
        ConvexHull(regions.vertices[regions.corners[a:b]], qhull_options="QJ").volume
        for a, b in zip(regions.offsets[:-1], regions.offsets[1:], strict=True)
    ]
    assert sum(hulls) == pytest.approx(volume, rel=1e-6)


@pytest.mark.parametrize(("d", "activation"), [(3, RELU), (3, ABSOLUTE), (4, Activation(0.2)), (5, RELU)])
def test_regions_fill_the_box_and_carry_the_function(d, activation):
    network = random_layers((d, 7, 6, 3), activation, d)
    regions = enumerate_regions(network, (-1, 1))
    assert_filled(regions, 2.0**d)
    expected = autograd_jacobians(network, regions.interior_points)
    assert np.abs(regions.jacobians() - expected).max() <= 1e-12 * np.abs(expected).max()
    # Neighbours differ exactly by the neurons that vanish on their common facet: one, in a generic network.
    one, other = (regions.patterns[regions.neighbours[:, side]] for side in (0, 1))
    assert (np.bitwise_count(one ^ other).sum(axis=1) == 1).all()
    # And every pair of patterns one bit apart that is not listed does not touch along a facet.
    listed = {frozenset(pair) for pair in regions.neighbours.tolist()}
    corner_sets = [set(regions.corners[a:b]) for a, b in zip(regions.offsets[:-1], regions.offsets[1:], strict=True)]
    for a in range(min(60, len(regions))):
        for b in range(a):
            shared = list(corner_sets[a] & corner_sets[b])
            spans = (
                len(shared) >= d
                and np.linalg.matrix_rank(regions.vertices[shared[1:]] - regions.vertices[shared[0]]) == d - 1
            )
            assert spans == (frozenset((a, b)) in listed)


def test_one_dimension_is_breakpoints():
    network = random_layers((1, 6, 6, 2), RELU, 1)
    regions = enumerate_regions(network, (-2, 2))
    grid = torch.linspace(-2, 2, 400_001, dtype=torch.float64)[:, None]
    signs = torch.cat([z > 0 for z in network.pre_activations(grid)[:-1]], dim=1)
    assert len(regions) == 1 + int((signs[1:] != signs[:-1]).any(1).sum())
    lengths = [np.ptp(region.vertices) for region in regions]
    assert sum(lengths) == pytest.approx(4.0)
    assert len(regions.neighbours) == len(regions) - 1


SPATIAL = [e for e in catalogue(0) if e.network.d_in in (1, 3)]


@pytest.mark.parametrize("entry", SPATIAL, ids=lambda e: e.name)
def test_the_catalogues_ranks(entry):
    regions = enumerate_regions(entry.network, tuple(side.numpy() for side in entry.box))
    assert regions.rational_jacobian_rank().upper == entry.jacobian_rank
    bracket = regions.bottleneck_rank()
    assert bracket.lower <= entry.bottleneck_rank <= bracket.upper


def test_budget_and_pictures():
    network = default_init((3, 16, 16, 1))
    with pytest.raises(RegionBudgetError, match="More than 100 linear regions"):
        enumerate_regions(network, (-1, 1), budget=100)
    partial = enumerate_regions(network, (-1, 1), budget=100, partial=True)
    assert not partial.is_complete
    assert len(partial) > 100
    with pytest.raises(DomainError, match="two dimensions have areas; these have 3"):
        _ = partial.areas
    with pytest.raises(DomainError, match="Only regions in two dimensions have tripoints; these have 3"):
        enumerate_regions(default_init((3, 4, 2)), (-1, 1)).tripoints()


def test_a_product_of_lines_in_six_dimensions():
    net = layers((np.eye(6).tolist(), [0.1 * i for i in range(6)]), ([[1.0] * 6], [0.0]))
    regions = enumerate_regions(net, (-1, 1))
    assert len(regions) == prod([2] * 6)
    assert regions.jacobian_rank().upper == 1
