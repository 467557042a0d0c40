"""The test of rank 0: by hand, by scipy's distributions, and by how often it is wrong on noise."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from isthmus.selection.canonical_correlations import canonical_correlations
from isthmus.selection.independence_test import LEVEL, constant_probability


def bound(p):
    return -math.e * p * math.log(p) if p < 1 / math.e else 1.0


@pytest.mark.parametrize("share", [0.001, 0.02, 0.1, 0.6])
@pytest.mark.parametrize("lines", [1.0, 0.3, 0.01, 1e-6])
def test_it_is_the_bound_at_the_smaller_p_value_of_two(share, lines):
    p = min(1.0, 2.0 * min(stats.norm.sf(math.sqrt(80.0 * share / 2.0)), lines))
    expected = min(1.0, 0.5 * bound(p) / bound(0.05))
    assert constant_probability(3.0 * share, 3.0, 80.0, lines) == pytest.approx(expected, rel=1e-9)


def test_at_the_level_a_constant_is_as_probable_as_not():
    assert constant_probability(0.0, 1.0, 50.0, LEVEL / 2.0) == pytest.approx(0.5)
    assert constant_probability(0.0, 1.0, 50.0, LEVEL / 1.9) > 0.5 > constant_probability(0.0, 1.0, 50.0, LEVEL / 2.1)


def test_what_gains_nothing_leaves_the_constant():
    assert constant_probability(0.0, 1.0, 50.0, 1.0) == constant_probability(-1.0, 1.0, 50.0, 0.9) == 1.0
    assert constant_probability(0.0, 1.0, 50.0, 0.0) == 0.0


@pytest.mark.parametrize("size", [0.01, 0.05, 0.2, 1.0])
def test_whatever_its_size_a_prediction_of_noise_gains_no_more_than_the_bound_says(size):
    rng = np.random.default_rng(3)
    y, f = rng.standard_normal((2, 4000, 60))
    gains = (np.square(y) - np.square(y - size * f)).mean(1).clip(0.0)
    for level in (0.3, 0.05, 0.01):
        assert np.mean(stats.norm.sf(np.sqrt(60.0 * gains)) < level) <= 1.2 * level  # 4,000 draws know 1 % to a sixth


def test_a_few_large_rows_do_not_hide_a_dependence():
    rng = np.random.default_rng(4)
    y = rng.standard_normal(300) ** 9  # the gain of a prediction that halves the error is 1.3 standard errors
    gains = np.square(y) - np.square(0.3 * y)
    assert gains.mean() < 2.5 * gains.std() / math.sqrt(300)
    assert constant_probability(gains.mean(), y.var(), 300.0, 1.0) < 1e-3


def held_out_gains(rng, n, outputs, ridge):
    """What Gaussian kernel ridge regression gains on zero at rows of five folds, of noise; (G, V, error)."""
    x, y = rng.standard_normal((n, 4)), rng.standard_normal((n, outputs))
    kernel = np.exp(-np.square(x[:, None] - x).sum(2) / 8.0)
    gains = np.empty(n)
    for fold in range(5):
        held = np.arange(n) % 5 == fold
        weights = np.linalg.solve(kernel[np.ix_(~held, ~held)] + ridge * np.eye((~held).sum()), y[~held])
        errors = y[held] - kernel[np.ix_(held, ~held)] @ weights
        gains[held] = np.square(y[held]).sum(1) - np.square(errors).sum(1)
    return gains.mean(), np.square(y).sum(1).mean(), gains.std(ddof=1) / math.sqrt(n)


def test_gains_of_folds_that_train_on_one_another_vary_twice_as_much_as_those_of_independent_rows():
    rng = np.random.default_rng(0)
    found = np.array([held_out_gains(rng, 40, 3, 1e4) for _ in range(1000)])  # a ridge so strong that no square counts
    assert found[:, 0].var() / np.square(found[:, 2]).mean() == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("ridge", [3.0, 1e4])
def test_noise_is_called_more_than_noise_as_often_as_is_said(ridge):
    rng = np.random.default_rng(1)
    found = [constant_probability(*held_out_gains(rng, 40, 3, ridge)[:2], 40.0, 1.0) for _ in range(1000)]
    assert np.mean(np.array(found) < 0.5) <= LEVEL


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
