"""Scales, constants and coordinates: what lowers ‖w‖² at unchanged f, against other ways to the same minimum."""

import itertools

import pytest
import torch

from cases import random_layers
from isthmus.costs import (
    StretchedNetwork,
    in_best_coordinates,
    lightened,
    three_part,
    with_constant_neurons,
)
from isthmus.costs.coordinates import in_coordinates
from isthmus.networks import IDENTITY, RELU, FullyConnected
from isthmus.training import rebalance


def stretched(depth, activation=RELU, k=3, seed=0):
    g, h = random_layers((4, 7, k), activation, seed), random_layers((k, 6, 5), activation, seed + 1)
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return three_part(g, h, depth, outputs_above=g(x).amin(0)), x


@pytest.mark.parametrize("depth", [4, 5, 9])
def test_newton_reaches_what_many_sweeps_over_the_dense_network_reach(depth, activation):
    net, x = stretched(depth, activation)
    light = lightened(net)
    torch.testing.assert_close(light(x), net(x), rtol=1e-10, atol=1e-10)
    swept = rebalance(net.dense(), sweeps=20_000, precision=1e-13)
    assert light.squared_norm == pytest.approx(swept.squared_norm, rel=1e-10)
    assert light.dense().squared_norm == pytest.approx(light.squared_norm, rel=1e-13)


def test_no_rescaling_of_a_neuron_is_cheaper():
    light = lightened(stretched(30)[0]).dense()
    for layer in range(light.depth - 1):
        incoming = light.weights[layer].square().sum(1) + light.biases[layer].square()
        outgoing = light.weights[layer + 1].square().sum(0)
        torch.testing.assert_close(incoming, outgoing, rtol=1e-6, atol=1e-9)


def test_neurons_that_carry_nothing_become_zero():
    net, x = stretched(8)
    w = list(net.encoder.weights)
    w[0] = torch.cat([w[0], torch.zeros(1, 4).double(), torch.ones(1, 4).double()])
    w[1] = torch.cat([w[1], torch.full((3, 1), 7.0).double(), torch.zeros(3, 1).double()], 1)
    b = (torch.cat([net.encoder.biases[0], torch.zeros(2).double()]), net.encoder.biases[1])
    fat = StretchedNetwork(FullyConnected(tuple(w), b), net.scale, net.count, net.decoder)
    torch.testing.assert_close(fat(x), net(x))
    assert lightened(fat).squared_norm == pytest.approx(lightened(net).squared_norm, rel=1e-10)


def test_one_path_has_its_closed_form():
    """x -> product of L weights: L |product|^{2/L}, and a coordinate without a path costs nothing."""
    head = FullyConnected((torch.diag(torch.tensor([8.0, 3.0])).double(),), (torch.zeros(2).double(),))
    tail = FullyConnected((torch.tensor([[0.25, 0.0]]).double(),), (torch.zeros(1).double(),))
    light = lightened(StretchedNetwork(head, torch.tensor([1.0, 1.0]).double(), 98, tail))
    assert light.squared_norm == pytest.approx(100 * 2.0 ** (2 / 100), rel=1e-12)
    assert light.rank == 1


@pytest.mark.parametrize("seed", range(4))
def test_constant_neurons_leave_the_function_everywhere(seed, activation):
    net = random_layers((3, 5, 4, 6, 2), activation, seed)
    heavy = FullyConnected(net.weights, tuple(20 * b for b in net.biases), activation)
    light = with_constant_neurons(heavy)
    x = 10 * torch.randn(80, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert light.widths[1:-1] != heavy.widths[1:-1]
    assert light.squared_norm < heavy.squared_norm
    torch.testing.assert_close(light(x), heavy(x), rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("size", [0.5, 3.0, 40.0])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_constant_is_as_cheap_as_a_grid_over_all_chains_says(size, depth):
    """Exhaustive over the values of the hidden constant neurons, with the least weights between them."""
    widths = (2, *[1] * (depth - 1), 1)
    weights = tuple(torch.zeros(b, a).double() for a, b in itertools.pairwise(widths))
    biases = (*[torch.zeros(1).double()] * (depth - 1), torch.full((1,), size).double())
    found = with_constant_neurons(FullyConnected(weights, biases)).squared_norm
    grid = [i * size / 400 for i in range(401)]
    best = min(
        sum(v**2 / (u**2 + 1) for u, v in itertools.pairwise((0.0, *middle, size)))
        for middle in itertools.product(grid, repeat=depth - 1)
    )
    assert best * (1 - 5e-3) <= found <= best * (1 + 1e-9)
    if depth == 2:
        assert found == pytest.approx(2 * size - 1 if size > 1 else size**2, rel=1e-9)


def test_coordinates_leave_the_function_and_never_cost_more():
    net, x = stretched(13)
    plain = StretchedNetwork(net.encoder, net.scale, net.count, net.decoder)
    z = plain.latent(x)
    best = in_best_coordinates(plain, z)
    torch.testing.assert_close(best(x), net(x), rtol=1e-9, atol=1e-9)
    assert float(best.latent(x).min()) >= -1e-12
    assert lightened(best).squared_norm < lightened(plain).squared_norm
    turned = in_coordinates(plain, z, torch.tensor([[0.0, 2, 0], [-1, 0, 0], [0.3, 0, 1]]).double())
    torch.testing.assert_close(turned(x), net(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("depth", [3, 13, 500])
def test_a_linear_middle_reaches_the_schatten_norm(depth):
    """f(x) = BAx through R^2 without biases and with the identity: the closed form, which no basis beats."""
    generator = torch.Generator().manual_seed(3)
    a, b = torch.randn(2, 6, generator=generator).double(), torch.randn(5, 2, generator=generator).double()
    zero = [torch.zeros(n).double() for n in (2, 5)]
    net = three_part(FullyConnected((a,), (zero[0],), IDENTITY), FullyConnected((b,), (zero[1],), IDENTITY), depth)
    x = torch.randn(30, 6, generator=generator).double()
    light = lightened(in_best_coordinates(net, net.latent(x)))
    s = torch.linalg.svdvals(b @ a)[:2]
    assert light.squared_norm == pytest.approx(depth * float((s ** (2 / depth)).sum()), rel=1e-8)
    torch.testing.assert_close(light(x), x @ (b @ a).T, rtol=1e-8, atol=1e-8)
