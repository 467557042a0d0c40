"""What holds for the regions of every network: random widths, depths, activations, boxes; and trained networks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import random_layers, through
from isthmus import fit
from isthmus.networks import (
    ABSOLUTE,
    RELU,
    Activation,
    FullyConnected,
)
from isthmus.regions import Plane, enumerate_regions
from isthmus.training import Schedule, TrainingConfig
from regions.nets import assert_a_tiling, assert_continuous, assert_jacobians_are_autograds

NETS = st.builds(
    lambda hidden, outputs, activation, seed: random_layers((2, *hidden, outputs), activation, seed),
    st.lists(st.integers(1, 12), min_size=0, max_size=13),
    st.integers(1, 4),
    st.sampled_from([RELU, Activation(0.2), Activation(-0.5), ABSOLUTE]),
    st.integers(0, 10_000),
)


@given(NETS, st.floats(0.01, 50.0), st.floats(-3.0, 3.0))
@settings(max_examples=60)
def test_regions_tile_the_box_and_carry_the_function(network, side, shift):
    regions = enumerate_regions(network, ((shift, -shift), (shift + side, side - shift)))
    assert_a_tiling(regions, side * side)
    assert_continuous(regions)
    assert_jacobians_are_autograds(regions)


@given(NETS)
@settings(max_examples=30)
def test_scaling_input_and_box_together_changes_nothing(network):
    """Tolerances are relative: a box of side 1e-6 or 1e6 with weights to match has the same regions."""
    count = len(enumerate_regions(network, (-1, 1)))
    for factor in (2.0**-20, 2.0**20):
        scaled = FullyConnected((network.weights[0] / factor, *network.weights[1:]), network.biases, network.activation)
        assert len(enumerate_regions(scaled, (-factor, factor))) == count


@given(NETS)
@settings(max_examples=30)
def test_rescaling_neurons_changes_nothing(network):
    """Positive homogeneity: c on the way in and 1/c on the way out leave f and its regions alone."""
    weights, biases = list(network.weights), list(network.biases)
    for layer in range(network.depth - 1):
        c = 10.0 ** torch.linspace(-4, 4, network.widths[layer + 1], dtype=torch.float64)
        weights[layer], biases[layer] = weights[layer] * c[:, None], biases[layer] * c
        weights[layer + 1] = weights[layer + 1] / c
    rescaled = FullyConnected(tuple(weights), tuple(biases), network.activation)
    assert len(enumerate_regions(rescaled, (-1, 1))) == len(enumerate_regions(network, (-1, 1)))


@pytest.fixture(scope="module")
def trained():
    """A deep network after a short real fit: dead, duplicated and always-on neurons are the rule in it."""
    x = torch.randn(200, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return fit(
        x,
        through(2, 0, d=6)(x),
        config=TrainingConfig(depth=13, width=30, schedule=Schedule(steps=600, rounds=2)),
        seed=0,
    )


def test_slices_of_a_trained_deep_net_have_no_spurious_slivers(trained):
    for seed in range(3):
        plane = Plane.through(2 * np.random.default_rng(seed).standard_normal((3, 6)))
        regions = enumerate_regions(trained, (-3, 3), plane=plane)
        assert_a_tiling(regions, 36.0)
        assert_continuous(regions)
        estimate = regions.jacobian_rank()
        thick = regions.inner_radii > 1e-9 * 6
        assert estimate.lower == regions.jacobian_ranks()[thick].max()


def test_a_linear_network_has_one_region():
    from isthmus.networks import IDENTITY

    network = random_layers((2, 5, 4, 3), IDENTITY, 0)
    regions = enumerate_regions(network, (-1, 1))
    assert len(regions) == 1
    product = network.weights[2] @ network.weights[1] @ network.weights[0]
    assert np.allclose(regions.jacobians()[0], product)
    assert regions[0].pattern == ()
