"""Counts that several independent tools agree on: torch's initial weights, seed 0, box [-1, 1]²."""

import numpy as np
import pytest

from isthmus.regions import enumerate_regions
from regions.nets import assert_a_tiling, autograd_jacobians, default_init

CASES = [
    ((2, 32, 32, 32, 1), 1.0, 1_180),
    ((2, 32, 32, 32, 1), 2.0, 3_996),
    ((2, 64, 64, 64, 64, 4), 1.0, 7_920),
    ((2, 64, 64, 64, 64, 4), 2.0, 19_505),
    ((2, *[100] * 12, 4), 1.0, 23_004),
]


@pytest.mark.parametrize(("widths", "scale", "count"), CASES)
def test_counts_are_the_known_ones(widths, scale, count):
    regions = enumerate_regions(default_init(widths, scale=scale), (-1, 1))
    assert len(regions) == count
    assert_a_tiling(regions, 4.0)


@pytest.mark.parametrize("width", [40, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_jacobians_of_a_deep_net_are_autograds_on_every_region(width):
    regions = enumerate_regions(default_init((2, *[width] * 12, 4)), (-1, 1))
    expected = autograd_jacobians(regions.network, regions.interior_points)
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    assert (np.abs(regions.jacobians() - expected) <= 1e-9 * size).all()
    assert np.allclose(regions.singular_values, np.linalg.svd(expected, compute_uv=False), rtol=1e-6, atol=0)


def test_sampling_finds_no_pattern_that_is_not_among_the_regions():
    net = default_init((2, 32, 32, 32, 1), scale=2.0)
    regions = enumerate_regions(net, (-1, 1))
    known = {b"".join(p.tobytes() for p in regions.pattern(i)) for i in range(len(regions))}
    points = 2 * np.random.default_rng(0).random((20_000, 2)) - 1
    import torch

    signs = [(z > 0).numpy() for z in net.pre_activations(torch.from_numpy(points))[:-1]]
    sampled = {b"".join(layer[i].tobytes() for layer in signs) for i in range(len(points))}
    assert sampled <= known
    assert len(sampled) > 1_000
