"""Theorem 1's construction: the function, the norm to rounding, and the limit."""

import pytest
import torch

from cases import random_layers
from isthmus.costs import StretchedNetwork, three_part
from isthmus.errors import (
    IncompatibleNetworksError,
    NotRepresentableError,
    OptionError,
    ShapeError,
)
from isthmus.networks import ABSOLUTE, IDENTITY, RELU, Activation, FullyConnected, compose
from isthmus.networks.catalogue import catalogue


def halves(k, activation, seed=0):
    g = random_layers((3, 12, k), activation, seed)
    h = random_layers((k, 9, 4), activation, seed + 1)
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return g, h, x


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("depth", [4, 5, 13, 40])
def test_it_computes_h_of_g_and_its_norm_is_the_formulas(k, depth, activation):
    g, h, x = halves(k, activation)
    net = three_part(g, h, depth, outputs_above=g(x).amin(0))
    written_out = net.dense()
    assert net.depth == written_out.depth == depth
    torch.testing.assert_close(written_out(x), h(g(x)), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(net(x), written_out(x), rtol=1e-12, atol=1e-12)
    formula = net.encoder.squared_norm + k * (depth - 4) + net.decoder.squared_norm
    assert net.squared_norm == pytest.approx(formula, rel=1e-15)
    assert written_out.squared_norm == pytest.approx(formula, rel=1e-14)


def test_the_stretched_and_the_written_out_network_agree_outside_the_domain_too(activation):
    g, h, x = halves(3, activation)
    net = three_part(g, h, 9, outputs_above=g(x).amin(0) + 0.7)  # wrong bounds: σ does act in the middle
    torch.testing.assert_close(net(3 * x), net.dense()(3 * x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("entry", [e for e in catalogue(0) if e.cost is not None], ids=lambda e: e.name)
def test_the_norm_per_depth_tends_to_k_up_to_depth_ten_thousand(entry):
    """Through the identity on the inputs: k = d_in there; R/L - k falls like 1/L."""
    f, (lower, _) = entry.network, entry.box
    identity = FullyConnected((torch.eye(f.d_in, dtype=torch.float64),), (torch.zeros(f.d_in).double(),), f.activation)
    excess = []
    for depth in (100, 1_000, 10_000):
        net = three_part(identity, f, depth, outputs_above=lower)
        assert net.count == depth - 1 - f.depth
        excess.append(depth * (net.norm_per_depth - f.d_in))
    assert excess == pytest.approx([excess[0]] * 3, rel=1e-9, abs=1e-7)


def test_another_depth_keeps_the_function():
    g, h, x = halves(2, RELU)
    net = three_part(g, h, 10, outputs_above=g(x).amin(0))
    scaled = StretchedNetwork(net.encoder, torch.tensor([1.5, 0.25]).double(), 6, net.decoder)
    for depth in (4, 5, 30):
        other = scaled.at(depth)
        assert other.depth == depth
        torch.testing.assert_close(other.dense()(x), scaled(x), rtol=1e-11, atol=1e-11)
    with pytest.raises(OptionError, match="at least 4, the depth of the two halves"):
        net.at(3)


def test_composition_of_the_halves_is_the_same_function():
    g, h, x = halves(2, Activation(0.3))
    net = three_part(g, h, 7, outputs_above=g(x).amin(0))
    torch.testing.assert_close(net(x), compose(h, g)(x), rtol=1e-12, atol=1e-12)


def test_what_cannot_be_built_says_why():
    g, h, x = halves(2, RELU)
    with pytest.raises(OptionError, match="depth is 3 but must be at least 4"):
        three_part(g, h, 3, outputs_above=g(x).amin(0))
    with pytest.raises(NotRepresentableError, match=r"lets only nonnegative values pass.*Give outputs_above"):
        three_part(g, h, 9)
    with pytest.raises(ShapeError, match="one number for each of the 2 outputs"):
        three_part(g, h, 9, outputs_above=torch.zeros(3))
    with pytest.raises(ShapeError, match="both must be k"):
        three_part(g, random_layers((3, 2), RELU, 0), 9, outputs_above=torch.zeros(2))
    with pytest.raises(IncompatibleNetworksError, match="differ in activation"):
        three_part(g, random_layers((2, 3, 2), ABSOLUTE, 0), 9, outputs_above=torch.zeros(2))
    with pytest.raises(OptionError, match="count is -1"):
        StretchedNetwork(g, torch.ones(2).double(), -1, h)
    with pytest.raises(OptionError, match="nonnegative and finite"):
        StretchedNetwork(g, torch.tensor([1.0, -1.0]).double(), 1, h)


def test_linear_networks_need_no_shift():
    g, h, x = halves(2, IDENTITY)
    net = three_part(g, h, 9)
    torch.testing.assert_close(net.dense()(x), h(g(x)), rtol=1e-12, atol=1e-12)
