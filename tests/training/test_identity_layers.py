"""What inserting identity layers may and may not do: f at the rows stays, each layer costs the rank there."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import ACTIVATIONS, random_layers
from isthmus.errors import NotRepresentableError, OptionError, ShapeError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
    FullyConnected,
)
from isthmus.training.identity_layers import insert_identity_layers

PASSING = [RELU, IDENTITY, ABSOLUTE, Activation(-0.5)]
PRECISION = {torch.float32: 1e-5, torch.float64: 1e-13}


def networks(activations):
    return st.builds(
        lambda widths, activation, seed, dtype: random_layers(widths, activation, seed, dtype=dtype),
        st.lists(st.integers(1, 9), min_size=3, max_size=6).map(tuple),
        st.sampled_from(activations),
        st.integers(0, 10_000),
        st.sampled_from([torch.float32, torch.float64]),
    )


def rows(network, n, copies, seed):
    x = torch.randn(n, network.d_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x.repeat(copies, 1).to(network.dtype)


def rank(a):
    """numpy's rank in float64, at the rounding of the dtype in which the activations were computed."""
    exact = a.double().numpy()
    return int(np.linalg.matrix_rank(exact, rtol=max(a.shape) * torch.finfo(a.dtype).eps)) if exact.any() else 0


def ranks(network, x):
    return {hidden: rank(a) for hidden, a in enumerate(network.trace(x)[0]) if hidden}


def assert_same_at(x, after, network):
    scale = max(float(z.abs().max()) for z in network.pre_activations(x))
    norms = max(1.0, float(network.weights[-1].abs().sum()))
    for w in network.weights:
        norms = max(norms, norms * float(torch.linalg.matrix_norm(w, 2)))
    torch.testing.assert_close(after(x), network(x), rtol=0, atol=PRECISION[x.dtype] * norms * scale)


@settings(max_examples=150)
@given(networks(PASSING), st.integers(1, 12), st.integers(1, 2), st.integers(0, 6), st.data())
def test_growing_keeps_f_at_the_rows_and_each_layer_costs_at_most_the_rank(network, n, copies, more, data):
    x = rows(network, n, copies, data.draw(st.integers(0, 100)))
    layer = data.draw(st.integers(1, network.depth - 1))
    after = insert_identity_layers(network, x, network.depth + more, layer=layer)
    assert after.depth == network.depth + more
    assert (after.dtype, after.activation) == (network.dtype, network.activation)
    assert_same_at(x, after, network)
    d = ranks(network, x)[layer]
    assert after.squared_norm <= (network.squared_norm + more * d) * (1 + PRECISION[x.dtype])
    for inserted in range(layer, layer + more):
        w = after.weights[inserted].double()
        assert float(w.square().sum()) == pytest.approx(d, rel=PRECISION[x.dtype])
        torch.testing.assert_close(w @ w, w, rtol=0, atol=PRECISION[x.dtype])
        assert not after.biases[inserted].any()


@settings(max_examples=100)
@given(networks(PASSING), st.integers(1, 12), st.integers(0, 100))
def test_the_default_layer_is_the_narrowest_and_of_equal_ones_the_most_central(network, n, seed):
    x = rows(network, n, 1, seed)
    found = ranks(network, x)
    chosen = min(found, key=lambda hidden: (found[hidden], abs(hidden - network.depth / 2), hidden))
    after, explicit = (
        insert_identity_layers(network, x, network.depth + 2),
        insert_identity_layers(network, x, network.depth + 2, layer=chosen),
    )
    assert all(torch.equal(a, b) for a, b in zip(after.weights, explicit.weights, strict=True))


def test_the_most_central_of_equal_layers_by_hand():
    eye = torch.eye(2, dtype=torch.float64)
    network = FullyConnected(tuple((k + 1) * eye for k in range(5)), (torch.zeros(2, dtype=torch.float64),) * 5)
    after = insert_identity_layers(network, torch.eye(2), 6)
    assert [float(w[0, 0]) for w in after.weights] == pytest.approx([1, 2, 1, 3, 4, 5])


@pytest.mark.parametrize("bottleneck", [1, 2, 3])
def test_the_norm_per_depth_tends_to_the_rank(bottleneck):
    """‖w‖²/L = D + (‖w₀‖² − L₀ D)/L with the norm ‖w₀‖² and depth L₀ at which the growth starts."""
    network = random_layers((6, 10, bottleneck, 10, 4), ABSOLUTE, seed=3)
    x = rows(network, 40, 1, 0)
    start = network.squared_norm
    gaps = []
    for depth in (10, 100, 1000):
        after = insert_identity_layers(network, x, depth)
        assert after.norm_per_depth == pytest.approx(bottleneck + (start - 4 * bottleneck) / depth, rel=1e-12)
        torch.testing.assert_close(after(x), network(x), rtol=1e-10, atol=1e-10)
        gaps.append(abs(after.norm_per_depth - bottleneck))
    assert gaps[2] < gaps[0] / 99


def test_one_direction_costs_one_however_wide_the_layer():
    """A ray of nonnegative values in width 5: every inserted layer adds 1, not 5."""
    w = torch.tensor([[1.0], [2.0], [0.5], [3.0], [1.0]], dtype=torch.float64)
    network = FullyConnected((w, torch.ones(1, 5).double()), (torch.zeros(5).double(), torch.zeros(1).double()))
    x = torch.tensor([[1.0], [4.0], [0.0]], dtype=torch.float64)
    after = insert_identity_layers(network, x, 12)
    # W_2 = (1, …, 1) keeps only its part along the ray: |⟨1, w⟩|² / |w|² of its 5.
    lost = 5 - 7.5**2 / float(w.square().sum())
    assert after.squared_norm == pytest.approx(network.squared_norm + 10 - lost, rel=1e-12)
    assert after(x).flatten().tolist() == pytest.approx([7.5, 30.0, 0.0])


def test_rows_that_switch_everything_off_cost_nothing():
    network = random_layers((2, 3, 2), RELU, seed=0)
    network = FullyConnected(network.weights, (torch.full((3,), -100.0).double(), network.biases[1]))
    x = torch.ones(4, 2).double()
    after = insert_identity_layers(network, x, 5)
    assert after.squared_norm <= network.squared_norm
    assert torch.equal(after(x), network(x))


@settings(max_examples=80)
@given(networks([Activation(0.1)]), st.integers(1, 3), st.integers(0, 100))
def test_a_leaky_relu_passes_only_where_no_activation_is_negative(network, n, seed):
    x = rows(network, n, 1, seed)
    passing = {hidden for hidden, a in enumerate(network.trace(x)[0]) if hidden and bool((a >= 0).all())}
    for layer in range(1, network.depth):
        if layer in passing:
            assert_same_at(x, insert_identity_layers(network, x, network.depth + 3, layer=layer), network)
        else:
            with pytest.raises(NotRepresentableError, match=f"behind hidden layer {layer} cannot .* below zero"):
                insert_identity_layers(network, x, network.depth + 3, layer=layer)
    if not passing:
        with pytest.raises(NotRepresentableError, match=r"behind any hidden layer .* use `deepened`"):
            insert_identity_layers(network, x, network.depth + 1)
    else:
        assert_same_at(x, insert_identity_layers(network, x, network.depth + 3), network)


def test_a_leaky_relu_of_nonnegative_activations_grows():
    positive = random_layers((3, 4, 4, 2), Activation(0.1), seed=1)
    network = FullyConnected(tuple(w.abs() for w in positive.weights), positive.biases, positive.activation)
    x = 5 + torch.rand(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    after = insert_identity_layers(network, x, 20)
    assert_same_at(x, after, network)


def test_a_coarse_tolerance_truncates():
    network = random_layers((4, 8, 3), RELU, seed=5)
    x = rows(network, 50, 1, 1)
    s = torch.linalg.svdvals(network.trace(x)[0][1])
    cut = float((s[2] + s[3]) / 2 / s[0])
    added = insert_identity_layers(network, x, 3, tolerance=Tolerance(cut)).weights[1]
    assert float(added.square().sum()) == pytest.approx(3.0)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.name)
def test_the_same_depth_is_the_same_function(activation):
    network = random_layers((3, 4, 2), activation, seed=0)
    far = 10 * rows(network, 20, 1, 3)
    assert torch.equal(insert_identity_layers(network, rows(network, 1, 1, 0), 2)(far), network(far))


def test_bad_options_are_refused():
    network = random_layers((3, 4, 5, 2), RELU, seed=0)
    x = rows(network, 5, 1, 0)
    with pytest.raises(OptionError, match="depth is 2 but must be at least the depth 3"):
        insert_identity_layers(network, x, 2)
    for layer in (-1, 0, 3):
        with pytest.raises(OptionError, match=f"layer is {layer} but must be a hidden layer of the network, 1 to 2"):
            insert_identity_layers(network, x, 5, layer=layer)
    with pytest.raises(ShapeError, match="is empty"):
        insert_identity_layers(network, x[:0], 5)
    with pytest.raises(ShapeError):
        insert_identity_layers(network, x[:, :2], 5)
    with pytest.raises(NotRepresentableError, match=r"no hidden layer .* `deepened\(network, 2\)`"):
        insert_identity_layers(random_layers((3, 2), RELU, seed=0), x, 4)


@settings(max_examples=20)
@given(networks(PASSING), st.integers(0, 100))
def test_the_given_network_is_not_modified(network, seed):
    before = [t.clone() for t in (*network.weights, *network.biases)]
    insert_identity_layers(network, rows(network, 5, 1, seed), network.depth + 2)
    assert all(torch.equal(a, b) for a, b in zip(before, (*network.weights, *network.biases), strict=True))
