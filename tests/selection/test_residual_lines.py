"""What lines see in residuals: by scipy and by hand, by simulation, and as laws."""

import math

import numpy as np
import pytest
import torch
from scipy import linalg

from isthmus.selection.residual_lines import _largest_logit, residual_lines
from isthmus.selection.residuals import held_out_residuals, kept_rows


def deviations_of(x, r):
    """Bartlett's statistic of all correlations and the logit of the largest, both as numbers of deviations."""
    (n, p), q = x.shape, r.shape[1]
    x, r = x - x.mean(0), r - r.mean(0)
    squares = linalg.eigvals(np.linalg.solve(x.T @ x, x.T @ r) @ np.linalg.solve(r.T @ r, r.T @ x)).real
    squares = np.sort(squares)[::-1][: min(p, q)]
    of_all = -(n - 1 - (p + q + 1) / 2) * np.log1p(-squares).sum()
    # Johnstone (2008), equations 4 to 6, with the notation of that paper: θ(p, m, n) with n = q and m = N − 1 − q.
    gamma = 2 * math.asin(math.sqrt((min(p, q) - 0.5) / (n - 2)))
    phi = 2 * math.asin(math.sqrt((max(p, q) - 0.5) / (n - 2)))
    cubed = 16 / (n - 2) ** 2 / (math.sin(phi + gamma) ** 2 * math.sin(phi) * math.sin(gamma))
    middle = 2 * math.log(math.tan((phi + gamma) / 2))
    of_largest = (math.log(squares[0] / (1 - squares[0])) - middle) / cubed ** (1 / 3)
    return (of_all - p * q) / math.sqrt(2 * p * q), (of_largest + 1.2065) / 1.268


@pytest.fixture
def left():
    """Inputs, and what a constant, one number and two leave, where two linear numbers are there."""
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((300, 6)), 0.3 * rng.standard_normal((300, 4))
    numbers = x[:, :2] @ np.array([[1.0, 2.0, -1.0, 0.5], [0.3, -0.4, 0.2, 0.5]])
    first = x[:, :1] @ np.array([[1.0, 2.0, -1.0, 0.5]])
    return x, np.stack([numbers + noise, numbers - first + noise, noise, noise - 0.01 * numbers])


def found(x, residuals, weights=None):
    x, residuals = torch.from_numpy(x), torch.from_numpy(residuals)
    return residual_lines(x, residuals, torch.ones(len(x), dtype=torch.float64) if weights is None else weights).numpy()


def test_it_is_the_larger_of_two_tests_beyond_that_of_the_whole_network(left):
    x, residuals = left
    tests = np.array([deviations_of(x, r) for r in residuals])
    np.testing.assert_allclose(found(x, residuals), (tests[:-1] - tests[-1]).max(1), rtol=1e-8)


def test_lines_see_a_number_that_is_left_out_and_nothing_where_as_much_is_left_as_by_the_whole(left):
    of_constant, of_one, of_two = found(*left)
    assert of_constant > 10.0
    assert of_one > 3.0
    assert abs(of_two) < 1.5
    x, residuals = left
    assert found(x, np.stack([residuals[1], residuals[1]])).tolist() == [0.0]


def test_the_largest_root_of_noise_lies_about_its_mean():
    rng = np.random.default_rng(1)
    logits = []
    for _ in range(400):
        ours, theirs = (np.linalg.qr(m - m.mean(0))[0] for m in (rng.standard_normal((80, d)) for d in (7, 4)))
        square = np.linalg.norm(ours.T @ theirs, 2) ** 2
        logits.append(math.log(square / (1.0 - square)))
    middle, deviation = _largest_logit(7, 4, 80.0)
    assert np.mean(logits) == pytest.approx(middle, abs=0.15 * deviation)
    assert np.std(logits) == pytest.approx(deviation, rel=0.15)


def test_units_and_constant_columns_do_not_matter(left):
    x, residuals = left
    scaled = np.hstack([x * [1.0, 1e6, 1e-6, 1.0, 2.0, 3.0] + 5.0, np.full((300, 1), 3.3)])
    np.testing.assert_allclose(found(scaled, 1e3 * residuals), found(x, residuals), rtol=1e-6)


def test_weights_count_by_their_effective_number(left):
    x, residuals = left
    np.testing.assert_allclose(
        found(x, residuals, torch.full((300,), 7.0, dtype=torch.float64)), found(x, residuals), rtol=1e-9
    )
    weights = torch.ones(300, dtype=torch.float64)
    weights[150:] = 1e-9
    np.testing.assert_allclose(found(x, residuals, weights), found(x[:150], residuals[:, :150]), rtol=1e-5)


def test_what_is_left_of_nothing_or_in_too_few_rows_says_nothing(left):
    x, residuals = left
    assert found(x, 0.0 * residuals).tolist() == [0.0] * 3
    assert found(x[:3], residuals[:, :3]).tolist() == [0.0] * 3


def test_residuals_are_outputs_less_predictions_at_evenly_spaced_rows():
    truths = torch.arange(4000.0)[:, None] * torch.tensor([[1.0, 2.0]])
    residuals = held_out_residuals([torch.zeros(4000, 2), truths - 1.0], truths)
    assert residuals.shape == (2, 1700, 2)
    assert residuals.dtype == torch.float32
    assert torch.equal(residuals[0], kept_rows(truths))
    assert (residuals[0, 0, 0], residuals[0, -1, 0]) == (0.0, 3999.0)
    assert torch.equal(residuals[1], torch.ones(1700, 2))
    assert held_out_residuals([], truths).numel() == 0
