"""The cost at depth 2 in one variable against closed forms, a linear programme on a grid, and laws."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from cases import random_layers
from isthmus.costs.path import PiecewiseLinear, piecewise_linear
from isthmus.costs.shallow import shallow_cost
from isthmus.errors import DomainError, NonFiniteError, ShapeError
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
)
from isthmus.training import rebalance
from oracles.shallow_programme import least_shallow_norm


def function(knots, values):
    return PiecewiseLinear(np.array(knots, float), np.array(values, float).reshape(len(knots), -1))


def random_function(n, d, seed, lower=-1.0, upper=1.0):
    rng = np.random.default_rng(seed)
    knots = np.sort(np.concatenate([[lower, upper], rng.uniform(lower, upper, n - 1)]))
    return PiecewiseLinear(knots, rng.normal(size=(n + 1, d)))


def one_neuron_and_a_bias(slope, constant):
    """min over c of 2√(slope² + (constant − c)²) + c²."""
    return minimize_scalar(
        lambda c: 2 * np.hypot(slope, constant - c) + c * c, bounds=(-50, 50), options={"xatol": 1e-9}
    ).fun


@pytest.mark.parametrize(
    ("name", "f", "wanted"),
    [
        ("two neurons at 0", function([-1, 0, 1], [1, 0, 1]), 4.0),
        ("σ(x + 1) and σ(1 − x) take half each", function([-1, 1], [-1, 1]), 2 * np.sqrt(2)),
        ("a pair at 0", function([-10, 10], [-10, 10]), 4.0),
        ("an output bias", function([-1, 1], [0.5, 0.5]), 0.25),
        ("a hidden bias and 1 by the output bias", function([-1, 1], [3, 3]), 5.0),
        ("zero", function([-1, 1], [0, 0]), 0.0),
        ("x + 10: one neuron", function([-1, 1], [9, 11]), one_neuron_and_a_bias(1, 10)),
        ("x + 10, far from the edges of K", function([-5, 1], [5, 11]), one_neuron_and_a_bias(1, 10)),
        ("one kink at 2", function([0, 2, 3], [0, 0, 1]), 2 * np.sqrt(5)),
        ("one kink at 2, two outputs", function([0, 2, 3], [[0, 0], [0, 0], [3, 4]]), 10 * np.sqrt(5)),
        ("x on [0, 4]", function([0, 4], [0, 4]), 2.0),
        ("(x, 1) on [0, 1]: by hand below", function([0, 1], [[0, 1], [1, 1]]), None),
    ],
)
def test_functions_whose_cost_is_known(name, f, wanted):
    # (x, 1): x takes (1, 0) ∈ K and the second output either its bias, at c², or (0, 1) ∈ K: 2|1 − c|; c = 1 is best.
    wanted = 3.0 if wanted is None else wanted
    cost = shallow_cost(f)
    assert cost.lower == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert cost.upper == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert cost.per_depth == (cost.lower / 2, cost.upper / 2)


@pytest.mark.parametrize(
    ("n", "d", "lower", "upper"),
    [
        (1, 1, 2, 3),
        (3, 1, -1, 1),
        (4, 1, -8, 9),
        (5, 1, 2, 3),
        (1, 2, -1, 1),
        (2, 2, -0.2, 5),
        (3, 2, 2, 3),
        (4, 2, -8, 9),
    ],
)
def test_a_linear_programme_on_a_grid_finds_the_same(n, d, lower, upper):
    f = random_function(n, d, seed=n + d, lower=lower, upper=upper)
    cost = shallow_cost(f)
    # A grid of 90 outputs is too large by 1/cos(2°) − 1 = 6e-4 at most, tangents too small by 1e-4 an output.
    found = least_shallow_norm(f.knots, f.values)
    assert found == pytest.approx(cost.upper, rel=7e-4, abs=2e-4 * d)


@pytest.mark.parametrize("seed", range(12))
def test_the_bracket_is_closed_and_the_network_is_f_at_that_cost(seed):
    rng = np.random.default_rng(seed)
    lower = rng.choice([-30.0, -1.0, 0.0, 4.0])
    f = random_function(
        int(rng.integers(1, 30)), int(rng.integers(1, 9)), seed, lower, lower + rng.choice([0.3, 2.0, 40.0])
    )
    cost = shallow_cost(f)
    assert cost.lower <= cost.upper <= cost.lower * (1 + 1e-6)
    assert cost.network.squared_norm == cost.upper
    assert cost.network.depth == 2
    t = np.sort(np.concatenate([f.knots, np.linspace(f.knots[0], f.knots[-1], 501)]))
    error = np.abs(cost.network(torch.from_numpy(t[:, None])).numpy() - f(t)).max()
    assert error <= 1e-9 * np.abs(f.values).max()
    assert rebalance(cost.network).squared_norm == pytest.approx(cost.upper, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_laws(seed):
    f, g = random_function(5, 3, seed, -2, 1), random_function(5, 3, seed, -2, 1)
    g = PiecewiseLinear(g.knots, np.random.default_rng(seed + 50).normal(size=g.values.shape))
    cost = shallow_cost(f)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 3)))[0]
    turned = PiecewiseLinear(f.knots, f.values @ rotation.T)
    assert shallow_cost(turned).upper == pytest.approx(cost.upper, rel=1e-8)
    mirrored = PiecewiseLinear(-f.knots[::-1], f.values[::-1])
    assert shallow_cost(mirrored).upper == pytest.approx(cost.upper, rel=1e-8)
    part = PiecewiseLinear(f.knots[1:-1], f.values[1:-1])
    assert shallow_cost(part).lower <= cost.upper
    # R is convex in f: any mixture of two networks of depth 2 is one, with as many hidden neurons.
    mixed = PiecewiseLinear(f.knots, (f.values + g.values) / 2)
    assert shallow_cost(mixed).lower <= (cost.upper + shallow_cost(g).upper) / 2 * (1 + 1e-9)
    # Proposition 3 at L = 2: |f′| ≤ R/2.
    assert np.linalg.norm(f.slopes, axis=1).max() <= cost.upper / 2


@pytest.mark.parametrize("seed", range(5))
def test_no_network_of_depth_2_is_cheaper_than_its_own_function_costs(seed):
    network = random_layers((1, 7, 3), RELU, seed)
    cost = shallow_cost(piecewise_linear(network, -2.0, 2.0))
    assert cost.lower <= rebalance(network).squared_norm * (1 + 1e-9)


@pytest.mark.parametrize("activation", [RELU, ABSOLUTE, IDENTITY, Activation(0.1)], ids=lambda a: a.name)
@pytest.mark.parametrize("widths", [(1, 3), (1, 8, 2), (1, 9, 9, 9, 2)])
def test_a_network_is_read_with_all_its_breakpoints(activation, widths):
    network = random_layers(widths, activation, seed=3)
    f = piecewise_linear(network, -3.0, 2.0)
    t = np.linspace(-3, 2, 5001)
    wanted = network(torch.from_numpy(t[:, None])).numpy()
    assert np.abs(f(t) - wanted).max() <= 1e-12 * np.abs(wanted).max()
    if widths == (1, 8, 2) and activation is RELU:
        zeros = (-network.biases[0] / network.weights[0][:, 0]).numpy()
        assert np.allclose(f.knots[1:-1], np.sort(zeros[(zeros > -3) & (zeros < 2)]), rtol=0, atol=1e-14)


def test_wrong_functions_are_refused():
    with pytest.raises(DomainError, match="The knots do not increase: knot 2 is 1 after 1"):
        function([0, 1, 1], [0, 1, 2])
    with pytest.raises(ShapeError, match="3 knots and 2 values"):
        PiecewiseLinear(np.arange(3.0), np.zeros((2, 1)))
    with pytest.raises(ShapeError, match="at least the two ends"):
        PiecewiseLinear(np.zeros(1), np.zeros((1, 1)))
    with pytest.raises(NonFiniteError, match="the values holds NaN"):
        function([0, 1], [0, np.nan])
    with pytest.raises(ShapeError, match="takes 2 inputs"):
        piecewise_linear(random_layers((2, 1), RELU, 0), 0.0, 1.0)
    for ends in ((1.0, 0.0), (0.0, 0.0), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(DomainError, match="is no interval"):
            piecewise_linear(random_layers((1, 1), RELU, 0), *ends)
