"""The decision by held-out losses: tables whose answer is known, and a function of known rank."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus import fit
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.selection import (
    CrossDecision,
    CrossValidation,
    cross_validate,
    decide,
    restrict_to_ranks,
)
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.direction_sizes import direction_sizes
from isthmus.training import Schedule, TrainingConfig

QUICK = Schedule(steps=150, rounds=1, evaluations=40)


def table(
    means,
    n=300,
    folds=3,
    noise=0.0,
    effects=(1.0, 0.5, 0.0, 0.0),
    objectives=(1.0, 0.4, 0.1, 0.1),
    linear=(20.0, 8.0, 0.0, -1.0),
    correlations=(0.9, 0.7, 0.1, 0.05),
    share=0.9,
    seed=0,
):
    """Losses around the means of k = 0, 1, …, in equal folds, and the rest the same in each."""
    rng = np.random.default_rng(seed)
    losses = torch.from_numpy(np.array(means)[:, None] + noise * rng.standard_normal((len(means), n)))
    values, sizes = (torch.tensor([each] * folds, dtype=torch.float64) for each in (objectives, effects))
    dependences, significance = (
        torch.zeros_like(sizes),
        CanonicalCorrelations(*torch.tensor([correlations, linear], dtype=torch.float64)),
    )
    return CrossValidation(torch.arange(n), losses, losses[-1], values, sizes, dependences, significance, share, "regression")


def test_clear_evidence_decides():
    found = decide(table([1.0, 0.4, 0.1, 0.1]))
    assert (found.rank, found.lower, found.upper) == (2, 2, 2)
    assert found.probabilities[2] > 0.97
    assert sum(found.probabilities) == pytest.approx(1.0)
    assert found.errors == pytest.approx([1.0, 0.4, 0.1, 0.1])
    assert not found.is_undecided


def test_a_toss_between_two_is_called_undecided_or_even():
    doubtful = {"effects": (1.0, 0.5, 0.1, 0.0), "objectives": (1.0, 0.4, 0.115, 0.1)}
    found = decide(table([1.0, 0.4, 0.11, 0.1], **doubtful))
    assert 0.1 < found.probabilities[2] < 0.9
    assert found.lower <= 2
    assert found.upper == 3


def test_a_bend_speaks_for_fewer():
    cross = table([1.0, 0.4, 0.11, 0.1], effects=(1.0, 0.5, 0.2, 0.0), objectives=(1.0, 0.4, 0.115, 0.1), share=0.0)
    bent = replace(cross, dependences=torch.tensor([[0.0, 0.0, 0.9, 0.0]] * 3, dtype=torch.float64))
    free, held = decide(cross), decide(bent)
    assert held.probabilities[2] > free.probabilities[2] + 0.2
    assert held.dependences == pytest.approx((0.0, 0.0, 0.9, 0.0))


def test_effects_are_pooled_by_their_squares_and_dependences_by_those():
    cross = table([1.0, 0.4, 0.11, 0.1])
    effects = torch.tensor([[1.0, 0.5, 0.3, 0.0], [1.0, 0.5, 0.4, 0.0], [1.0, 0.5, 0.0, 0.0]], dtype=torch.float64)
    dependences = torch.tensor([[0.0, 0.0, 0.2, 0.7], [0.0, 0.0, 0.6, 0.7], [0.0, 0.0, 1.0, 0.7]], dtype=torch.float64)
    found = decide(replace(cross, effects=effects, dependences=dependences))
    assert found.effects[2] == pytest.approx(math.sqrt(0.25 / 3.0))
    assert found.dependences[2] == pytest.approx((0.09 * 0.2 + 0.16 * 0.6) / 0.25)
    assert found.dependences[3] == 0.0  # no network has that coordinate


def test_classes_have_weights_of_their_own():
    cross = table([1.0, 0.4, 0.11, 0.1], effects=(1.0, 0.5, 0.1, 0.0), objectives=(1.0, 0.4, 0.115, 0.1))
    assert decide(cross).probabilities != decide(replace(cross, task="classification")).probabilities


def test_a_constant_that_nothing_beats_is_rank_zero():
    found = decide(table([1.0, 1.01, 1.02, 1.03], noise=0.05, linear=(0.2, -1.0, -1.0, -1.0)))
    assert (found.rank, found.upper) == (0, 0)


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
    def train(index, report):
        rows = np.arange(len(x)) % 3 != index
        return fit(
            x[rows], y[rows], config=TrainingConfig(depth=5, width=24, ridge=0.01, schedule=QUICK), task=task, seed=0
        )

    return train


def thirds(n):
    return [torch.arange(i, n, 3) for i in range(3)]


def test_a_function_of_two_numbers_has_rank_two(two_numbers):
    x, y = two_numbers
    cross = cross_validate(trained(x, y), torch.from_numpy(x), torch.from_numpy(y), thirds(240), task="regression")
    assert sorted(cross.rows.tolist()) == list(range(240))
    assert cross.losses.shape[1] == len(cross.whole) == 240
    # Of k = 0: squared distance to the mean of the training rows, in their units.
    row, fold = int(cross.rows[0]), np.arange(240) % 3 != 0
    mean, deviation = y[fold].mean(0), y[fold].std(0)
    assert float(cross.losses[0, 0]) == pytest.approx(float((((y[row] - mean) / deviation) ** 2).sum()), rel=1e-5)
    assert decide(cross).rank == 2
    assert cross.objectives[:, 0].tolist() == [1.0] * 3
    assert bool((cross.objectives[:, 1] > 5.0 * cross.objectives[:, 2]).all())
    assert cross.objectives[:, 2:].std() < 0.01
    assert cross.effects.shape == cross.dependences.shape == cross.objectives.shape
    assert cross.effects[:, 0].tolist() == [1.0] * 3
    assert cross.effects[:, -1].tolist() == [0.0] * 3


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_the_evidence_does_not_depend_on_the_threads(two_numbers, threads):
    x, y = two_numbers
    found = []
    for count in (1, 2):
        threads(count)
        found.append(cross_validate(trained(x, y), torch.from_numpy(x), torch.from_numpy(y), thirds(240), task="regression"))
    assert float(found[0].dependences.abs().max()) > 0.0
    for name in ("losses", "whole", "objectives", "effects", "dependences"):
        assert torch.equal(getattr(found[0], name), getattr(found[1], name)), name
    assert torch.equal(found[0].linear.significance, found[1].linear.significance)
    assert found[0].linear_share == found[1].linear_share


def finite_differences(function, rows, step=1e-6):
    moves = step * torch.eye(rows.shape[1], dtype=torch.float64)
    return torch.stack([(function(rows + m) - function(rows - m)) / (2.0 * step) for m in moves], 2)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_sizes_are_the_singular_values_of_finite_differences(two_numbers, task):
    x, y = two_numbers
    y = y if task == "regression" else np.digitize(y[:, 0], [-0.5, 0.5]) + 3 * (y[:, 1] > 0.5)
    fitted = trained(x, y, task)(0, None)
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
    cross = cross_validate(
        trained(x, labels, "classification"),
        torch.from_numpy(x),
        torch.from_numpy(labels),
        thirds(240),
        task="classification",
    )
    shares = np.bincount(labels[np.arange(240) % 3 != 0], minlength=3) / 160
    assert float(cross.losses[0, 0]) == pytest.approx(-np.log(shares[labels[0]]), rel=1e-6)
    assert decide(cross).rank == 1


def test_fewer_numbers_with_a_lower_objective_stand_for_more(monkeypatch):
    rng = np.random.default_rng(104)
    x = rng.standard_normal((60, 4))
    y = np.stack([x[:, 0], np.abs(x[:, 1]), x[:, 2]], 1)
    module = sys.modules[cross_validate.__module__]

    def worse_through_two(*args, **settings):
        found = restrict_to_ranks(*args, **settings)
        found[1] = replace(found[1], value=2.0 * found[0].value)
        return found

    def train(index, report):
        return fit(
            x[20:],
            y[20:],
            config=TrainingConfig(depth=3, width=10, ridge=0.01, schedule=Schedule(steps=50, rounds=0)),
            seed=0,
        )

    monkeypatch.setattr(module, "descent", worse_through_two)
    found = cross_validate(train, torch.from_numpy(x), torch.from_numpy(y), [torch.arange(20)], task="regression")
    assert found.objectives[0, 2] == found.objectives[0, 1]
    torch.testing.assert_close(found.losses[2], found.losses[1])
    assert float(found.effects[0, 1]) < 1e-3  # the second number does nothing
    assert found.objectives[0, 3] < found.objectives[0, 2]
