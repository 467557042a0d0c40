"""E[∇f ∇fᵀ] over regions beside networks done by hand, Monte Carlo with its error, and the virtual matrix's rank."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import ACTIVATIONS, random_layers
from isthmus.costs import linear_front_cost
from isthmus.errors import DomainError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import RELU, FullyConnected
from isthmus.regions import Plane, enumerate_regions, gradient_outer_product
from regions.nets import autograd_jacobians, layers

FINE = Tolerance(1e-9)


def found(network, box=(-1, 1), **how):
    return gradient_outer_product(enumerate_regions(network, box, **how))


def test_by_hand():
    half = layers(([[1.0, 0.0]], [0.0]), ([[1.0]], [0.0]))  # max(x, 0): slope (1, 0) on one half of the square
    np.testing.assert_allclose(found(half).matrix, [[0.5, 0], [0, 0]], atol=1e-14)
    assert found(half).index_rank(FINE) == 1
    # max(x, 0) + 2 max(y − 1/2, 0): slopes (1, 0), (0, 2), (1, 2) and none on shares 3/8, 1/8, 1/8, 3/8.
    corner = layers(([[1.0, 0.0], [0.0, 1.0]], [0.0, -0.5]), ([[1.0, 2.0]], [0.0]))
    np.testing.assert_allclose(found(corner).matrix, [[0.5, 0.25], [0.25, 1.0]], atol=1e-14)
    both = layers(([[1.0, 0.0], [0.0, 1.0]], [0.0, -0.5]), ([[1.0, 0.0], [0.0, 2.0]], [0.0, 0.0]))
    np.testing.assert_allclose(found(both).matrix, [[0.5, 0], [0, 1.0]], atol=1e-14)  # two outputs: their sum
    still = layers(([[0.0, 0.0]], [1.0]), ([[1.0]], [0.0]))
    assert found(still).index_rank() == 0


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.name)
@pytest.mark.parametrize("widths", [(2, 7, 1), (2, 6, 5, 3)])
def test_monte_carlo_agrees_within_its_error(activation, widths):
    network = random_layers(widths, activation, seed=3)
    points = np.random.default_rng(0).uniform([-1, -2], [3, 1], size=(20_000, 2))
    jacobians = autograd_jacobians(network, points)
    each = np.einsum("nij,nik->njk", jacobians, jacobians)
    mean, error = each.mean(0), each.std(0) / len(points) ** 0.5
    exact = found(network, (np.array([-1.0, -2.0]), np.array([3.0, 1.0]))).matrix
    assert np.all(np.abs(exact - mean) <= 5 * error + 1e-12 * np.abs(mean))
    if not activation.is_linear:
        assert np.all(error < 0.05 * np.abs(mean).max())  # so that the comparison says something


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**32))
def test_a_function_of_one_combination_has_rank_1_and_its_direction(width, seed):
    generator = torch.Generator().manual_seed(seed)
    u = torch.randn(1, 2, generator=generator, dtype=torch.float64)
    u = u / u.norm()
    inner = random_layers((1, width, 4, 2), RELU, seed)
    network = FullyConnected((inner.weights[0] @ u, *inner.weights[1:]), inner.biases)
    product = found(network)
    if product.sizes[0] > 1e-6:
        assert product.index_rank(FINE) == 1
        assert abs(float(product.directions[0] @ u.numpy()[0])) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 2), st.integers(0, 2**32))
def test_no_function_has_more_than_the_virtual_matrix(width, rank, seed):
    """The index rank of f is at most that of its neurons, which is what linear layers in front cost in the end."""
    network = random_layers((2, width, 2), RELU, seed)
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(width, rank, generator=generator, dtype=torch.float64)
    right = torch.randn(rank, 2, generator=generator, dtype=torch.float64)
    network = FullyConnected((left @ right, network.weights[1]), network.biases)
    assert found(network).index_rank(Tolerance(1e-6)) <= linear_front_cost(network, 3).index_rank


def test_a_slice_has_the_gradients_of_the_inputs():
    network = random_layers((4, 6, 2), RELU, seed=1)
    plane = Plane.through(np.random.default_rng(0).normal(size=(3, 4)))
    product = found(network, plane=plane)
    regions = enumerate_regions(network, (-1, 1), plane=plane)
    shares = regions.areas / regions.areas.sum()
    expected = sum(s * j.T @ j for s, j in zip(shares, regions.jacobians(), strict=True))
    np.testing.assert_allclose(product.matrix, expected, atol=1e-12)
    assert product.directions.shape[1] == 4


def test_other_dimensions_and_partial_regions_are_refused():
    with pytest.raises(DomainError, match="two dimensions"):
        found(random_layers((3, 4, 1), RELU, seed=0))
    with pytest.raises(DomainError, match="partial"):
        found(random_layers((2, 9, 9, 1), RELU, seed=0), budget=5, partial=True)
