"""The interval of ranks against arithmetic by hand, and the jackknife against what it is known to give."""

import math
import statistics

import numpy as np
import pytest
import torch

from isthmus.selection.interval import expected_rank, jackknife_error, rank_interval


def left_out(values, statistic, groups):
    """The statistic of all values but those of each group in turn."""
    return [statistic(values[groups != group]) for group in np.unique(groups)]


@pytest.mark.parametrize("n", [2, 3, 40])
def test_of_a_mean_the_jackknife_is_its_textbook_standard_error(n):
    values = np.random.default_rng(n).exponential(size=n)
    found = jackknife_error(left_out(values, np.mean, np.arange(n)))
    assert found == pytest.approx(statistics.stdev(values) / math.sqrt(n), rel=1e-10)


def test_of_the_mean_of_equal_groups_it_is_the_standard_error_of_the_groups_means():
    values, groups = np.random.default_rng(0).standard_normal(60), np.repeat(np.arange(5), 12)
    means = [values[groups == group].mean() for group in range(5)]
    found = jackknife_error(left_out(values, np.mean, groups))
    assert found == pytest.approx(statistics.stdev(means) / math.sqrt(5), rel=1e-10)


def test_it_is_of_the_size_of_what_other_draws_say():
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((400, 50))
    spread = np.std([np.log(draw.var()) for draw in draws])
    errors = [jackknife_error(left_out(d, lambda v: np.log(v.var()), np.arange(50) // 10)) for d in draws]
    assert np.mean(np.square(errors)) ** 0.5 == pytest.approx(spread, rel=0.15)


def test_of_one_part_or_none_and_of_parts_that_agree_there_is_no_spread():
    assert jackknife_error([]) == jackknife_error([3.0]) == jackknife_error([2.0, 2.0, 2.0]) == 0.0


def test_the_expected_rank_is_the_mean_over_the_probabilities():
    assert expected_rank(torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)) == pytest.approx(2.0, rel=1e-12)


@pytest.mark.parametrize(
    ("probabilities", "rank", "spread", "interval"),
    [
        ([0.0, 0.0, 1.0, 0.0], 2, 0.0, (2, 2)),  # certain, whatever the rows
        ([0.02, 0.96, 0.02, 0.0], 1, 0.0, (1, 1)),  # 2 % outside either end
        ([0.03, 0.94, 0.03, 0.0], 1, 0.0, (0, 2)),  # 3 % are too much to be outside
        ([0.026, 0.974, 0.0, 0.0], 1, 0.0, (0, 1)),
        ([0.0, 0.5, 0.5, 0.0], 1, 0.0, (1, 2)),
        ([0.0, 0.0, 1.0, 0.0], 1, 0.0, (1, 2)),  # no layer carries as many: the answer is in its interval
        ([0.0, 1.0, 0.0, 0.0], 1, 0.2, (1, 1)),  # 1 ± 0.4 rounds to 1
        ([0.0, 1.0, 0.0, 0.0], 1, 0.3, (0, 2)),  # 1 ± 0.6 does not
        ([0.0, 1.0, 0.0, 0.0], 1, 0.8, (0, 3)),
        ([0.0, 1.0, 0.0, 0.0], 1, 9.0, (0, 3)),  # never beyond what was looked at
        ([0.0, 0.3, 0.7, 0.0], 2, 0.5, (1, 3)),  # 1.7 ± 1.0
        ([1.0], 0, 5.0, (0, 0)),
    ],
)
def test_the_interval_is_of_the_probabilities_and_of_the_draw_of_the_rows(probabilities, rank, spread, interval):
    assert rank_interval(torch.tensor(probabilities, dtype=torch.float64), rank, spread) == interval
