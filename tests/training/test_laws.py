"""What the two norm-reducing steps may and may not do, for every network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import ACTIVATIONS, random_layers
from isthmus.networks import RELU, FullyConnected
from isthmus.training import project, rebalance

NETWORKS = st.builds(
    random_layers,
    st.lists(st.integers(1, 9), min_size=2, max_size=6).map(tuple),
    st.sampled_from(ACTIVATIONS),
    st.integers(0, 10_000),
)


def rows(network, n, seed):
    return torch.randn(n, network.d_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=60)
@given(NETWORKS, st.integers(0, 100))
def test_rebalancing_leaves_f_unchanged_everywhere_and_never_grows_the_norm(network, seed):
    x = 10 * rows(network, 30, seed)
    after = rebalance(network)
    torch.testing.assert_close(after(x), network(x), rtol=1e-9, atol=1e-9)
    assert after.squared_norm <= network.squared_norm * (1 + 1e-12)


@settings(max_examples=60)
@given(NETWORKS)
def test_rebalancing_ends_balanced(network):
    after = rebalance(network, sweeps=2000, precision=1e-12)
    for layer in range(after.depth - 1):
        incoming = after.weights[layer].square().sum(1) + after.biases[layer].square()
        outgoing = after.weights[layer + 1].square().sum(0)
        torch.testing.assert_close(incoming, outgoing, rtol=1e-6, atol=1e-12)


@settings(max_examples=60)
@given(NETWORKS, st.integers(1, 12), st.integers(0, 100))
def test_the_exact_projection_keeps_f_on_the_data_and_never_grows_the_norm(network, n, seed):
    x = rows(network, n, seed)
    after = project(network, x, damping=0.0)
    torch.testing.assert_close(after(x), network(x), rtol=1e-6, atol=1e-6)
    assert after.squared_norm <= network.squared_norm * (1 + 1e-9)


@settings(max_examples=60)
@given(NETWORKS, st.floats(1e-6, 10.0), st.integers(0, 100))
def test_a_damped_projection_never_grows_the_norm(network, damping, seed):
    assert project(network, rows(network, 20, seed), damping=damping).squared_norm <= network.squared_norm * (1 + 1e-9)


def test_damping_to_zero_is_the_exact_projection():
    network = random_layers((6, 9, 9, 3), RELU, seed=0)
    x = rows(network, 200, 0)
    exact = project(network, x, damping=0.0)
    gaps = []
    for damping in (1e-3, 1e-5, 1e-7):
        near = project(network, x, damping=damping)
        gaps.append(float((near(x) - exact(x)).norm() / exact(x).norm()))
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-4


def test_projection_removes_exactly_what_the_data_do_not_use():
    """Inputs on a line: of W_1 only its action on that line (and the bias) can remain."""
    network = random_layers((4, 5, 2), RELU, seed=1)
    direction = torch.tensor([[1.0, 2.0, -1.0, 0.5]], dtype=torch.float64)
    x = torch.linspace(-1, 1, 30, dtype=torch.float64)[:, None] @ direction
    after = project(network, x, damping=0.0)
    unit = direction / direction.norm()
    torch.testing.assert_close(after.weights[0], network.weights[0] @ unit.T @ unit, rtol=1e-9, atol=1e-9)


def test_dead_neurons_are_set_to_zero():
    w = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    network = FullyConnected((w, torch.ones(1, 2).double()), (torch.zeros(2).double(), torch.zeros(1).double()))
    after = rebalance(network)
    assert float(after.weights[1][0, 1]) == 0.0
    assert torch.isfinite(after.weights[0]).all()


@pytest.mark.parametrize("step", [rebalance, lambda n: project(n, torch.zeros(3, 2), damping=0.0)])
def test_the_given_network_is_not_modified(step):
    network = random_layers((2, 3, 2), RELU, seed=2)
    before = [w.clone() for w in network.weights]
    step(network)
    assert all(torch.equal(a, b) for a, b in zip(before, network.weights, strict=True))
