"""Intervals of ranks by hand, and the jackknife on statistics whose standard error is known."""

import numpy as np
import pytest
import torch

from isthmus.selection.interval import expected_rank, jackknife_error, rank_interval


def test_the_expected_rank_is_the_mean():
    assert expected_rank(torch.tensor([0.1, 0.2, 0.3, 0.4])) == pytest.approx(0.2 + 0.6 + 1.2)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).standard_normal(40)
    left_out = [np.delete(values, i).mean() for i in range(40)]
    assert jackknife_error(left_out) == pytest.approx(values.std(ddof=1) / np.sqrt(40), rel=1e-12)


def test_the_jackknife_of_equal_parts_is_the_standard_error_of_their_means():
    parts = np.random.default_rng(1).standard_normal((5, 30))
    left_out = [np.delete(parts, i, 0).mean() for i in range(5)]
    assert jackknife_error(left_out) == pytest.approx(parts.mean(1).std(ddof=1) / np.sqrt(5), rel=1e-12)


@pytest.mark.parametrize("left_out", [[], [3.0]])
def test_one_part_says_nothing_of_the_spread(left_out):
    assert jackknife_error(left_out) == 0.0


@pytest.mark.parametrize(
    ("probabilities", "spread", "expected"),
    [
        ([0.0, 0.02, 0.96, 0.02], 0.0, (2, 2)),
        ([0.0, 0.03, 0.95, 0.02], 0.0, (1, 2)),
        ([0.0, 0.02, 0.95, 0.03], 0.0, (2, 3)),
        ([0.1, 0.2, 0.4, 0.3], 0.0, (0, 3)),
        ([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], 0.2, (2, 2)),  # 2 ± 0.4
        ([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], 0.3, (1, 3)),  # 2 ± 0.6
        ([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], 1.0, (0, 4)),
        ([0.0, 0.0, 1.0], 5.0, (0, 2)),  # no ranks but those that were tried
    ],
)
def test_it_holds_95_percent_and_two_standard_errors(probabilities, spread, expected):
    rank = int(np.argmax(probabilities))
    assert rank_interval(torch.tensor(probabilities, dtype=torch.float64), rank, spread) == expected


def test_the_answer_is_inside_also_where_a_network_carries_less_than_the_likeliest():
    assert rank_interval(torch.tensor([0.0, 0.0, 1.0]), 1, 0.0) == (1, 2)
