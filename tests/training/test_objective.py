"""The objective and its gradient against torch's own losses and autograd."""

import pytest
import torch

from cases import random_layers
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.networks import RELU, Activation
from isthmus.training import (
    Objective,
    Parameters,
    random_network,
)
from isthmus.training import objective as objective_module


def by_autograd(network, x, y, ridge, *, classes):
    leaves = [t.clone().requires_grad_() for t in (*network.weights, *network.biases)]
    weights, biases = leaves[: network.depth], leaves[network.depth :]
    a = x
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True), start=1):
        z = torch.nn.functional.linear(a, w, b)
        slope = network.activation.negative_slope
        a = z if layer == network.depth else torch.where(z > 0, z, slope * z)
    loss = torch.nn.functional.cross_entropy(a, y) if classes else (a - y).square().sum(1).mean()
    loss = loss + ridge / network.depth * sum(t.square().sum() for t in leaves)
    loss.backward()
    return loss.detach(), [t.grad for t in leaves]


@pytest.mark.parametrize("chunk", [8, 8192])
@pytest.mark.parametrize("classes", [False, True])
def test_value_and_gradient_are_autograds(activation, points, classes, chunk, monkeypatch):
    monkeypatch.setattr(objective_module, "_CHUNK", chunk)
    network = random_layers((5, 7, 6, 4), activation, seed=1)
    generator = torch.Generator().manual_seed(2)
    y = torch.randint(4, (40,), generator=generator) if classes else torch.randn(40, 4, generator=generator).double()
    objective = Objective(points, y, CATEGORICAL if classes else GAUSSIAN, 0.3)
    at = Parameters.of(network)
    slope = Parameters.of(network)
    (value,) = objective.gradient(at, slope)
    expected, gradients = by_autograd(network, points, y, 0.3, classes=classes)
    torch.testing.assert_close(value, expected)
    assert objective.value(network) == pytest.approx(float(expected), rel=1e-12)
    for found, wanted in zip((*slope.network().weights, *slope.network().biases), gradients, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)


def test_the_parameters_are_views_of_one_vector():
    network = random_layers((3, 4, 2), RELU, seed=3)
    parameters = Parameters.of(network)
    assert parameters.vector.shape == (1, network.parameter_count)
    parameters.vector.zero_()
    assert parameters.network().squared_norm == 0.0
    assert network.squared_norm > 0.0
    parameters.assign(network)
    assert parameters.network().squared_norm == network.squared_norm


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_a_random_start_keeps_the_size_of_the_signal(slope):
    network = random_network((100, *[400] * 20, 100), Activation(slope), torch.Generator().manual_seed(0))
    x = torch.randn(200, 100, generator=torch.Generator().manual_seed(1))
    assert 0.3 < float(network(x).square().mean()) < 3.0
