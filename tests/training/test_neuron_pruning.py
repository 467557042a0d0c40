"""Fewer neurons: the same f on the data, no more norm, and about as many as the rank needs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import ACTIVATIONS, random_layers
from isthmus.errors import ShapeError
from isthmus.networks import IDENTITY, RELU, FullyConnected
from isthmus.training import prune_neurons, widened
from isthmus.training.neuron_pruning import caratheodory

NETWORKS = st.builds(
    random_layers,
    st.lists(st.integers(1, 12), min_size=2, max_size=6).map(tuple),
    st.sampled_from(ACTIVATIONS),
    st.integers(0, 10_000),
)


def rows(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=80)
@given(NETWORKS, st.integers(1, 40), st.integers(0, 100))
def test_pruning_keeps_f_on_the_data_and_never_grows_the_norm(network, n, seed):
    x = rows(n, network.d_in, seed)
    after = prune_neurons(network, x)
    torch.testing.assert_close(after(x), network(x), rtol=1e-6, atol=1e-6)
    assert after.squared_norm <= network.squared_norm * (1 + 1e-9)
    assert after.depth == network.depth
    assert all(a <= b for a, b in zip(after.widths, network.widths, strict=True))


@settings(max_examples=40)
@given(NETWORKS, st.floats(1e-6, 0.5), st.integers(0, 100))
def test_a_tolerance_never_grows_the_norm(network, tolerance, seed):
    x = rows(25, network.d_in, seed)
    assert prune_neurons(network, x, tolerance=tolerance).squared_norm <= network.squared_norm * (1 + 1e-9)


def always_on(rank, width, n, seed):
    """One hidden layer of `width` neurons, all active on all rows, over `rank` inputs."""
    x = rows(n, rank, seed).clamp(-2, 2)
    w = rows(width, rank, seed + 1)
    bias = 2.0 * w.abs().sum(1) + 0.1
    return FullyConnected((w, rows(3, width, seed + 2)), (bias, rows(1, 3, seed + 3)[0]), RELU), x


@pytest.mark.parametrize("rank", [1, 2, 3, 5])
def test_a_linear_layer_of_rank_r_keeps_at_most_what_caratheodory_allows(rank):
    network, x = always_on(rank, 80, 200, seed=rank)
    after = prune_neurons(network, x)
    d = rank + 1  # the bias is one more direction
    assert after.widths[1] <= d * (d + 1) // 2
    assert after.squared_norm <= network.squared_norm * (1 + 1e-9)
    torch.testing.assert_close(after(x), network(x), rtol=1e-8, atol=1e-8)


def test_duplicate_and_dead_neurons_leave():
    network = random_layers((4, 6, 3), RELU, seed=3)
    w, b = network.weights[0], network.biases[0]
    doubled = FullyConnected(
        (
            torch.cat([w, 2 * w, torch.zeros(2, 4).double()]),
            torch.cat([network.weights[1], 0.5 * network.weights[1], rows(3, 2, 0)], 1),
        ),
        (torch.cat([b, 2 * b, torch.tensor([-1.0, 0.0]).double()]), network.biases[1]),
        RELU,
    )
    x = rows(60, 4, 1)
    after = prune_neurons(doubled, x)
    assert after.widths[1] <= 6
    torch.testing.assert_close(after(x), doubled(x), rtol=1e-8, atol=1e-8)


def test_a_network_that_is_zero_keeps_its_depth():
    network = FullyConnected(
        (torch.zeros(5, 3), torch.zeros(4, 5), torch.zeros(2, 4)), (torch.zeros(5), torch.zeros(4), torch.ones(2))
    )
    after = prune_neurons(network, torch.randn(7, 3, generator=torch.Generator().manual_seed(0)))
    assert after.widths == (3, 1, 1, 2)
    assert float(after.squared_norm) <= 2.0


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 1000))
def test_caratheodory_keeps_the_sum_with_few_weights(n, d, seed):
    u = rows(n, d, seed)
    c = caratheodory(u)
    assert (c >= 0).all()
    assert int((c > 0).sum()) <= max(d * (d + 1) // 2, 1)
    torch.testing.assert_close((u.T * c) @ u, u.T @ u, rtol=1e-7, atol=1e-7)


@settings(max_examples=40)
@given(NETWORKS, st.integers(0, 5))
def test_widening_changes_nothing_but_the_width(network, more):
    widths = (network.d_in, *(n + more for n in network.widths[1:-1]), network.d_out)
    wide = widened(network, widths)
    x = rows(20, network.d_in, more)
    torch.testing.assert_close(wide(x), network(x))
    assert wide.widths == widths
    assert wide.squared_norm == pytest.approx(network.squared_norm, rel=1e-12)


@pytest.mark.parametrize("widths", [(4, 5, 3), (4, 7, 4), (5, 7, 3), (4, 7, 7, 3)])
def test_widening_has_limits(widths):
    with pytest.raises(ShapeError, match="cannot be widened"):
        widened(random_layers((4, 6, 3), IDENTITY, seed=0), widths)
