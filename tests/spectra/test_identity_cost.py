"""The cost of identity against numpy's pseudo-inverse, its laws, and the layer that it is the price of."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import special_ortho_group

from cases import ACTIVATIONS, random_layers
from isthmus import measure
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import RELU, Activation, FullyConnected
from isthmus.spectra import layer_spectra
from isthmus.spectra import layer_spectrum as spectrum
from isthmus.spectra.identity_cost import IdentityCost
from isthmus.spectra.running_covariance import MomentSum

FINE = Tolerance(1e-5)  # finer, and rounding of moments would be inverted where there are few rows


def accumulated(z, a, weight, bias, tolerance=FINE):
    moments, cost = MomentSum(z.shape[1]), IdentityCost(z.shape[1])
    for before, after in zip(z.split(3), a.split(3), strict=True):
        moments.add(after)
        cost.add(before, after)
    return cost.result(moments.result(), weight, bias, tolerance)


def definition(z, a, weight, bias):
    """The same from the formulas, columns for rows, with the pseudo-inverse itself."""
    z, b = z.numpy().T, np.vstack([a.numpy().T, np.ones(len(a))])
    inverse = np.linalg.pinv(b, rcond=1e-6)
    y = z @ inverse
    x = np.hstack([weight.numpy(), bias.numpy()[:, None]]) @ b @ inverse
    kinetic = (x**2).sum() + (y**2).sum() - 2 * np.linalg.norm(x @ y.T, "nuc")
    return (y**2).sum(), np.linalg.norm(z - y @ b) / np.linalg.norm(z), kinetic


def case(seed, activation, rows=9, width=5):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, width, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, width, generator=generator, dtype=torch.float64)
    return z, activation(z), weight, torch.randn(4, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.name)
def test_it_is_the_definition(activation):
    for rows in (3, 9, 40):
        given_ = case(rows, activation, rows)
        np.testing.assert_allclose(accumulated(*given_), definition(*given_), rtol=1e-5, atol=1e-5)


def test_layers_have_it(monkeypatch):
    monkeypatch.setattr(spectrum, "CHUNK", 7)
    network = random_layers((5, 7, 6, 3), RELU, seed=1)
    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a, z = network.trace(x)
    first, second, last = layer_spectra(network, x)
    for found, layer in ((first, 1), (second, 2)):
        expected = definition(z[layer - 1], a[layer], network.weights[layer], network.biases[layer])
        shown = (found.cost_of_identity, found.identity_residual, found.kinetic_energy)
        np.testing.assert_allclose(shown, expected, rtol=1e-2, atol=1e-2)  # the usual tolerance regularises
    assert last.cost_of_identity is last.identity_residual is last.kinetic_energy is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 12), st.integers(1, 6))
def test_laws_of_nonnegative_activations(seed, width, rows, rank):
    """‖A‖²_*/(‖A‖²_F + N) ≤ cost ≤ rank A, where σ lets all pass; the lower end for every Ã given back."""
    generator = torch.Generator().manual_seed(seed)
    a = torch.rand(rows, rank, generator=generator).double() @ torch.rand(rank, width, generator=generator).double()
    weight, bias = torch.eye(width).double(), torch.zeros(width).double()
    cost, residual, kinetic = accumulated(a, a, weight, bias)
    true = np.linalg.matrix_rank(a.numpy(), tol=1e-9)
    assert residual < 1e-5
    assert cost <= true + 1e-6
    assert cost >= np.linalg.norm(a.numpy(), "nuc") ** 2 / (np.linalg.norm(a.numpy()) ** 2 + rows) - 1e-4
    assert kinetic <= 1e-6  # the identity moves nothing


@pytest.mark.parametrize("seed", range(4))
def test_turning_the_next_layer_changes_no_kinetic_energy(seed):
    z, a, weight, bias = case(seed, RELU)
    turn = torch.from_numpy(special_ortho_group.rvs(4, random_state=seed))
    before, after = accumulated(z, a, weight, bias)[2], accumulated(z, a, turn @ weight, turn @ bias)[2]
    assert after == pytest.approx(before, rel=1e-6)
    assert before > 0.1


def test_it_is_what_one_identity_layer_more_costs():
    """A layer that gives Z̃ back, put behind σ: f stays at the rows, and ‖w‖² grows by the cost of identity."""
    network = random_layers((4, 12, 3), Activation(0.2), seed=5)
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a, z = network.trace(x)
    b = np.vstack([a[1].numpy().T, np.ones(8)])
    y = torch.from_numpy(z[0].numpy().T @ np.linalg.pinv(b))
    w, bias = network.weights, network.biases
    more = FullyConnected((w[0], y[:, :-1], w[1]), (bias[0], y[:, -1], bias[1]), network.activation)
    assert torch.allclose(more(x), network(x), atol=1e-9)
    cost, residual, _ = accumulated(z[0], a[1], w[1], bias[1])
    assert more.squared_norm - network.squared_norm == pytest.approx(cost, rel=1e-4)
    assert residual < 1e-5


def test_tiny_and_dead_layers_have_no_wrong_number():
    z, a, weight, bias = case(0, RELU)
    assert accumulated(-z.abs(), 0 * a, weight, bias) == (None, None, None)
    assert accumulated(0 * z, 0 * a, weight, bias) == (None, None, None)
    small = accumulated(1e-9 * z, 1e-9 * a, weight, bias, Tolerance(1e-3))
    assert all(np.isfinite(small))
    profile = measure(random_layers((3, 4, 2), RELU, seed=0), torch.zeros(2, 3).double())
    assert len(profile.energies) == 1
