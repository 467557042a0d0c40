"""Balancing linear runs: f at the rows stays, ‖w‖² never grows, and linear networks reach the closed form."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import ACTIVATIONS, random_layers
from isthmus.costs.linear_runs import balance_linear_runs, reduce_norm_and_balance
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
    FullyConnected,
)

PRECISION = {torch.float32: 1e-4, torch.float64: 1e-12}


def made(widths, activation, seed, dtype, lift, scales):
    """Hidden biases lifted by up to `lift`, which makes some layers linear on the data, and layers out of balance."""
    network = random_layers(widths, activation, seed)
    lifts = [lift] * (network.depth - 1) + [0.0]
    biases = [s * (b + c) for b, c, s in zip(network.biases, lifts, scales, strict=False)]
    weights = [s * w for w, s in zip(network.weights, scales, strict=False)]
    return FullyConnected(tuple(weights), tuple(biases), activation).to(dtype=dtype)


NETWORKS = st.builds(
    made,
    st.lists(st.integers(1, 8), min_size=2, max_size=6).map(tuple),
    st.sampled_from([*ACTIVATIONS, Activation(-0.5), Activation(2.0)]),
    st.integers(0, 10_000),
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from([-20.0, -6.0, 0.0, 3.0, 10.0]),
    st.lists(st.sampled_from([0.25, 1.0, 3.0]), min_size=5, max_size=5),
)


def rows(network, n, seed, copies=1):
    x = torch.randn(n, network.d_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x.repeat(copies, 1).to(network.dtype)


def assert_same_at(x, after, network):
    f = network(x)
    torch.testing.assert_close(after(x), f, rtol=0, atol=PRECISION[x.dtype] * float(f.abs().max()))


def is_identical(a, b):
    pairs = zip((*a.weights, *a.biases), (*b.weights, *b.biases), strict=True)
    return all(torch.equal(s, t) for s, t in pairs)


@settings(max_examples=250)
@given(NETWORKS, st.integers(1, 20), st.integers(1, 2), st.integers(0, 100))
def test_f_at_the_rows_stays_and_the_norm_never_grows(network, n, copies, seed):
    x = rows(network, n, seed, copies)
    before = [t.clone() for t in (*network.weights, *network.biases)]
    after = balance_linear_runs(network, x)
    assert_same_at(x, after, network)
    assert after.squared_norm <= network.squared_norm
    assert (after.widths, after.dtype, after.activation) == (network.widths, network.dtype, network.activation)
    assert all(torch.equal(a, b) for a, b in zip(before, (*network.weights, *network.biases), strict=True))


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("widths", [(5, 7, 4), (3, 9, 6), (6, 2, 5)], ids=str)
def test_linear_networks_reach_the_closed_form(depth, widths):
    """m Σ sᵢ(A)^{2/m}, and every weight has the singular values sᵢ^{1/m}."""
    d_in, hidden, d_out = widths
    start = random_layers((d_in, *[hidden] * (depth - 1), d_out), IDENTITY, seed=depth)
    network = FullyConnected(start.weights, tuple(torch.zeros_like(b) for b in start.biases), IDENTITY)
    after = balance_linear_runs(network, rows(network, 40, 0))
    product = np.linalg.multi_dot([w.numpy() for w in reversed(network.weights)])
    s = np.linalg.svd(product, compute_uv=False)[: min(widths)]
    assert after.squared_norm == pytest.approx(depth * float((s ** (2 / depth)).sum()), rel=1e-10)
    for w in after.weights:
        np.testing.assert_allclose(np.linalg.svd(w.numpy(), compute_uv=False)[: len(s)], s ** (1 / depth), rtol=1e-8)
    far = 10 * rows(network, 20, 1)
    torch.testing.assert_close(after(far), network(far), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("depth", [2, 4])
def test_biases_of_linear_networks_are_the_least_for_these_weights(depth):
    """Against numpy's least-norm solution of the linear equations for all biases at once."""
    network = random_layers((4, *[5] * (depth - 1), 3), IDENTITY, seed=7)
    after = balance_linear_runs(network, rows(network, 30, 0))
    assert after.squared_norm < network.squared_norm
    arrivals, gain = [], np.eye(3)
    for w in reversed(after.weights):
        arrivals.insert(0, gain)
        gain = gain @ w.numpy()
    system = np.concatenate(arrivals, 1)
    found = np.concatenate([b.numpy() for b in after.biases])
    np.testing.assert_allclose(found, np.linalg.pinv(system) @ (system @ found), atol=1e-10)


def mixed(activation, signs):
    """x ↦ W_3 W_2 W_1 x on the positive quadrant, the middle mixed by positive matrices out of balance."""
    first = torch.tensor([[4.0, 0.5], [1.0, 3.0]], dtype=torch.float64)
    middle = torch.tensor([[0.2, 0.1], [0.05, 0.3]], dtype=torch.float64)
    last = torch.tensor([[9.0, -2.0], [1.0, 7.0]], dtype=torch.float64)
    flip = torch.diag(torch.tensor(signs, dtype=torch.float64))
    zero = torch.zeros(2, dtype=torch.float64)
    return FullyConnected((flip @ first, middle, last), (zero,) * 3, activation)


@pytest.mark.parametrize(
    ("activation", "signs"),
    [(RELU, (1, 1)), (ABSOLUTE, (-1, 1)), (Activation(0.1), (1, 1)), (Activation(-0.5), (1, 1))],
)
def test_an_always_active_run_out_of_balance_gets_cheaper(activation, signs):
    network = mixed(activation, signs)
    x = 1 + torch.rand(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    after = balance_linear_runs(network, x)
    assert_same_at(x, after, network)
    assert after.squared_norm < 0.5 * network.squared_norm


def test_neurons_that_are_off_at_all_rows_carry_nothing():
    network = mixed(RELU, (1, 1))
    off = FullyConnected(network.weights, (torch.tensor([-100.0, 0.0]).double(), *network.biases[1:]), RELU)
    x = 1 + torch.rand(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    after = balance_linear_runs(off, x)
    assert_same_at(x, after, off)
    assert after.squared_norm < 50.0
    assert int(torch.linalg.matrix_rank(after.weights[1])) == 1


def test_a_leaky_layer_below_zero_is_mirrored():
    """All values of the hidden layer are at slope 0.1 and negative; at slope 1 the same map is cheaper."""
    w = torch.tensor([[-2.0, -0.5], [-0.3, -3.0]], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    network = FullyConnected((w, torch.tensor([[9.0, 1.0], [2.0, 8.0]]).double()), (zero, zero), Activation(0.1))
    x = 1 + torch.rand(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    after = balance_linear_runs(network, x)
    assert_same_at(x, after, network)
    assert (after.pre_activations(x)[0] >= -1e-12).all()
    assert after.squared_norm < 0.2 * network.squared_norm


def test_equal_rows_leave_only_a_constant():
    network = mixed(RELU, (1, 1))
    x = torch.ones(3, 2, dtype=torch.float64)
    after = balance_linear_runs(network, x)
    assert_same_at(x, after, network)
    assert after.squared_norm < network.squared_norm / 4


def test_only_the_run_is_touched():
    """Layer 1 sees both signs and stays; behind it the always-active middle is balanced."""
    front = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    tail = mixed(RELU, (1, 1))
    zero = torch.zeros(2, dtype=torch.float64)
    network = FullyConnected((front, *tail.weights), (zero, *tail.biases), RELU)
    x = rows(network, 30, 0)
    after = balance_linear_runs(network, x)
    assert torch.equal(after.weights[0], front)
    assert torch.equal(after.biases[0], zero)
    assert after.squared_norm < network.squared_norm - 20
    assert_same_at(x, after, network)


@pytest.mark.parametrize("activation", [RELU, IDENTITY, ABSOLUTE, Activation(0.1)], ids=lambda a: a.name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_cannot_be_improved_stays_bit_identical(activation, dtype):
    """Three times diag(2, 3)^{1/3}: the least for diag(2, 3), and nonnegative as it is."""
    w = torch.diag(torch.tensor([2.0, 3.0], dtype=torch.float64)) ** (1 / 3)
    network = FullyConnected((w,) * 3, (torch.zeros(2, dtype=torch.float64),) * 3, activation).to(dtype=dtype)
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 2.0]]).to(dtype)
    assert is_identical(balance_linear_runs(network, x), network)


def test_a_network_without_linear_layers_stays_bit_identical():
    network = random_layers((3, 6, 6, 2), RELU, seed=1)
    x = rows(network, 200, 0)
    z = network.pre_activations(x)
    assert all(((layer > 0).any(0) & (layer < 0).any(0)).any() for layer in z[:-1])
    assert is_identical(balance_linear_runs(network, x), network)


def column(start, stop, dtype=torch.float64):
    return torch.linspace(start, stop, 11, dtype=dtype)[:, None]


def test_hidden_biases_are_the_smallest_that_keep_neurons_nonnegative():
    """f(x) = x on [−0.5, 0.75]² with diag(8) and diag(1/8): balanced it is I twice, lifted by 0.5."""
    eye, zero = torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    network = FullyConnected((8 * eye, eye / 8), (zero + 6, zero - 0.75), RELU)
    x = torch.cartesian_prod(column(-0.5, 0.75).flatten(), column(-0.5, 0.75).flatten())
    after = balance_linear_runs(network, x)
    for got, wanted in zip((*after.weights, *after.biases), (eye, eye, zero + 0.5, zero - 0.5), strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-12)
    assert_same_at(x, after, network)


def test_a_direction_that_is_constant_on_the_data_moves_into_the_bias():
    """Balanced diag(9, 1) costs 2 (9 + 1); where x_1 = 0.1 always, 2 · 1 and a bias of 0.9."""
    w, zero = torch.diag(torch.tensor([3.0, 1.0], dtype=torch.float64)), torch.zeros(2, dtype=torch.float64)
    network = FullyConnected((w, w), (zero, zero), RELU)
    t = column(0.0, 1.0)
    x = torch.cat([torch.full_like(t, 0.1), t], 1)
    after = balance_linear_runs(network, x)
    assert after.squared_norm == pytest.approx(2 + 0.81, rel=1e-12)
    assert_same_at(x, after, network)


def test_neurons_stay_as_near_as_balance_allows():
    """Against every rotation, on a grid: R W_1' has the singular values of W_1' and is no nearer to W_1."""
    w, zero = torch.tensor([[6.0, 1.0], [2.0, 3.0]], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    network = FullyConnected((w, torch.tensor([[0.3, 0.2], [0.1, 0.9]]).double()), (zero, zero), RELU)
    x = torch.rand(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1
    found = balance_linear_runs(network, x).weights[0]
    assert not torch.equal(found, w)
    angles = torch.linspace(-3.14159, 3.14159, 4001, dtype=torch.float64)
    c, s = angles.cos(), angles.sin()
    turned = torch.stack([torch.stack([c, -s], 1), torch.stack([s, c], 1)], 1) @ found
    assert float((found - w).norm()) <= float((turned - w).flatten(1).norm(dim=1).min()) + 1e-12


def test_a_run_whose_values_cancel_beyond_rounding_is_left():
    """f is a ten-thousandth of its hidden values: in float32 a cheaper map of the same weights has other values."""
    network = FullyConnected(
        (torch.tensor([[1000.1], [1000.2]]), torch.tensor([[1.0, -1.0]])), (torch.zeros(2), torch.zeros(1)), RELU
    )
    x = 1 + torch.rand(30, 1, generator=torch.Generator().manual_seed(0))
    assert is_identical(balance_linear_runs(network, x), network)


@settings(max_examples=50)
@given(NETWORKS, st.integers(1, 20), st.integers(0, 100))
def test_with_projection_and_rebalancing_f_stays_and_the_norm_never_grows(network, n, seed):
    x = rows(network, n, seed)
    after = reduce_norm_and_balance(network, x)
    # Projections are formed from second moments, whose rounding is the root of that of the values that are summed.
    largest = max(float(z.abs().max()) for z in network.pre_activations(x))
    torch.testing.assert_close(
        after(x), network(x), rtol=0, atol=max(torch.finfo(torch.float64).eps ** 0.5, PRECISION[x.dtype]) * largest
    )
    assert after.squared_norm <= network.squared_norm * (1 + 1e-6)
