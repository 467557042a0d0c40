"""The decision by held-out losses: tables whose answer is known, and a function of known rank."""

import math

import numpy as np
import pytest
import torch

from isthmus import fit
from isthmus.factoring import CrossDecision, CrossFit, cross_fit, decide
from isthmus.factoring.direction_sizes import direction_sizes
from isthmus.tolerance import DEFAULT_TOLERANCE
from isthmus.training import Plan

QUICK = Plan(steps=150, rounds=1, evaluations=40)


def table(means, n=300, folds=3, noise=0.0, sizes=(1.0, 0.5, 0.0, 0.0), seed=0):
    """Losses around the means of k = 0, 1, …, in equal folds."""
    rng = np.random.default_rng(seed)
    losses = torch.from_numpy(np.array(means)[:, None] + noise * rng.standard_normal((len(means), n)))
    counts = torch.tensor([n // folds] * folds)
    spectra = torch.tensor([sizes] * folds, dtype=torch.float64)
    return CrossFit(torch.arange(n), counts, losses, losses[-1], spectra)


def test_clear_losses_decide_for_certain():
    found = decide(table([1.0, 0.4, 0.1, 0.1]))
    assert (found.rank, found.lower, found.upper) == (2, 2, 2)
    assert found.probabilities == (0.0, 0.0, 1.0, 0.0)
    assert found.errors == pytest.approx([1.0, 0.4, 0.1, 0.1])
    assert not found.is_undecided


def test_a_toss_between_two_is_called_undecided_or_even():
    found = decide(table([1.0, 0.4, 0.109, 0.1], noise=0.1, sizes=(1.0, 0.5, 0.0, 0.0), n=300))
    assert sum(found.probabilities) == pytest.approx(1.0)
    assert 0.1 < found.probabilities[2] < 0.9
    assert found.lower <= 2 <= found.upper


def test_probabilities_are_those_of_a_slow_bootstrap():
    cross = table([1.0, 0.4, 0.112, 0.1], noise=0.08, n=60)
    rng, answers = np.random.default_rng(1), []
    losses = cross.losses.numpy()
    deviations = (losses - losses[losses.mean(1).argmin()]).std(1, ddof=1) / np.sqrt(60)
    for _ in range(3000):
        folds = rng.integers(3, size=3)
        rows = [20 * folds[rng.integers(3)] + rng.integers(20) for _ in range(60)]
        e = losses[:, rows].mean(1)
        e -= e.min()
        step = np.maximum(0.01 * e[0], np.minimum(0.1 * np.r_[0.0, e[:-1]], 0.03 * e[0]))
        missed = (e > 2.0 * deviations) & (np.array([1.0, 0.5, 0.0, 0.0]) > 0.1)
        answers.append(int(np.argmax((e <= step) & ~missed)))
    expected = np.bincount(answers, minlength=4) / 3000
    assert decide(cross).probabilities == pytest.approx(expected, abs=0.05)


def test_folds_that_disagree_on_the_derivative_split_the_answer():
    cross = table([1.0, 0.102, 0.1, 0.1])  # without noise: the second direction is certainly of use
    spectra = cross.spectra.clone()
    spectra[:2, 1] = 0.05
    mixed = decide(CrossFit(cross.rows, cross.sizes_of_folds, cross.losses, cross.whole, spectra))
    # Two of three folds see one direction: the median of three draws sees one in 20 of 27 cases.
    assert mixed.rank == 1
    assert mixed.probabilities[1] == pytest.approx(20 / 27, abs=0.04)


def test_weights_count_rows_as_often_as_they_say():
    cross = table([1.0, 0.4, 0.12, 0.1], noise=0.3, n=90, seed=3)
    weights = torch.ones(90)
    weights[::2] = 3.0
    repeated = torch.cat([torch.arange(90), *[torch.arange(0, 90, 2)] * 2])
    found = decide(cross, weights=weights)
    means = cross.losses[:, repeated].mean(1)
    assert found.errors == pytest.approx(means.tolist())


def test_a_network_that_carries_fewer_coordinates_bounds_the_rank():
    found = decide(table([1.0, 0.4, 0.1, 0.1]))
    assert found.at_most(2) is found
    bounded = found.at_most(1)
    assert (bounded.rank, bounded.lower, bounded.upper, bounded.errors) == (1, 1, 2, found.errors)


def test_rows_without_variation_have_rank_zero():
    found = CrossDecision.without_variation(0.25, DEFAULT_TOLERANCE)
    assert (found.rank, found.probabilities, found.is_undecided) == (0, (1.0,), False)


@pytest.fixture(scope="module")
def two_numbers():
    rng = np.random.default_rng(100)
    x = rng.standard_normal((240, 6))
    z = x @ rng.standard_normal((6, 2)) / math.sqrt(6.0)
    return x, np.stack([z[:, 0], np.abs(z[:, 1]), z[:, 0] + z[:, 1], np.abs(z[:, 0]) - z[:, 1]], 1)


def trained(x, y, task="regression"):
    return lambda rows, report: fit(x[rows], y[rows], task=task, depth=5, width=24, ridge=0.01, plan=QUICK, seed=0)


def thirds(n):
    parts = [torch.arange(i, n, 3) for i in range(3)]
    every = torch.arange(n)
    return [(every[~torch.isin(every, part)], part) for part in parts]


def test_a_function_of_two_numbers_has_rank_two(two_numbers):
    x, y = two_numbers
    cross = cross_fit(trained(x, y), torch.from_numpy(x), torch.from_numpy(y), thirds(240))
    assert sorted(cross.rows.tolist()) == list(range(240))
    assert cross.losses.shape[1] == len(cross.whole) == 240
    # Of k = 0: squared distance to the mean of the training rows, in their units.
    row, fold = int(cross.rows[0]), thirds(240)[0][0]
    mean, deviation = y[fold].mean(0), y[fold].std(0)
    assert float(cross.losses[0, 0]) == pytest.approx(float((((y[row] - mean) / deviation) ** 2).sum()), rel=1e-5)
    assert decide(cross).rank == 2


def finite_differences(function, rows, step=1e-6):
    moves = step * torch.eye(rows.shape[1], dtype=torch.float64)
    return torch.stack([(function(rows + m) - function(rows - m)) / (2.0 * step) for m in moves], 2)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_sizes_are_the_singular_values_of_finite_differences(two_numbers, task):
    x, y = two_numbers
    y = y if task == "regression" else np.digitize(y[:, 0], [-0.5, 0.5]) + 3 * (y[:, 1] > 0.5)
    fitted = trained(x, y, task)(torch.arange(240), None)
    rows = fitted.standardized(torch.from_numpy(x[:40]), torch.from_numpy(y[:40]))[0].double()
    network = fitted.network.to(dtype=torch.float64)
    function = network if task == "regression" else lambda r: 2.0 * network(r).softmax(1).sqrt()
    values = torch.linalg.svdvals(finite_differences(function, rows)).square().sum(0).sqrt()
    found = direction_sizes(fitted.network, fitted.objective, rows.float(), 8)
    count = len(values)
    assert found[:count].tolist() == pytest.approx((values / values[0]).tolist(), rel=0.02, abs=1e-3)
    assert found[count:].tolist() == [0.0] * (8 - count)


def test_classes_are_judged_by_the_logarithm_of_their_probability(two_numbers):
    x, _ = two_numbers
    labels = (x[:, 0] > 0).astype(np.int64) + (x[:, 0] > 1).astype(np.int64)
    cross = cross_fit(trained(x, labels, "classification"), torch.from_numpy(x), torch.from_numpy(labels), thirds(240))
    shares = np.bincount(labels[thirds(240)[0][0].numpy()], minlength=3) / 160
    assert float(cross.losses[0, 0]) == pytest.approx(-np.log(shares[labels[0]]), rel=1e-6)
    assert decide(cross).rank == 1
