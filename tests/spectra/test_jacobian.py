"""Jacobians against finite differences, autograd and closed forms; ranks against construction."""

import pytest
import torch

from cases import random_layers, through
from isthmus.errors import (
    NonFiniteError,
    OptionError,
    ShapeError,
    UnsupportedModuleError,
)
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import (
    IDENTITY,
    RELU,
    FullyConnected,
    to_torch,
)
from isthmus.spectra import (
    JacobianSpectra,
    jacobian_rank,
    jacobian_spectra,
    jacobians,
)

EXACT = Tolerance(1e-9)


def differences(network, x, step=1e-6):
    """Central differences, one input at a time."""
    columns = []
    for j in range(x.shape[1]):
        shift = torch.zeros(x.shape[1], dtype=x.dtype)
        shift[j] = step
        columns.append((network(x + shift) - network(x - shift)) / (2 * step))
    return torch.stack(columns, 2)


def test_jacobians_are_the_finite_differences(activation, points):
    network = random_layers((5, 8, 7, 3), activation, seed=1)
    nearest = torch.cat([z.abs() for z in network.pre_activations(points)[:-1]], 1).amin(1)
    away = points[nearest > 1e-4]  # a kink inside the step is not a derivative
    assert len(away) > 30
    torch.testing.assert_close(jacobians(network, away), differences(network, away), rtol=1e-6, atol=1e-7)


def test_jacobians_are_autograds(activation, points):
    network = random_layers((5, 8, 7, 3), activation, seed=2)
    expected = torch.stack([torch.autograd.functional.jacobian(lambda r: network(r[None])[0], row) for row in points])
    torch.testing.assert_close(jacobians(network, points), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("widths", [(5, 3), (5, 8, 3), (3, 8, 5), (20, 4, 5, 20), (20, 4, 20), (4, 20, 4), (6, 1, 6)])
def test_spectra_are_those_of_the_full_jacobian(widths, activation):
    network = random_layers(widths, activation, seed=3)
    x = torch.randn(11, widths[0], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    narrow = min(widths)
    expected = torch.linalg.svdvals(jacobians(network, x))
    found = jacobian_spectra(network, x).singular_values
    assert found.shape == (11, narrow)
    torch.testing.assert_close(found, expected[:, :narrow], rtol=1e-9, atol=1e-12)
    assert float(expected[:, narrow:].abs().sum()) < 1e-9


def test_a_linear_network_has_the_spectrum_of_its_product(points):
    network = random_layers((5, 9, 4), IDENTITY, seed=4)
    expected = torch.linalg.svdvals(network.weights[1] @ network.weights[0])
    found = jacobian_spectra(network, points).singular_values
    torch.testing.assert_close(found, expected.expand(len(points), -1))
    p = 2.0 / 3.0
    torch.testing.assert_close(
        JacobianSpectra(found).schatten(p), (expected**p).sum().expand(len(points)), rtol=1e-12, atol=0
    )


def test_proposition_3_bounds_the_norm_from_below(activation, points):
    for seed in range(20):
        network = random_layers((5, 8, 8, 8, 4), activation, seed=seed)
        bound = jacobian_spectra(network, points).schatten(2.0 / network.depth)
        assert float(bound.max()) <= network.norm_per_depth


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_rank_of_a_composition_through_k_numbers_is_k(k, dtype):
    network = through(k, seed=10 + k, dtype=dtype)
    x = torch.randn(60, 9, generator=torch.Generator().manual_seed(1), dtype=dtype)
    tolerance = EXACT if dtype == torch.float64 else Tolerance(1e-5)
    estimate = jacobian_rank(network, x, tolerance=tolerance)
    assert estimate.lower == k
    assert estimate.upper == 9
    assert "sampled" in estimate.evidence[0]


def test_the_gap_decides_at_a_tolerance():
    network = FullyConnected((torch.diag(torch.tensor([1.0, 0.5, 0.03])).double(),), (torch.zeros(3).double(),))
    x = torch.zeros(1, 3)
    assert [jacobian_rank(network, x, tolerance=Tolerance(t)).lower for t in (0.6, 0.1, 0.01)] == [1, 2, 3]


def test_a_constant_function_has_rank_0(points):
    network = FullyConnected((torch.zeros(3, 5),), (torch.ones(3),))
    found = jacobian_rank(network, points)
    assert (found.lower, "told from 0 at any of" in found.evidence[0]) == (0, True)


def test_a_torch_module_is_measured_and_left_as_it_was(points):
    module = to_torch(random_layers((5, 8, 3), RELU, seed=5)).train()
    before = {name: t.clone() for name, t in module.state_dict().items()}
    assert jacobian_rank(module, points).lower == 3
    assert module.training
    assert all(torch.equal(before[name], t) for name, t in module.state_dict().items())


@pytest.mark.parametrize(
    ("model", "x", "error", "message"),
    [
        ("net", torch.zeros(1, 5), UnsupportedModuleError, "str cannot be converted"),
        (random_layers((5, 3), RELU, 0), torch.zeros(1, 4), ShapeError, "4 columns but the network takes 5"),
        (random_layers((5, 3), RELU, 0), torch.full((1, 5), torch.nan), NonFiniteError, "row 0, column 0"),
    ],
)
def test_bad_input_is_refused(model, x, error, message):
    with pytest.raises(error, match=message):
        jacobian_rank(model, x)


@pytest.mark.parametrize("relative", [0.0, 1.0, -1.0, float("nan"), float("inf")])
def test_a_tolerance_is_between_0_and_1(relative):
    with pytest.raises(OptionError, match="strictly between 0 and 1"):
        Tolerance(relative)
