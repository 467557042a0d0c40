"""The rational oracle of cells on arrangements with known counts, and against the one for the plane."""

from itertools import product
from math import comb

import pytest
import torch

from isthmus.networks import FullyConnected
from oracles.degenerate_nets import DEGENERATE_NETS
from oracles.rational_cells import adjacent_patterns, rational_cells
from oracles.rational_regions import adjacent_pairs, rational_regions


def one_layer(w, b):
    n = len(b)
    return FullyConnected(
        (torch.tensor(w).double(), torch.ones(1, n).double()), (torch.tensor(b).double(), torch.zeros(1).double())
    )


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_coordinate_cuts_make_orthants(d):
    regions = rational_cells(one_layer(torch.eye(d).tolist(), [0.0] * d))
    assert {r.pattern for r in regions} == set(product((False, True), repeat=d))
    assert all(len(r.tight) == 2**d for r in regions)
    assert len(adjacent_patterns(regions)) == d * 2 ** (d - 1)


@pytest.mark.parametrize(("d", "n"), [(2, 5), (3, 4), (3, 6), (4, 5)])
def test_generic_cuts_through_one_point(d, n):
    """A central arrangement has 2 Σ_{i<d} C(n−1, i) regions."""
    w = torch.randn(n, d, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    assert len(rational_cells(one_layer(w.tolist(), [0.0] * n))) == 2 * sum(comb(n - 1, i) for i in range(d))


def test_a_cut_through_corners_only_touches():
    regions = rational_cells(one_layer([[1.0, 1.0, 1.0]], [-3.0]))
    assert [r.signs for r in regions] == [(-1,)]
    # x + y + z = 1 meets the cube in the triangle of three of its corners.
    above, below = sorted(rational_cells(one_layer([[1.0, 1.0, 1.0]], [-1.0])), key=lambda r: len(r.tight))
    assert (len(above.tight), len(below.tight)) == (4, 7)


@pytest.mark.parametrize("family", DEGENERATE_NETS.values(), ids=DEGENERATE_NETS.keys())
def test_in_the_plane_both_oracles_agree(family):
    network = family(5)
    cells, polygons = rational_cells(network), rational_regions(network)
    assert sorted(c.signs for c in cells) == sorted(sum(p.signs, ()) for p in polygons)
    assert len(adjacent_patterns(cells)) == len(adjacent_pairs(polygons))
