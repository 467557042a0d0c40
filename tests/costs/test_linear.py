"""Closed forms of linear networks against direct optimisation over the weights and against finite differences."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from isthmus.costs.affine import affine_cost
from isthmus.costs.linear import (
    balanced_diagonal,
    balanced_network,
    diagonal_cost,
    matrix_cost,
)
from isthmus.errors import NonFiniteError, OptionError, ShapeError
from isthmus.foundation.tolerance import Tolerance
from oracles.least_norm import least_norm_of_factors, least_norm_of_vectors


def random_matrix(d_out, d_in, seed, rank=None):
    generator = torch.Generator().manual_seed(seed)
    k = rank or min(d_out, d_in)
    left = torch.randn(d_out, k, generator=generator, dtype=torch.float64)
    return left @ torch.randn(k, d_in, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("depth", "seed"), [(1, 0), (2, 1), (3, 2), (6, 3), (10, 4)])
def test_no_factors_found_by_optimisation_are_cheaper_and_some_are_as_cheap(depth, seed):
    a = random_matrix(3, 2, seed)
    found = least_norm_of_factors(a, depth, seed)
    wanted = matrix_cost(a, depth).total
    assert wanted * (1 - 1e-9) <= found <= wanted * (1 + 1e-4)


@pytest.mark.parametrize("depth", [1, 2, 3, 6, 10])
def test_no_vectors_found_by_optimisation_are_cheaper_and_some_are_as_cheap(depth):
    v = torch.tensor([1.5, -0.3, 0.02], dtype=torch.float64)
    found = least_norm_of_vectors(v, depth, seed=depth)
    wanted = diagonal_cost(v, depth).total
    assert wanted * (1 - 1e-9) <= found <= wanted * (1 + 1e-4)


@pytest.mark.parametrize("depth", [1, 2, 3, 10])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_balanced_network_computes_the_map_at_the_cost_claimed(depth, rank):
    a = random_matrix(3, 5, 7, rank)
    network, cost = balanced_network(a, depth), matrix_cost(a, depth)
    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(network(x), x @ a.T, rtol=1e-12, atol=1e-12)
    assert network.squared_norm == pytest.approx(cost.total, rel=1e-12)
    assert network.depth == depth
    assert cost.limit == rank


@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_the_balanced_vectors_multiply_to_v_at_the_cost_claimed(depth):
    v = torch.tensor([1.5, -0.3, 0.0, 0.02], dtype=torch.float64)
    weights = balanced_diagonal(v, depth)
    torch.testing.assert_close(weights.prod(0), v, rtol=1e-13, atol=0.0)
    assert float(weights.square().sum()) == pytest.approx(diagonal_cost(v, depth).total, rel=1e-13)
    assert diagonal_cost(v, depth).limit == 3


def differences(cost, point, step=1e-6):
    result = torch.zeros_like(point)
    for i in range(point.numel()):
        e = torch.zeros_like(point)
        e.view(-1)[i] = step
        result.view(-1)[i] = (cost(point + e).per_depth - cost(point - e).per_depth) / (2 * step)
    return result


@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_derivatives_by_the_map_are_those_of_finite_differences(depth):
    a, v = random_matrix(3, 2, 1), torch.tensor([1.5, -0.3], dtype=torch.float64)
    of_matrix, of_vector = matrix_cost(a, depth), diagonal_cost(v, depth)
    assert of_matrix.is_differentiable
    assert of_vector.is_differentiable
    torch.testing.assert_close(
        of_matrix.gradient, differences(lambda m: matrix_cost(m, depth), a), rtol=1e-6, atol=1e-8
    )
    torch.testing.assert_close(
        of_vector.gradient, differences(lambda u: diagonal_cost(u, depth), v), rtol=1e-6, atol=1e-8
    )


def test_derivatives_where_a_singular_value_is_zero():
    a, v = random_matrix(3, 3, 0, rank=2), torch.tensor([2.0, 0.0], dtype=torch.float64)
    for depth, differentiable, exists in ((1, True, True), (2, False, True), (3, False, False)):
        for cost in (matrix_cost(a, depth), diagonal_cost(v, depth)):
            assert cost.is_differentiable == differentiable
            assert (cost.gradient is not None) == exists
    torch.testing.assert_close(matrix_cost(a, 1).gradient, 2 * a)
    # A subgradient of the nuclear norm lies below it on every line.
    subgradient = matrix_cost(a, 2).gradient
    for seed in range(20):
        b = random_matrix(3, 3, 100 + seed)
        assert matrix_cost(b, 2).per_depth >= matrix_cost(a, 2).per_depth + float((subgradient * (b - a)).sum()) - 1e-12


def test_the_derivative_by_depth_is_that_of_the_power_sum():
    s = np.array([3.0, 0.4, 0.01])
    cost = matrix_cost(np.diag(s), 5)
    difference = ((s ** (2 / 5.001)).sum() - (s ** (2 / 4.999)).sum()) / 0.002
    assert cost.depth_derivative == pytest.approx(difference, rel=1e-6)


def test_the_limit_is_approached():
    a = random_matrix(4, 5, 3, rank=2)
    assert matrix_cost(a, 10**7).per_depth == pytest.approx(2, abs=1e-5)
    assert matrix_cost(np.zeros((2, 3)), 4).total == matrix_cost(np.zeros((2, 3)), 4).limit == 0
    assert float(balanced_network(np.zeros((2, 3)), 4)(torch.ones(1, 3, dtype=torch.float64)).abs().max()) == 0


def test_what_counts_as_zero_is_said():
    a = np.diag([1.0, 1e-3])
    assert matrix_cost(a, 2).limit == 2
    assert matrix_cost(a, 2, tolerance=Tolerance(0.01)).limit == 1


@pytest.mark.parametrize("depth", [0, -1, 1.5, True, math.inf])
def test_other_depths_are_refused(depth):
    with pytest.raises(OptionError, match=r"depth is .* but must be an integer of at least 1"):
        matrix_cost(np.eye(2), depth)
    with pytest.raises(OptionError, match="an integer of at least 1"):
        balanced_diagonal(np.ones(2), depth)


def test_other_arrays_are_refused():
    with pytest.raises(NonFiniteError, match="the matrix holds NaN or infinity"):
        matrix_cost(np.array([[1.0, np.nan]]), 2)
    with pytest.raises(ShapeError, match="it is empty"):
        matrix_cost(np.zeros((0, 2)), 2)
    with pytest.raises(ShapeError, match="one dimension"):
        diagonal_cost(np.eye(2), 2)
    with pytest.raises(NonFiniteError, match="the vector holds NaN"):
        diagonal_cost(np.array([np.inf]), 2)
    with pytest.raises(ShapeError, match="the matrix has 2 rows"):
        affine_cost(np.eye(2), np.ones(3), 2)


def least_affine_norm(a, b, depth, seed):
    """Adam over all weights and biases of the normalised problem min ‖w‖² + ρ‖f − (A, b)‖², ρ large: nearly R."""
    generator = torch.Generator().manual_seed(seed)
    width = min(a.shape) + 1
    widths = [a.shape[1], *[width] * (depth - 1), a.shape[0]]
    parameters = [
        torch.randn(o, i + 1, generator=generator, dtype=torch.float64).mul(0.5).requires_grad_()
        for i, o in pairwise(widths)
    ]
    wanted, rho = torch.cat([a, b[:, None]], 1), 1e5
    optimiser = torch.optim.LBFGS(
        parameters,
        max_iter=1000,
        history_size=30,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-9,
        tolerance_change=1e-14,
    )

    def loss():
        optimiser.zero_grad()
        m = torch.eye(a.shape[1] + 1, dtype=torch.float64)
        for p in parameters:
            m = torch.cat([p @ m, torch.eye(a.shape[1] + 1, dtype=torch.float64)[-1:]])
        value = sum(p.square().sum() for p in parameters) + rho * (m[:-1] - wanted).square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return float(loss().detach())


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("scale", [3.0])
def test_the_affine_bracket_holds_the_minimum_found_by_optimisation(depth, scale):
    a = random_matrix(2, 3, 5)
    b = scale * torch.tensor([1.0, -0.7], dtype=torch.float64)
    cost = affine_cost(a, b, depth)
    # The penalised minimum is below R, by a relative 1e-4 at most for this ρ; several starts find the least.
    found = min(least_affine_norm(a, b, depth, seed) for seed in range(2))
    assert cost.lower * (1 - 2e-4) <= found <= cost.upper * (1 + 1e-9)
    if depth <= 2:
        assert cost.upper - cost.lower <= 1e-12 * cost.upper
        assert found == pytest.approx(cost.upper, rel=2e-4)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_affine_network_computes_the_map_at_the_upper_end(depth):
    a, b = random_matrix(3, 2, 8, rank=1), torch.tensor([0.5, -4.0, 1.0], dtype=torch.float64)
    cost = affine_cost(a, b, depth)
    x = torch.randn(10, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(cost.network(x), x @ a.T + b, rtol=1e-12, atol=1e-12)
    assert cost.network.squared_norm == cost.upper
    assert cost.lower <= cost.upper


def test_a_constant_costs_the_huber_function_at_depth_2():
    # min over c of 2|b − c| + c²: b² up to |b| = 1, then 2|b| − 1.
    for b, wanted in ((0.5, 0.25), (3.0, 5.0)):
        cost = affine_cost(np.zeros((1, 1)), np.array([b]), 2)
        assert cost.lower == pytest.approx(wanted, rel=1e-9)
        assert cost.upper == pytest.approx(wanted, rel=1e-9)
