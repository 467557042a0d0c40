"""Linear layers in front of neurons: closed forms, weights that nothing is cheaper than, and the index rank."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from cases import random_layers
from isthmus.costs import linear_front_cost, matrix_cost
from isthmus.errors import OptionError, ShapeError
from isthmus.networks import RELU, FullyConnected


def neurons(w, v):
    w, v = torch.as_tensor(w).double(), torch.as_tensor(v).double()
    return FullyConnected((w, v), (torch.zeros(len(w)).double(), torch.zeros(len(v)).double()), RELU)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 3), st.integers(1, 40), st.integers(0, 2**32))
def test_no_scales_and_no_factors_are_cheaper_than_the_lower_end(inputs, width, outputs, layers, seed):
    network = random_layers((inputs, width, outputs), RELU, seed)
    found = linear_front_cost(network, layers)
    assert found.lower <= found.upper * (1 + 1e-9)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(5):
        d = torch.rand(width, generator=generator).double() + 0.1
        scaled = matrix_cost(d[:, None] * network.weights[0], layers).total
        total = float((network.weights[1] / d).square().sum()) + scaled
        assert total >= found.upper * (1 - 1e-6)
        assert total >= found.lower * (1 - 1e-9)


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_nothing_found_by_optimisation_over_the_scales_is_cheaper(layers):
    network = random_layers((3, 5, 2), RELU, seed=4)
    w, v = network.weights[0].numpy(), network.weights[1].numpy()

    def total(logs):
        d = np.exp(logs)
        s = np.linalg.svd(d[:, None] * w, compute_uv=False)
        return ((v / d) ** 2).sum() + layers * (s ** (2 / layers)).sum()

    rng = np.random.default_rng(0)
    best = min(minimize(total, rng.normal(size=5), tol=1e-12).fun for _ in range(6))
    assert linear_front_cost(network, layers).upper == pytest.approx(best, rel=1e-6)


def test_one_layer_is_the_sum_over_neurons():
    network = random_layers((3, 5, 2), RELU, seed=1)
    w, v = network.weights
    expected = 2 * float((w.norm(dim=1) * v.norm(dim=0)).sum())
    assert linear_front_cost(network, 1).upper == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("layers", [1, 3, 20])
def test_one_index_has_a_closed_form_and_the_ends_meet_for_orthogonal_neurons(layers):
    index = neurons(np.outer([1.0, -2.0, 0.5], [0.6, 0.8]), [[1.0, 1.0, 2.0]])
    found = linear_front_cost(index, layers)
    size = np.linalg.norm([1.0, 2.0, 1.0])  # of diag(‖v‖) W, of rank 1
    assert found.lower == pytest.approx((layers + 1) * size ** (2 / (layers + 1)))
    assert found.upper == pytest.approx((layers + 1) * 4 ** (2 / (layers + 1)), rel=1e-6)
    assert found.index_rank == 1
    across = linear_front_cost(neurons(np.diag([1.0, 3.0]), [[2.0, 0.5]]), layers)
    assert across.upper == pytest.approx(across.lower, rel=1e-6)
    assert across.lower == pytest.approx((layers + 1) * (2 ** (2 / (layers + 1)) + 1.5 ** (2 / (layers + 1))))


def test_the_cost_per_depth_tends_to_the_index_rank():
    network = neurons(np.array([[1.0, 0, 0], [1, 1, 0], [0, -2, 0], [3, 1, 0]]), [[1.0, 2, 1, 1]])
    shares = [linear_front_cost(network, layers) for layers in (1, 10, 100, 3000)]
    assert {found.index_rank for found in shares} == {2}
    assert shares[-1].lower / shares[-1].depth == pytest.approx(2, abs=0.01)
    assert shares[-1].upper / shares[-1].depth == pytest.approx(2, abs=0.01)
    distances = [abs(found.upper / found.depth - 2) for found in shares]
    assert distances == sorted(distances, reverse=True)


def test_dead_neurons_cost_nothing():
    assert linear_front_cost(neurons(np.zeros((2, 2)), [[1.0, 1.0]]), 3).upper == 0.0
    alive = neurons([[1.0, 2.0]], [[1.0]])
    with_dead = neurons([[1.0, 2.0], [3.0, 1.0]], [[1.0, 0.0]])
    assert linear_front_cost(with_dead, 4) == linear_front_cost(alive, 4)


def test_what_it_does_not_cover_is_refused():
    with pytest.raises(ShapeError, match="depth 3; linear layers are put in front of one hidden layer"):
        linear_front_cost(random_layers((2, 3, 3, 1), RELU, seed=0), 2)
    with pytest.raises(OptionError, match="linear_layers is 0"):
        linear_front_cost(random_layers((2, 3, 1), RELU, seed=0), 0)
