"""Leaky ResNets: the network they become, gradients by autograd, energies by finite differences of least objectives."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.errors import DivergenceError, NotRepresentableError, OptionError, ShapeError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import ABSOLUTE, IDENTITY, RELU, Activation, FullyConnected, LeakyResNet
from isthmus.spectra import leaky_layers
from isthmus.training import (
    LeakyObjective,
    Parameters,
    adapt_steps,
    continue_leaky_resnet,
    equal_steps,
    fit_leaky_resnet,
    random_network,
)

SIGMAS = [RELU, IDENTITY, Activation(0.2), Activation(-0.5)]


def leaky(steps, sigma=RELU, seed=0, width=4):
    generator = torch.Generator().manual_seed(seed)
    layers = random_network((3, *[width] * (len(steps) + 1), 2), sigma, generator, dtype=torch.float64)
    biases = tuple(torch.randn(len(b), generator=generator, dtype=torch.float64) for b in layers.biases)
    return LeakyResNet(FullyConnected(layers.weights, biases, sigma), steps)


def dead(steps):
    layers = leaky(steps).layers
    return LeakyResNet(FullyConnected(tuple(0 * w for w in layers.weights), tuple(0 * b for b in layers.biases)), steps)


def rows(count, width, seed=0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(network, x):
    """Row by row, from the definition."""
    slope, outputs = network.layers.activation.negative_slope, []
    maps = [(w.numpy(), b.numpy()) for w, b in zip(network.layers.weights, network.layers.biases, strict=True)]
    for row in x.numpy():
        alpha = maps[0][0] @ row + maps[0][1]
        for c, (w, b) in zip(network.steps, maps[1:-1], strict=True):
            bent = np.where(alpha > 0, alpha, slope * alpha)
            alpha = alpha + c * (-alpha + w @ bent + b)
        outputs.append(maps[-1][0] @ np.where(alpha > 0, alpha, slope * alpha) + maps[-1][1])
    return np.array(outputs)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=4), st.sampled_from(SIGMAS), st.integers(0, 2**32))
def test_the_fully_connected_network_is_the_same_function(steps, sigma, seed):
    network, x = leaky(tuple(steps), sigma, seed), rows(20, 3, seed)
    expected = by_hand(network, x)
    np.testing.assert_allclose(network(x).numpy(), expected, rtol=1e-9, atol=1e-9)
    same = network.fully_connected()
    assert same.depth == len(steps) + 2
    np.testing.assert_allclose(same(x).numpy(), expected, rtol=1e-8, atol=1e-8)


def test_steps_of_one_are_the_network_itself_and_cost_its_norm():
    network = leaky((1.0, 1.0))
    assert network.fully_connected().widths == network.layers.widths == (3, 4, 4, 4, 2)
    assert network.cost == pytest.approx(network.fully_connected().squared_norm)
    assert leaky((0.5, 1.0)).fully_connected().widths == (3, 8, 4, 4, 2)
    assert leaky((1.0, 1.0), ABSOLUTE).fully_connected().activation == ABSOLUTE


def test_what_it_is_not_is_refused():
    with pytest.raises(NotRepresentableError, match="lose its sign"):
        leaky((0.5,), ABSOLUTE).fully_connected()
    with pytest.raises(OptionError, match=r"layer step is 1\.5"):
        leaky((1.5,))
    with pytest.raises(OptionError, match=r"layer step is 0\.0"):
        leaky((0.0,))
    with pytest.raises(ShapeError, match="2 steps needs 4 layers"):
        LeakyResNet(leaky((0.5,)).layers, (0.5, 0.5))
    with pytest.raises(OptionError, match="at most the number of layers, 3"):
        equal_steps(4.0, 3)
    with pytest.raises(OptionError, match="ridge is 0"):
        fit_leaky_resnet(rows(5, 2), rows(5, 1), steps=(0.5,), width=3, ridge=0.0)
    with pytest.raises(ShapeError, match="x has 5 rows and y 6"):
        fit_leaky_resnet(rows(5, 2), rows(6, 1), steps=(0.5,), width=3, ridge=0.1)
    with pytest.raises(OptionError, match="descent is -1"):
        fit_leaky_resnet(rows(5, 2), rows(5, 1), steps=(0.5,), width=3, ridge=0.1, descent=-1)
    with pytest.raises(DivergenceError, match="the scale of the data is too large"):
        fit_leaky_resnet(1e200 * rows(5, 2), rows(5, 1), steps=(0.5,), width=3, ridge=0.1)
    with pytest.raises(OptionError, match=r"steps is 0\.5 but must be one number a layer"):
        fit_leaky_resnet(rows(5, 2), rows(5, 1), steps=0.5, width=3, ridge=0.1)
    with pytest.raises(OptionError, match="activation is 'tanh' but must be an Activation"):
        fit_leaky_resnet(rows(5, 2), rows(5, 1), steps=(0.5,), width=3, ridge=0.1, activation="tanh")
    with pytest.raises(OptionError, match="network is 'FullyConnected' but must be a LeakyResNet"):
        leaky_layers(leaky((0.5,)).layers, rows(5, 3))
    with pytest.raises(OptionError, match="width is 0"):
        fit_leaky_resnet(rows(5, 2), rows(5, 1), steps=(0.5,), width=0, ridge=0.1)


@pytest.mark.parametrize("sigma", SIGMAS, ids=lambda a: a.name)
def test_the_gradient_is_autograds(sigma):
    steps, x, y = (0.3, 1.0, 0.7), rows(9, 3), rows(9, 2, 1)
    objective, network = LeakyObjective(x, y, 0.05, steps), leaky((0.3, 1.0, 0.7), sigma)
    at = Parameters.of(objective.scaled(network))
    slope = at.like(torch.zeros_like(at.vector))
    value = objective.gradient(at, slope)
    free = [t.clone().requires_grad_() for t in (*at.network().weights, *at.network().biases)]
    w, b, factors = free[:5], free[5:], [1.0, *(c**-0.5 for c in steps), 1.0]
    alpha = x @ w[0].T + b[0]
    for c, u, v, factor in zip(steps, w[1:-1], b[1:-1], factors[1:-1], strict=True):
        alpha = alpha + c * (-alpha + factor * (sigma(alpha) @ u.T + v))
    loss = (sigma(alpha) @ w[-1].T + b[-1] - y).square().sum() / 9 + 0.05 * sum(t.square().sum() for t in free)
    assert float(value[0]) == pytest.approx(float(loss.detach()))
    assert objective.value(network) == pytest.approx(float(loss.detach()))
    for mine, theirs in zip((*slope.weights, *slope.biases), torch.autograd.grad(loss, free), strict=True):
        torch.testing.assert_close(mine[0], theirs)


def trained(steps, x, y, start=None, ridge=0.02):
    """A linear one: its objective is smooth, so that it is trained to a critical point."""
    if start is None:
        return fit_leaky_resnet(x, y, steps=steps, width=4, ridge=ridge, activation=IDENTITY, descent=300)
    return continue_leaky_resnet(LeakyResNet(start.layers, steps), x, y, ridge=ridge, descent=300)


def least(network, x, y, ridge=0.02):
    return LeakyObjective(x, y, ridge, network.steps).value(network)


def test_the_energy_is_the_derivative_of_the_least_objective_by_the_step():
    """λ e_ℓ = dO/dc_ℓ for each layer alone, by trainings at steps to both sides: finite differences know no energy."""
    x, y = rows(30, 3), rows(30, 3) @ torch.tensor([[2.0, 0, 0], [0, 1.0, 0], [0, 0, 0]]).double() + 1.0
    steps = (0.4, 0.5, 0.6)
    network = trained(steps, x, y)
    energies = [layer.energy for layer in leaky_layers(network, x, tolerance=Tolerance(1e-6))]
    for layer in range(3):
        values = []
        for change in (-0.02, 0.02):
            other = tuple(c + change * (index == layer) for index, c in enumerate(steps))
            values.append(least(trained(other, x, y, network), x, y))
        assert (values[1] - values[0]) / 0.04 / 0.02 == pytest.approx(energies[layer], rel=0.02)


def test_the_energy_is_conserved_where_layers_are_many():
    x, y = rows(30, 3), 3.0 * rows(30, 3) @ torch.tensor([[2.0, 1.0, 0], [0, 1.0, 0], [0, 0, 0]]).double()
    drift = []
    for count in (3, 12):
        network = trained(equal_steps(2.0, count), x, y)
        energies = [layer.energy for layer in leaky_layers(network, x, tolerance=Tolerance(1e-6))]
        drift.append((max(energies) - min(energies)) / abs(np.mean(energies)))
    assert drift[1] < 0.4 * drift[0]
    assert drift[1] < 0.1


def test_energies_are_the_definition():
    network, x = leaky((0.3, 0.6), Activation(0.5)), rows(40, 3)
    alphas = [a.numpy().T for a in network.trace(x)]
    for found, before, after, c in zip(
        leaky_layers(network, x, tolerance=Tolerance(1e-6)), alphas, alphas[1:], network.steps, strict=False
    ):
        b = np.vstack([np.where(before > 0, before, 0.5 * before), np.ones(40)])
        inverse = np.linalg.pinv(b)
        assert found.cost_of_identity == pytest.approx(np.sum((before @ inverse) ** 2), rel=1e-4)
        velocity = (after - before) / c
        # What the map makes of B, less what of α it can give back.
        moved = (velocity + before) @ inverse - before @ inverse
        assert found.kinetic_energy == pytest.approx(np.sum(moved**2), rel=1e-4)
    assert leaky_layers(network, x)[1].time == 0.3
    assert leaky_layers(dead((0.3, 0.6)), x) == ()


def test_adapted_layers_move_alike_and_keep_the_depth():
    x, y = rows(60, 3), rows(60, 3)[:, :1].abs()
    network = fit_leaky_resnet(x, y, steps=equal_steps(4.0, 12), width=6, ridge=1e-3, descent=200)

    def lengths(of):
        alphas = of.trace(x)[:-1]
        return [float((b - a).norm() / (a.norm() + b.norm())) for a, b in pairwise(alphas)]

    adapted = continue_leaky_resnet(adapt_steps(network, x), x, y, ridge=1e-3, descent=100)
    assert adapted.effective_depth == pytest.approx(4.0)
    assert max(adapted.steps) <= 1.0
    assert len(adapted.steps) == 12
    assert np.std(lengths(adapted)) / np.mean(lengths(adapted)) < 0.7 * np.std(lengths(network)) / np.mean(
        lengths(network)
    )
    assert adapt_steps(dead((0.2, 0.6)), x).steps == pytest.approx(
        (0.4, 0.4)
    )  # where nothing moves, all layers are alike
    coarse = adapt_steps(leaky((0.9, 0.9, 0.1)), x)
    assert sum(coarse.steps) == pytest.approx(1.9)
    assert max(coarse.steps) <= 1.0
