"""The bottleneck certificate: its bound on random networks, its isometries by a naive algorithm, its limits."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import polar
from torch import nn

from cases import random_layers, through
from isthmus import measure
from isthmus.errors import OptionError, UnsupportedModuleError
from isthmus.networks import ABSOLUTE, IDENTITY, RELU, Activation, FullyConnected, affine, scaled
from isthmus.spectra import bottleneck_certificate
from isthmus.training import insert_identity_layers


def jacobian(network, x):
    """By autograd, `(d_out, d_in)`."""
    return torch.func.jacrev(lambda row: network(row[None])[0])(x).numpy()


def nearest(weight, k):
    """The squared distance to the nearest of all partial isometries of rank k (Mirsky)."""
    s = np.linalg.svd(weight.numpy(), compute_uv=False)
    s = np.concatenate([s, np.zeros(max(0, k - len(s)))])
    return ((s[:k] - 1) ** 2).sum() + (s[k:] ** 2).sum()


slopes = st.sampled_from([0.0, 0.1, 1.0, -1.0, -0.5, 2.0, -3.0])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=2, max_size=9), slopes, st.integers(0, 2**32), st.floats(0.2, 2.0), st.data()
)
def test_no_network_breaks_the_bound(widths, slope, seed, size, data):
    drawn = random_layers(tuple(widths), Activation(slope), seed)
    network = FullyConnected(tuple(size * w for w in drawn.weights), drawn.biases, drawn.activation)
    x = torch.randn(6, widths[0], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    k = data.draw(st.one_of(st.none(), st.integers(1, min(widths))))
    found = bottleneck_certificate(network, x, rank=k)
    if found is None:
        s = np.stack([np.linalg.svd(jacobian(network, row), compute_uv=False) for row in x])
        assert (s[:, (k or 1) - 1] <= 1e-13 * max(1.0, s.max())).all()
        return
    s = np.linalg.svd(jacobian(network, x[found.row]), compute_uv=False)
    norm, depth = sum(float(w.square().sum()) for w in network.weights), network.depth
    stretch = math.log(max(1.0, abs(slope)))
    bound = norm - found.rank * (depth - 2 * (depth - 1) * stretch) - 2 * np.log(s[: found.rank]).sum()
    assert found.excess == pytest.approx(bound, rel=1e-6, abs=1e-6)
    squared = [found.rank * each**2 for each in found.distances]
    assert sum(squared) <= bound + 1e-6 * (1 + abs(bound))
    for w, each in zip(network.weights, squared, strict=True):
        assert each >= nearest(w, found.rank) - 1e-9 * (1 + each)
    for epsilon in (0.1, 0.5, 1.0, 3.0):
        assert found.guaranteed_share(epsilon) <= found.certified_share(epsilon) + 1e-12


@pytest.mark.parametrize("widths", [(5, 8, 7, 6), (30, 6, 5, 40), (4, 9, 9, 9, 9, 3)])
def test_relu_networks_have_one_frame_a_layer(widths):
    """Straight from the definition: V_{ℓ-1} is the polar factor of D_{ℓ-1} W_ℓᵀ V_ℓ, with all weights in full."""
    network = random_layers(widths, RELU, seed=3)
    x = torch.randn(20, widths[0], generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = bottleneck_certificate(network, x)
    row = x[found.row]
    u, s, _ = np.linalg.svd(jacobian(network, row))
    frame, expected, determinant = u[:, : found.rank], [], 1.0
    live = [(z[0] > 0).double().numpy() for z in network.pre_activations(row[None])[:-1]]
    for layer in range(network.depth, 0, -1):
        w = network.weights[layer - 1].numpy()
        arriving = w.T @ frame if layer == 1 else live[layer - 2][:, None] * (w.T @ frame)
        before, stretch = polar(arriving)
        determinant *= np.linalg.det(stretch)
        expected.append(np.linalg.norm(w - frame @ before.T) / found.rank**0.5)
        frame = before
    np.testing.assert_allclose(found.distances, expected[::-1], rtol=1e-8)
    assert determinant == pytest.approx(np.prod(s[: found.rank]), rel=1e-8)  # equality, not only a bound
    assert found.log_pseudo_determinant == pytest.approx(np.log(s[: found.rank]).sum(), rel=1e-8)


def test_the_rank_chosen_has_the_smallest_bound():
    network = random_layers((6, 8, 8, 8, 5), RELU, seed=2)
    x = torch.randn(30, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    best = bottleneck_certificate(network, x)
    every = [bottleneck_certificate(network, x, rank=k) for k in range(1, 6)]
    assert best.excess == min(each.excess for each in every if each is not None)


def test_one_frame_would_not_do_for_the_absolute_value():
    """f(t) = |t| + |−t| at t = 1: one V on both sides of σ gives W_1 the isometry 0, and the bound would be broken."""
    network = FullyConnected(
        (torch.tensor([[1.0], [-1.0]]).double(), torch.ones(1, 2).double()),
        (torch.zeros(2).double(), torch.zeros(1).double()),
        ABSOLUTE,
    )
    found = bottleneck_certificate(network, torch.ones(1, 1).double())
    assert found.excess == pytest.approx(4 - 2 - 2 * math.log(2))
    np.testing.assert_allclose(found.distances, math.sqrt(2) - 1)
    one_frame = (2**0.5 - 1) ** 2 + 2 + 1  # ‖W_2 − V_2 V_1ᵀ‖² and ‖W_1 − V_1 V_0ᵀ‖² with V_1 = (1, 1)/√2 ⊥ W_1
    assert one_frame > found.excess


def test_isometries_are_certified_to_rounding():
    generator = torch.Generator().manual_seed(0)
    frames = [torch.linalg.qr(torch.randn(d, 2, generator=generator).double()).Q for d in (5, 7, 6, 7, 4)]
    weights = tuple(after @ before.T for before, after in pairwise(frames))
    network = FullyConnected(weights, tuple(torch.zeros(len(w)).double() for w in weights), IDENTITY)
    found = bottleneck_certificate(network, torch.ones(1, 5).double())
    assert (found.rank, found.certified_share(1e-6), found.guaranteed_share(1e-3)) == (2, 1.0, 1.0)
    assert abs(found.excess) < 1e-12
    doubled = bottleneck_certificate(scaled(network, 2.0), torch.ones(1, 5).double())
    np.testing.assert_allclose(doubled.distances, [0, 0, 0, 1], atol=1e-7)  # the last layer is twice an isometry
    assert doubled.excess == pytest.approx(8 - 2 - 4 * math.log(2))


def test_identity_layers_that_were_inserted_are_found():
    shallow = through(2, seed=1)
    x = torch.randn(40, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)[:1]
    deep = insert_identity_layers(shallow, x, 23)
    found = bottleneck_certificate(deep, x)
    # One row spans one direction, so the inserted layers are projections of rank 1.
    assert found.rank == 1
    assert found.certified_share(1e-6) == 20 / 23


def test_a_profile_holds_it():
    x = torch.randn(60, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    profile = measure(through(2, seed=1), x)
    assert profile.certificate == bottleneck_certificate(through(2, seed=1), x)
    assert [layer.isometry_distance for layer in profile.layers] == list(profile.certificate.distances)
    record = profile.record()
    assert record["certified_share"] == profile.certificate.certified_share(0.1)
    assert record["certificate"]["row"] == profile.certificate.row


def test_one_layer():
    found = bottleneck_certificate(affine(torch.diag(torch.tensor([3.0, 1.0, 0.2]))), torch.ones(1, 3))
    assert found.rank == 2  # 0.2 < e^{-1/2} only makes the bound larger
    assert found.distances[0] == pytest.approx(math.sqrt((4 + 0.04) / 2))
    assert found.excess == pytest.approx(9 + 1 + 0.04 - 2 - 2 * math.log(3))


def test_where_there_is_none():
    zero = random_layers((3, 4, 2), RELU, seed=0)
    zero = FullyConnected((zero.weights[0], torch.zeros(2, 4).double()), zero.biases)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert bottleneck_certificate(zero, x) is None
    profile = measure(zero, x)
    assert profile.certificate is profile.certified_share is profile.layers[0].isometry_distance is None
    smooth = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2))
    with pytest.raises(UnsupportedModuleError, match="GELU"):
        bottleneck_certificate(smooth, x)
    assert measure(smooth, x.float()).certificate is None
    with pytest.raises(OptionError, match="rank is 0"):
        bottleneck_certificate(zero, x, rank=0)
