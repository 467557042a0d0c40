"""Lipschitz constants, F₁ norms and the nuclear norm of the halves of functions whose halves are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from cases import random_layers, through
from isthmus.errors import ShapeError
from isthmus.factorization import factor
from isthmus.factorization.regularity import regularity
from isthmus.networks import RELU, Activation, FullyConnected, affine, compose
from isthmus.networks.scaling import Affine, StandardizedNetwork

widths = st.lists(st.integers(1, 5), min_size=1, max_size=3)


def rows(seed, d, n=12):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def jacobian(network, x):
    return torch.func.jacrev(lambda row: network(row[None])[0])(x).numpy()


@settings(max_examples=40, deadline=None)
@given(widths, st.integers(1, 4), widths, st.sampled_from([0.0, 0.3, -1.0, 1.0, -2.0]), st.integers(0, 2**32))
def test_no_pair_of_halves_breaks_the_bounds(before, k, after, slope, seed):
    g = random_layers((*before, k), Activation(slope), seed)
    h = random_layers((k, *after), Activation(slope), seed + 1)
    x = rows(seed, g.d_in)
    found = regularity(g, h, x, 500)
    assert found.slack >= 1 - 1e-9
    for half, network, at in ((found.encoder, g, x), (found.decoder, h, g(x))):
        assert half.lipschitz_lower <= half.lipschitz_upper * (1 + 1e-9)
        other = at + rows(seed + 2, at.shape[1])
        quotient = (network(other) - network(at)).norm(dim=1) / (other - at).norm(dim=1)
        assert float(quotient.max()) <= half.lipschitz_upper * (1 + 1e-9)


def test_they_are_the_definitions():
    g, h, x = random_layers((4, 6, 2), RELU, seed=1), random_layers((2, 7, 3), RELU, seed=2), rows(0, 4, n=20)
    found = regularity(g, h, x, 500)
    jg = np.stack([jacobian(g, row) for row in x])
    jh = np.stack([jacobian(h, row) for row in g(x)])
    assert found.encoder.lipschitz_lower == pytest.approx(max(np.linalg.norm(j, 2) for j in jg))
    nuclear = np.mean([np.linalg.norm(a @ b, "nuc") for a, b in zip(jh, jg, strict=True)])
    assert found.nuclear_norm == pytest.approx(nuclear)
    # The least over changes of coordinates, by descent on A: never below, and reached.
    p, q = np.mean(jg @ jg.transpose(0, 2, 1), 0), np.mean(jh.transpose(0, 2, 1) @ jh, 0)

    def mean_norm(entries):
        a = entries.reshape(2, 2)
        inverse = np.linalg.inv(a)
        return 0.5 * (np.trace(a @ p @ a.T) + np.trace(inverse.T @ q @ inverse))

    assert found.halves_norm == pytest.approx(minimize(mean_norm, np.eye(2).ravel(), tol=1e-10).fun, rel=1e-6)
    neurons = zip(g.weights[0], g.biases[0], g.weights[1].T, strict=True)
    f1 = sum(float((w.square().sum() + b.square()).sqrt() * v.norm()) for w, b, v in neurons)
    assert found.encoder.f1_upper == pytest.approx(f1)
    assert found.encoder.difficulty == pytest.approx(f1 * float((1 + x.square().sum(1).max()).sqrt()))


def test_the_difficulty_of_a_deep_half_adds_up_its_layers():
    g, x = random_layers((3, 4, 5, 2), RELU, seed=1), rows(0, 3)
    found = regularity(g, affine(torch.ones(1, 2).double()), x, 500).encoder
    expected = 0.0
    for layer, a in enumerate(g.trace(x)[0]):
        w, b = g.weights[layer].numpy(), g.biases[layer].numpy()
        later = np.prod([np.linalg.norm(each.numpy(), 2) for each in g.weights[layer + 1 :]])
        largest = np.sqrt(1 + np.linalg.norm(a.numpy(), axis=1).max() ** 2)
        expected += later * np.linalg.norm(np.hstack([w, b[:, None]]), axis=1).sum() * largest
    assert found.difficulty == pytest.approx(expected)
    assert found.f1_upper is None


def test_linear_halves_are_tight_and_turned_ones_are_not():
    matrix = torch.randn(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    root = s[:2].sqrt()
    g, h = affine(root[:, None] * vt[:2]), affine(u[:, :2] * root)
    assert regularity(g, h, rows(0, 5), 500).slack == pytest.approx(1.0)
    skew = torch.tensor([[2.0, 1.0], [0.0, 0.5]]).double()
    turned = regularity(affine(skew @ g.weights[0]), affine(h.weights[0] @ skew.inverse()), rows(0, 5), 500)
    assert turned.slack == pytest.approx(1.0)  # a linear change of coordinates is undone
    bent = regularity(random_layers((5, 9, 2), RELU, seed=3), random_layers((2, 9, 4), RELU, seed=4), rows(0, 5), 500)
    assert bent.slack > 1.05


def test_rescaled_neurons_leave_the_f1_norm():
    g, h, x = random_layers((3, 5, 1), RELU, seed=1), affine(torch.ones(2, 1).double()), rows(0, 3)
    c = torch.tensor([2.0, 0.5, 3.0, 1.0, 0.1]).double()
    scaled = FullyConnected((c[:, None] * g.weights[0], g.weights[1] / c), (c * g.biases[0], g.biases[1]))
    one, other = regularity(g, h, x, 500).encoder, regularity(scaled, h, x, 500).encoder
    assert one.f1_upper == pytest.approx(other.f1_upper)
    assert one.lipschitz_upper != pytest.approx(other.lipschitz_upper)


def zigzag(times):
    """A function of one number in [0, 1] with 2^times pieces: the harder, the more."""
    tent = FullyConnected(
        (torch.tensor([[1.0], [1.0]]).double(), torch.tensor([[2.0, -4.0]]).double()),
        (torch.tensor([0.0, -0.5]).double(), torch.zeros(1).double()),
    )
    found = tent
    for _ in range(times - 1):
        found = compose(tent, found)
    return found


def test_the_harder_half_is_told():
    smooth = affine(torch.tensor([[1.0]]).double())
    x = torch.linspace(0.1, 0.9, 30).double()[:, None]
    assert regularity(smooth, zigzag(4), x, 500).encoder_share < 0.5
    assert regularity(zigzag(4), smooth, x, 500).encoder_share > 0.5


def test_a_factorization_tells_it_in_the_units_of_the_data():
    network, x = through(2, seed=32), rows(1, 9, n=100)
    halves = factor(network, x)
    found = halves.regularity(x)
    spectra = [np.linalg.svd(jacobian(network, row), compute_uv=False).sum() for row in x]
    assert found.nuclear_norm == pytest.approx(np.mean(spectra), rel=1e-6)
    inputs, outputs = Affine.identity(9), Affine(torch.zeros(9).double(), 10 * torch.ones(9).double())
    larger = factor(StandardizedNetwork(network, inputs, outputs), x).regularity(x)
    assert larger.nuclear_norm == pytest.approx(10 * found.nuclear_norm, rel=1e-6)
    assert larger.slack == pytest.approx(found.slack, rel=1e-6)
    with pytest.raises(ShapeError):
        halves.regularity(x[:, :3])
