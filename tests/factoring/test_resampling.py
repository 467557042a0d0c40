"""Probabilities of the ranks against every resample there is, closed forms, and excesses whose means are known."""

from itertools import product
from math import erf, sqrt

import numpy as np
import pytest
import torch
from isthmus.selection.resampling import rank_probabilities
from isthmus.selection.validation_decision import Candidate, RankDecision, rank_interval

from isthmus.foundation.likelihood import excess_error
from isthmus.foundation.tolerance import Tolerance

ALLOWED = 0.01


def probabilities(losses, whole, *, seed=0, is_classification=False, **options):
    losses, whole = torch.as_tensor(losses), torch.as_tensor(whole)
    return rank_probabilities(losses, whole, allowed=ALLOWED, is_classification=is_classification, seed=seed, **options)


def test_it_is_the_share_of_all_resamples():
    rng = np.random.default_rng(100)
    whole = rng.random(5)
    losses = whole + np.array([1.0, 0.15, 0.02, 0.0])[:, None] * rng.normal(1.0, 3.0, (4, 5))
    shares = np.zeros(4)
    for rows in product(range(5), repeat=5):  # all 3125
        means = [(losses[k, list(rows)] - whole[list(rows)]).mean() for k in range(4)]
        margin = ALLOWED * max(0.0, means[0])
        shares[next((k for k in range(4) if means[k] <= margin), 3)] += 5.0**-5
    assert (shares > 0.03).sum() >= 3  # a case worth resampling
    found = np.array(probabilities(losses, whole, resamples=40_000))
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert (np.abs(found - shares) < 4 * np.sqrt(shares * (1 - shares) / 40_000) + 1e-9).all()


def test_many_rows_give_the_normal_probability():
    rng = np.random.default_rng(101)
    n = 2000
    whole, excess = rng.random(n), rng.normal(0.012, 0.2, n)
    excess += 0.012 - excess.mean()
    losses = np.stack([whole + 1.0, whole + excess, whole])
    z = (ALLOWED - 0.012) / (excess.std() / sqrt(n))
    expected = 0.5 * (1 + erf(z / sqrt(2)))
    found = probabilities(losses, whole, resamples=20_000)
    assert found == pytest.approx((0.0, expected, 1.0 - expected), abs=0.015)


def test_draws_belong_to_the_seed():
    rng = np.random.default_rng(102)
    whole = rng.random(40)
    losses = whole + np.array([1.0, 0.02, 0.0])[:, None] * rng.normal(1.0, 1.0, (3, 40))
    assert probabilities(losses, whole, seed=3) == probabilities(losses, whole, seed=3)
    assert probabilities(losses, whole, seed=3) != probabilities(losses, whole, seed=4)


def test_a_network_that_predicts_nothing_has_rank_0():
    whole = np.full(30, 2.0)
    assert probabilities(np.stack([whole - 1.0, whole - 0.5, whole]), whole) == (1.0, 0.0, 0.0)


def test_few_right_answers_prove_nothing():
    # k = 1 agrees with the whole network on 20 rows; at a margin of 0.9 % that is far from certain
    whole, constant = np.zeros(20), np.ones(20)
    constant[:2] = 0.0
    losses = np.stack([constant, whole, whole])
    assert probabilities(losses, whole)[1] == 1.0
    # spoilt − mended ≤ 0.18 rows, both half the square of a normal variable, drawn by numpy
    normal = np.random.default_rng(0).normal(size=(2, 10**6))
    expected = (0.5 * (normal[0] ** 2 - normal[1] ** 2) <= 0.18).mean()
    assert probabilities(losses, whole, is_classification=True)[1] == pytest.approx(expected, abs=0.03)


def test_the_error_of_pairs_is_that_of_a_table_with_half_a_row_more_in_each_cell():
    excess = torch.tensor([1.0] * 3 + [-1.0] * 2 + [0.0] * 15, dtype=torch.float64)
    b, c, n = 3.5, 2.5, 22.0
    p, q = b / n, c / n
    expected = sqrt((p + q - (p - q) ** 2) / n)
    assert excess_error(excess, is_classification=True) == pytest.approx(expected, rel=1e-12)
    expected = float(np.std(excess.numpy(), ddof=1) / sqrt(20))
    assert excess_error(excess, is_classification=False) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("excesses", "errors", "expected"),
    [
        ([1.0, 0.5, 0.005, 0.0], [0.1, 0.1, 0.001, 0.0], (2, 2, 2)),
        ([1.0, 0.15, 0.005, 0.0], [0.1, 0.1, 0.01, 0.0], (2, 1, 3)),
        ([1.0, 0.15, 0.005, 0.005], [0.1, 0.1, 0.01, 0.01], (2, 1, 9)),
        ([1.0, 0.5, 0.4], [0.1, 0.1, 0.01], (2, 2, 9)),
    ],
)
def test_the_interval_is_two_standard_errors_around_the_margin(excesses, errors, expected):
    assert rank_interval(excesses, errors, 0.01, most=9) == expected


def decision(excesses, error, given):
    candidates = tuple(Candidate(k, 0, 1.0 + e, None, None, e, error, torch.ones(2)) for k, e in enumerate(excesses))
    ends = rank_interval(excesses, [error] * len(excesses), 0.01, most=9)
    return RankDecision(*ends, 1.0, 0.1, 2.0, 0.01, candidates, given, Tolerance(0.1))


def test_undecided_is_an_answer_that_half_of_the_resamples_contradict():
    assert not decision([1.0, 0.2, 0.0], 0.001, (0.0, 0.1, 0.9)).is_undecided
    assert decision([1.0, 0.2, 0.0], 0.001, (0.0, 0.55, 0.45)).is_undecided


def test_undecided_are_rows_that_exclude_at_most_a_constant():
    likely = (0.0, 0.1, 0.9)
    assert decision([1.0, 0.2, 0.0], 0.3, likely).is_undecided  # lower 1, nothing significantly good
    assert not decision([1.0, 0.2, 0.0], 0.05, likely).is_undecided  # 1 is significantly worse


def test_probabilities_come_true_and_intervals_hold():
    """300 problems of 200 rows, with normal excesses whose means, and so the right k, are known."""
    rng = np.random.default_rng(103)
    given, true, held = [], [], []
    for trial in range(300):
        later = np.sort(10.0 ** rng.uniform(-3.5, -0.5, 4))[::-1]
        means = np.concatenate([[1.0], later, [0.0]])
        k = int(np.flatnonzero(means <= ALLOWED)[0])
        whole = rng.random(200)
        excess = means[:, None] + np.sqrt(means)[:, None] * rng.normal(size=(6, 200))
        found = np.array(probabilities(whole + excess, whole, seed=trial, resamples=500))
        given.append(found)
        true.append(np.arange(6) == k)
        errors = (excess.std(1, ddof=1) / sqrt(200)).tolist()
        _, lower, upper = rank_interval(excess.mean(1).tolist(), errors, ALLOWED * excess[0].mean(), most=5)
        held.append(lower <= k <= upper)
    given, true = np.concatenate(given), np.concatenate(true)
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        inside = (given > low) & (given <= high)
        noise = 3.0 * 0.5 / sqrt(inside.sum())
        assert given[inside].mean() == pytest.approx(true[inside].mean(), abs=0.05 + noise)
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("is_classification", [True, False])
def test_equal_weights_are_no_weights(is_classification):
    losses = torch.rand(4, 40, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    losses = losses.round() if is_classification else losses
    excess, equal = losses[1] - losses[-1], torch.full((40,), 2.5, dtype=torch.float64)
    options = {"is_classification": is_classification}
    plain = rank_probabilities(losses, losses[-1], allowed=0.1, seed=0, **options)
    assert rank_probabilities(losses, losses[-1], weights=equal, allowed=0.1, seed=0, **options) == plain
    assert excess_error(excess, weights=equal, **options) == pytest.approx(excess_error(excess, **options), rel=1e-12)


def test_rows_that_hardly_count_say_nothing():
    losses = torch.rand(4, 40, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    weights = torch.cat([torch.ones(20), torch.full((20,), 1e-9)]).double()
    other = torch.cat([losses[:, :20], 1.0 - losses[:, 20:]], 1)
    options = {"allowed": 0.1, "seed": 0, "is_classification": False}
    found, same = (rank_probabilities(some, some[-1], weights=weights, **options) for some in (losses, other))
    assert found == pytest.approx(same, abs=0.01)
    assert found != pytest.approx(rank_probabilities(losses, losses[-1], **options), abs=0.01)
