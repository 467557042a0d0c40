"""The latent coordinates belong to the function, not to the way it is written."""

import pytest
import torch

from cases import random_layers, through
from isthmus import factor
from isthmus.factorization.orientation import oriented
from isthmus.networks import ABSOLUTE, IDENTITY, RELU, FullyConnected
from isthmus.training import Schedule, TrainingConfig, fit


def data(d, n=300, seed=100):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def permuted(network, seed):
    """The same function with the neurons of each hidden layer in another order and rescaled."""
    generator = torch.Generator().manual_seed(seed)
    weights, biases = list(network.weights), list(network.biases)
    for layer in range(network.depth - 1):
        order = torch.randperm(len(biases[layer]), generator=generator)
        scale = 0.5 + torch.rand(len(order), generator=generator, dtype=torch.float64)
        weights[layer] = scale[:, None] * weights[layer][order]
        biases[layer] = scale * biases[layer][order]
        weights[layer + 1] = weights[layer + 1][:, order] / scale
    return FullyConnected(tuple(weights), tuple(biases), network.activation)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_neurons_may_be_permuted_and_rescaled(k):
    network, x = through(k, seed=50 + k), data(9)
    z = factor(network, x, rank=k).encode(x)
    for seed in (1, 2, 3):
        torch.testing.assert_close(factor(permuted(network, seed), x, rank=k).encode(x), z, rtol=1e-6, atol=1e-6)


def test_a_negated_basis_is_turned_back():
    encoder, decoder, x = random_layers((5, 8, 3), RELU, seed=51), random_layers((3, 8, 4), RELU, seed=52), data(5)
    first = oriented(encoder, decoder, x)
    for signs in ([-1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]):
        flip = torch.tensor(signs).double()
        turned = FullyConnected(
            (encoder.weights[0], flip[:, None] * encoder.weights[1]), (encoder.biases[0], flip * encoder.biases[1])
        )
        reading = FullyConnected((decoder.weights[0] * flip, decoder.weights[1]), decoder.biases)
        again = oriented(turned, reading, x)
        torch.testing.assert_close(again[0](x), first[0](x), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(again[1](again[0](x)), decoder(encoder(x)), rtol=1e-12, atol=1e-12)


def test_a_coordinate_rises_with_the_output_and_not_with_the_input_it_falls_in():
    x = data(3)
    w = torch.tensor([[-2.0, 0.0, 0.0]]).double()
    for weight in (w, -w):
        z = factor(FullyConnected((weight,), (torch.zeros(1).double(),), IDENTITY), x, rank=1).encode(x)[:, 0]
        assert float(torch.corrcoef(torch.stack([z, x @ weight[0]]))[0, 1]) == pytest.approx(1.0, abs=1e-9)


def test_even_functions_are_oriented_by_their_inputs():
    x = data(2, n=400)
    x = torch.cat([x, -x])  # so that no output correlates with an input
    first, last = torch.tensor([[1.5, 0.2]]).double(), torch.ones(1, 1).double()
    zero = torch.zeros(1).double()
    one = oriented(FullyConnected((first,), (zero,), ABSOLUTE), FullyConnected((last, last), (zero, zero), ABSOLUTE), x)
    other = oriented(
        FullyConnected((-first,), (zero,), ABSOLUTE), FullyConnected((-last, last), (zero, zero), ABSOLUTE), x
    )
    torch.testing.assert_close(one[0](x), other[0](x))
    assert float(one[0].weights[0][0, 0]) > 0


def test_two_trainings_agree_on_order_and_sign():
    teacher, x = through(2, seed=53, d=6), data(6, n=250, seed=101)
    y = teacher(x)
    first, second = (
        factor(
            fit(x, y, config=TrainingConfig(depth=5, width=25, schedule=Schedule(steps=300, rounds=3)), seed=seed),
            x,
            rank=2,
        ).encode(x)
        for seed in (100, 101)
    )
    for a, b in zip(first.T, second.T, strict=True):
        assert float(torch.corrcoef(torch.stack([a, b]))[0, 1]) > 0.95
