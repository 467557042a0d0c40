"""The test of rank 0: by hand, by scipy's distributions, and by how often it is wrong on noise."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from isthmus.selection.canonical_correlations import canonical_correlations
from isthmus.selection.independence_test import LEVEL, agreements, constant_probability, standardized_agreement


def bound(p):
    return -math.e * p * math.log(p) if p < 1 / math.e else 1.0


@pytest.mark.parametrize("agreement", [0.3, 1.0, 2.5, 5.0])
@pytest.mark.parametrize("lines", [1.0, 0.3, 0.01, 1e-6])
def test_it_is_the_bound_at_the_smaller_p_value_of_two(agreement, lines):
    p = min(1.0, 2.0 * min(stats.norm.sf(agreement / math.sqrt(2.0)), lines))
    expected = min(1.0, 0.5 * bound(p) / bound(0.05))
    assert constant_probability(agreement, lines) == pytest.approx(expected, rel=1e-9)


def test_at_the_level_a_constant_is_as_probable_as_not():
    assert constant_probability(0.0, LEVEL / 2.0) == pytest.approx(0.5)
    assert constant_probability(0.0, LEVEL / 1.9) > 0.5 > constant_probability(0.0, LEVEL / 2.1)


def test_what_does_not_agree_leaves_the_constant():
    assert constant_probability(0.0, 1.0) == constant_probability(-3.0, 0.9) == 1.0
    assert constant_probability(0.0, 0.0) == 0.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [3, 40])
def test_agreements_are_scalar_products_and_their_variances(weighted, outputs):
    rng = np.random.default_rng(5)
    trained, truths, predicted = (rng.standard_normal((n, outputs)) + 2.0 for n in (30, 6, 6))
    v = rng.uniform(0.5, 2.0, 30) if weighted else None
    mean = np.average(trained, 0, v)
    covariance = np.cov(trained.T, bias=True, aweights=v)
    weights = torch.from_numpy(v) if weighted else None
    constant = torch.from_numpy(mean).expand(6, -1)
    found = agreements([constant, torch.from_numpy(predicted)], *map(torch.from_numpy, (truths, trained)), weights)
    assert found.shape == (2, 2, 6)
    np.testing.assert_allclose(found[0], 0.0, atol=1e-12)
    moved = predicted - mean
    np.testing.assert_allclose(found[1, 0], (moved * (truths - mean)).sum(1), rtol=1e-9)
    np.testing.assert_allclose(found[1, 1], np.einsum("ij,jk,ik->i", moved, covariance, moved), rtol=1e-9)


def test_a_sum_of_agreements_is_counted_in_its_deviations():
    rows, weights = torch.tensor([[1.0, -2.0, 4.0], [1.0, 4.0, 9.0]]).double(), torch.tensor([1.0, 1.0, 2.0]).double()
    assert standardized_agreement(rows, weights) == pytest.approx(7.0 / math.sqrt(41.0))
    assert standardized_agreement(rows, 5.0 * weights) == pytest.approx(7.0 / math.sqrt(41.0))
    assert standardized_agreement(0.0 * rows, weights) == 0.0


def test_a_few_large_rows_do_not_hide_a_dependence():
    rng = np.random.default_rng(4)
    y = rng.standard_normal((300, 1)) ** 9  # the gain of a prediction that halves the error is 1.3 standard errors
    gains = np.square(y) - np.square(0.3 * y)
    assert gains.mean() < 2.5 * gains.std() / math.sqrt(300)
    found = agreements([torch.from_numpy(0.7 * y)], torch.from_numpy(y), torch.from_numpy(y), None)[0]
    assert constant_probability(standardized_agreement(found, torch.ones(300).double()), 1.0) < 1e-3


def held_out_agreement(rng, n, outputs, ridge):
    """T of Gaussian kernel ridge regression at rows of five folds, of noise in correlated outputs."""
    x, y = rng.standard_normal((n, 4)), rng.standard_normal((n, outputs)) @ np.tri(outputs)
    kernel = np.exp(-np.square(x[:, None] - x).sum(2) / 8.0)
    found = []
    for fold in range(5):
        held = np.arange(n) % 5 == fold
        mean = y[~held].mean(0)
        weights = np.linalg.solve(kernel[np.ix_(~held, ~held)] + ridge * np.eye((~held).sum()), y[~held] - mean)
        rows = kernel[np.ix_(held, ~held)] @ weights + mean, y[held], y[~held]
        predicted, truths, trained = map(torch.from_numpy, rows)
        found.append(agreements([predicted], truths, trained, None)[0])
    return standardized_agreement(torch.cat(found, 1), torch.ones(n).double())


@pytest.mark.parametrize("ridge", [3.0, 1e4])
def test_agreements_of_folds_that_train_on_one_another_have_at_most_twice_the_variance(ridge):
    rng = np.random.default_rng(0)
    found = np.array([held_out_agreement(rng, 40, 3, ridge) for _ in range(400)])
    assert 1.2 < np.square(found - found.mean()).mean() < 2.3
    assert found.mean() < 0.1
    assert np.mean([constant_probability(each, 1.0) < 0.5 for each in found]) <= LEVEL


def test_the_chance_of_lines_is_uniform_where_there_are_none():
    rng = np.random.default_rng(2)
    drawn = [
        canonical_correlations(*(torch.from_numpy(rng.standard_normal((60, width))) for width in (5, 3))).chance
        for _ in range(400)
    ]
    assert stats.kstest(drawn, "uniform").pvalue > 0.01
    classes = torch.arange(60) % 3
    drawn = [canonical_correlations(torch.from_numpy(rng.standard_normal((60, 4))), classes).chance for _ in range(400)]
    assert stats.kstest(drawn, "uniform").pvalue > 0.01
