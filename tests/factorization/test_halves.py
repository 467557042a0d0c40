"""Factorisations of functions whose halves are known."""

import pytest
import torch
from torch import nn

from cases import random_layers, through
from isthmus.errors import ConstantOutputError, OptionError, ShapeError, UnsupportedModuleError
from isthmus.factorization import factor
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import RELU, FullyConnected, StandardizedNetwork
from isthmus.networks.scaling import Affine
from isthmus.spectra import bottleneck_rank


def data(d, n=300, seed=1):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_halves_meet_in_k_numbers_and_compose_to_f(k):
    network, x = through(k, seed=30 + k), data(9)
    halves = factor(network, x, tolerance=Tolerance(1e-6))
    assert halves.rank == k
    assert halves.encode(x).shape == (300, k)
    torch.testing.assert_close(halves(x), network(x), rtol=1e-6, atol=1e-6)
    fresh = data(9, seed=2)  # h ∘ g is f everywhere, not only on the data
    torch.testing.assert_close(halves(fresh), network(fresh), rtol=1e-5, atol=1e-5)
    z = halves.encode(x)
    torch.testing.assert_close(z.T @ z / len(x), torch.eye(k).double(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scaling", ["data", "unit", "none"])
def test_the_error_curve_is_what_factoring_at_k_gives(scaling):
    network, x = random_layers((5, 12, 12, 4), RELU, seed=1), data(5)
    outputs = network(x)
    scale = {"data": outputs.std(0, correction=0), "unit": 3.0, "none": 1.0}[scaling]
    curve = factor(network, x, rank=4, scale_outputs=scaling).error_curve
    spread = ((outputs - outputs.mean(0)) / scale).norm()
    for k in (1, 2, 3, 4):
        change = ((factor(network, x, rank=k, scale_outputs=scaling)(x) - outputs) / scale).norm() / spread
        assert float(change) == pytest.approx(curve[k], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("scaling", ["data", "unit", "none"])
@pytest.mark.parametrize("seed", range(3))
def test_it_keeps_as_many_numbers_as_the_bottleneck_rank_says(scaling, seed):
    network, x = through(4, seed=40 + seed, d=6), data(6)
    units = torch.tensor([1.0, 1e-3, 1e-3, 1e3, 1.0, 10.0], dtype=torch.float64)[:, None]
    weights, biases = list(network.weights), list(network.biases)
    weights[-1], biases[-1] = weights[-1] * units, biases[-1] * units[:, 0]
    network = FullyConnected(tuple(weights), tuple(biases), RELU)
    found = factor(network, x, scale_outputs=scaling)
    said = bottleneck_rank(network, x, scale_outputs=scaling)
    assert "exhibited" in said.evidence[1]
    assert found.rank == said.upper
    assert (found.rank == 1) == (scaling != "data")  # one output is nearly all of it, unless each has its own unit


def test_units_of_the_data_go_in_and_come_out():
    network, x = through(2, seed=33), data(9)
    inputs, outputs = Affine(torch.full((9,), 4.0), torch.full((9,), 2.0)), Affine(torch.ones(9), torch.full((9,), 7.0))
    model = StandardizedNetwork(network, inputs, outputs)
    raw = 2.0 * x + 4.0
    torch.testing.assert_close(factor(model, raw, rank=2)(raw), model(raw), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("rank", "message"), [(0, "at least 1"), (-1, "at least 1"), (99, "at most")])
def test_impossible_ranks_are_refused(rank, message):
    with pytest.raises(OptionError, match=message):
        factor(through(2, seed=34), data(9), rank=rank)


def test_a_function_of_rank_0_is_refused_by_name():
    network = through(2, seed=34)
    still = FullyConnected(tuple(0.0 * w for w in network.weights), network.biases, network.activation)
    with pytest.raises(ConstantOutputError, match=r"model's outputs is the same.*rank is 0.*nothing to factor"):
        factor(still, data(9))


def test_wrong_columns_are_refused():
    halves = factor(through(2, seed=35), data(9))
    with pytest.raises(ShapeError, match="z has 3 columns but the network takes 2"):
        halves.decode(torch.zeros(1, 3))


@pytest.mark.parametrize("module", [lambda: nn.Conv2d(1, 2, 3), lambda: nn.AvgPool2d(2)])
def test_halves_of_a_module_that_convolves_compose_to_it_on_flattened_images(module):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Sequential(module(), nn.ReLU(), nn.Flatten())
        f = nn.Sequential(*layers, nn.LazyLinear(2), nn.Linear(2, 5)).double()
        x = torch.rand(40, 1, 6, 6, dtype=torch.float64)
        f(x)
    found = factor(f.eval(), x, rank=2)
    assert found.rank == 2
    torch.testing.assert_close(found.decode(found.encode(x.flatten(1))), f(x).detach(), rtol=1e-9, atol=1e-9)


def test_images_are_refused_where_a_linear_layer_would_read_their_last_dimension_alone():
    with pytest.raises(UnsupportedModuleError, match="last dimension"):
        factor(nn.Sequential(nn.Linear(36, 4), nn.ReLU(), nn.Linear(4, 3)), torch.rand(20, 1, 6, 6))


def test_rows_that_are_single_numbers_are_refused():
    with pytest.raises(ShapeError, match="matrix"):
        factor(nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 3)), torch.rand(20))
