"""Exact ranks over all regions: numerical, rational, and the hulls that bound the bottleneck rank from above."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cases import random_layers
from isthmus.networks import ABSOLUTE, RELU, Activation
from isthmus.networks.catalogue import catalogue
from isthmus.regions import enumerate_regions
from regions.nets import layers

PLANAR = [entry for seed in range(3) for entry in catalogue(seed) if entry.network.d_in == 2]


@pytest.mark.parametrize("entry", PLANAR, ids=lambda e: e.name)
def test_the_catalogues_ranks(entry):
    lower, upper = (side.numpy() for side in entry.box)
    regions = enumerate_regions(entry.network, (lower, upper))
    assert regions.rational_jacobian_rank().upper == entry.jacobian_rank
    bracket = regions.bottleneck_rank()
    assert bracket.lower <= entry.bottleneck_rank <= bracket.upper
    assert all(
        int(np.linalg.matrix_rank(j, tol=1e-9 * max(np.abs(j).max(), 1e-300))) <= entry.jacobian_rank
        for j in regions.jacobians()
    )


def test_the_tripod_has_jacobian_rank_1_on_every_region():
    from isthmus.networks.catalogue import tripod

    entry = next(e for e in catalogue(0) if e.network.d_in == 2 and e.jacobian_rank < e.bottleneck_rank)
    regions = enumerate_regions(entry.network, tuple(side.numpy() for side in entry.box))
    assert regions.jacobian_ranks().max() == 1
    assert entry.bottleneck_rank == 2
    assert tripod is not None


def test_rational_rank_sees_what_no_tolerance_can():
    """Two rows that differ in the last bit: rank 2 over the rationals, 1 to any floating-point tolerance."""
    net = layers(([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]], [0.0, 0.0]))
    regions = enumerate_regions(net, (-1, 1))
    assert regions.rational_jacobian_rank().lower == 2
    assert regions.jacobian_rank().upper == 1


@pytest.mark.parametrize("activation", [RELU, Activation(0.3), ABSOLUTE], ids=lambda a: a.name)
def test_rational_and_numerical_ranks_agree_where_the_gap_is_wide(activation):
    net = random_layers((2, 5, 1, 4, 3), activation, 1)
    regions = enumerate_regions(net, (-1, 1))
    assert regions.rational_jacobian_rank().upper == 1
    assert regions.jacobian_rank().upper == 1


def test_hulls_bound_the_bottleneck_rank_from_above():
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(6, 1, generator=generator, dtype=torch.float64)
    one = torch.randn(1, 4, generator=generator, dtype=torch.float64)
    net = layers(
        (torch.randn(4, 2, generator=generator).tolist(), [0.1] * 4),
        ((w @ one).tolist(), [5.0] * 6),
        ([[1.0] * 6], [0.0]),
    )
    regions = enumerate_regions(net, (-0.1, 0.1))
    dimensions = [hull.dimension for hull in regions.hulls]
    assert dimensions[0] == 2
    assert dimensions[2] == 1  # all six neurons are active there, so the layer is the affine image of one number
    assert regions.bottleneck_rank().upper == 1
    assert "layer" in regions.bottleneck_rank().evidence[1]


@given(arrays(np.float64, (5, 3, 2), elements=st.floats(-1e3, 1e3, allow_subnormal=False)))
@settings(deadline=None)
def test_two_column_singular_values_are_lapacks(stack):
    from isthmus.regions.affine_pieces import singular_values

    expected = np.linalg.svd(stack, compute_uv=False)
    assert np.allclose(singular_values(stack), expected, rtol=1e-9, atol=1e-12 * (1e-300 + expected.max()))


def test_small_singular_values_keep_their_digits():
    from isthmus.regions.affine_pieces import singular_values

    stack = np.array([[[1.0, 0.0], [0.0, 1e-120]], [[1e200, 0.0], [0.0, 1e190]], [[0.0, 0.0], [0.0, 0.0]]])
    assert np.allclose(singular_values(stack), [[1.0, 1e-120], [1e200, 1e190], [0.0, 0.0]], rtol=1e-12, atol=0)
