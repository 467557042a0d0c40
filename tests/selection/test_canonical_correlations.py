"""Canonical correlations by another route, and Bartlett's statistic by its distribution where the rank is known."""

import numpy as np
import pytest
import torch
from scipy.linalg import eigh

from isthmus.selection.canonical_correlations import NOTHING_LEFT, canonical_correlations


def linear(n, d, m, rank, *, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) @ rng.standard_normal((d, d))
    y = x @ rng.standard_normal((d, rank)) @ rng.standard_normal((rank, m)) + noise * rng.standard_normal((n, m))
    return torch.from_numpy(x), torch.from_numpy(y)


def significance(x, y, weights=None):
    return canonical_correlations(x, y, weights).significance


def test_correlations_solve_the_generalised_eigenvalue_problem():
    x, y = linear(300, 5, 4, 2, noise=3.0)
    joint = np.cov(np.hstack([x, y]).T)
    xx, yy, xy = joint[:5, :5], joint[5:, 5:], joint[:5, 5:]
    squares = eigh(xy.T @ np.linalg.solve(xx, xy), yy, eigvals_only=True)[::-1]
    assert canonical_correlations(x, y).correlations.square().tolist() == pytest.approx(squares.tolist(), abs=1e-10)


def test_the_statistic_is_bartletts():
    x, y = linear(300, 5, 4, 2, noise=3.0)
    rho = canonical_correlations(x, y).correlations.numpy()
    for k, found in enumerate(significance(x, y).tolist()):
        degrees = (5 - k) * (4 - k)
        statistic = -(300 - 1 - (5 + 4 + 1) / 2) * np.log(np.prod(1 - rho[k:] ** 2))
        assert found == pytest.approx((statistic - degrees) / np.sqrt(2 * degrees))


def test_where_k_are_enough_it_is_chance_and_where_they_are_not_it_is_large():
    found = np.array([significance(*linear(400, 8, 6, 2, seed=seed)).tolist() for seed in range(200)])
    assert found[:, 1].min() > 4.0
    # χ² of 24 degrees: mean 0 and deviation 1 in these units; 200 draws know a mean to 0.07.
    assert found[:, 2].mean() == pytest.approx(0.0, abs=0.25)
    assert found[:, 2].std() == pytest.approx(1.0, abs=0.2)


def test_classes_are_told_by_as_many_numbers_as_their_means_span():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=600)
    x = rng.standard_normal((600, 6))
    x[:, 0] += 2.0 * labels  # the means lie on a line
    found = significance(torch.from_numpy(x), torch.from_numpy(labels))
    assert len(found) == 3
    assert float(found[0]) > 50.0
    assert float(found[1]) < 3.0


def test_units_and_columns_that_say_nothing_do_not_matter():
    x, y = linear(200, 4, 3, 2)
    scaled = torch.hstack([x * torch.tensor([1.0, 1e6, 1e-6, 1.0]) + 5.0, torch.full((200, 1), 3.3), x[:, :1]])
    assert significance(scaled, 1e3 * y).tolist() == pytest.approx(significance(x, y).tolist(), rel=1e-6)


def test_rows_of_weight_count_by_their_effective_number():
    x, y = linear(200, 4, 3, 2)
    assert significance(x, y, torch.full((200,), 7.0)).tolist() == pytest.approx(significance(x, y).tolist())
    weights = torch.ones(200)
    weights[100:] = 1e-9
    half = significance(x[:100], y[:100]).tolist()
    assert significance(x, y, weights).tolist() == pytest.approx(half, rel=1e-5)


def test_no_more_columns_than_there_are_rows_for():
    found = canonical_correlations(*linear(40, 30, 25, 2))
    assert len(found.correlations) == 10
    assert torch.isfinite(found.significance).all()


def test_what_is_exactly_linear_and_what_is_constant():
    x, y = linear(200, 5, 4, 2, noise=0.0)
    found = canonical_correlations(x, y)
    assert len(found.correlations) == 2  # there is no third direction of y
    assert len(canonical_correlations(x, torch.ones(200, 3)).correlations) == 0
    padded = found.padded(4)
    assert padded.significance[2:].tolist() == [NOTHING_LEFT] * 2
    assert padded.correlations[2:].tolist() == [0.0, 0.0]
    assert found.padded(1).correlations.tolist() == found.correlations[:1].tolist()


def test_enough_is_what_leaves_chance():
    assert canonical_correlations(*linear(400, 8, 6, 2)).are_as_chance()
    assert not canonical_correlations(*linear(400, 8, 6, 6)).are_as_chance()
    assert not canonical_correlations(*linear(400, 8, 6, 3)).padded(3).are_as_chance()
    assert not canonical_correlations(*linear(400, 8, 6, 6)).padded(7).are_as_chance()
