"""Folds of functions of known rank: losses by hand, and the same numbers on any number of threads."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from isthmus.data import Sample
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.selection import cross_validation, restrict_to_ranks
from isthmus.selection.cross_validation import cross_validate, summarize_folds
from isthmus.selection.direction_sizes import direction_sizes
from isthmus.selection.evidence import weigh_evidence
from isthmus.training import Schedule, TrainingConfig, fit

SHARED, OF_ONE_NUMBER = torch.tensor([[4.0, 1.0], [4.0, -0.1]], dtype=torch.float64)
QUICK = TrainingConfig(depth=5, width=24, ridge=0.01, schedule=Schedule(steps=150, rounds=1, evaluations=40))


@pytest.fixture(scope="module")
def two_numbers():
    rng = np.random.default_rng(100)
    x = rng.standard_normal((240, 6))
    z = x @ rng.standard_normal((6, 2)) / math.sqrt(6.0)
    y = np.stack([z[:, 0], np.abs(z[:, 1]), z[:, 0] + z[:, 1], np.abs(z[:, 0]) - z[:, 1]], 1)
    return Sample(x, y, np.ones(240), "regression")


@pytest.fixture(scope="module")
def labels(two_numbers):
    x = two_numbers.x
    classes = (x[:, 0] > 0).astype(np.int64) + (x[:, 0] > 1).astype(np.int64)
    return Sample(x, classes, np.ones(240), "classification")


def thirds(n):
    rows = np.arange(n)
    return [(rows[rows % 3 != i], rows[rows % 3 == i]) for i in range(3)]


def trained(sample, folds):
    """What gives the network of each fold, trained once."""
    networks = [
        fit(sample.x[rows], sample.y[rows], config=QUICK, task=sample.task, sample_weight=sample.weights[rows])
        for rows, _ in folds
    ]
    return [partial(given, network) for network in networks]


def given(network, report):
    return network


@pytest.fixture(scope="module")
def train(two_numbers):
    return trained(two_numbers, thirds(240))


@pytest.fixture(scope="module")
def made(two_numbers, train):
    return cross_validate(train, two_numbers, thirds(240))


@pytest.fixture(scope="module")
def found(two_numbers, made):
    return summarize_folds(made, two_numbers, thirds(240), SHARED)


def rank_of(cross, sample):
    return int(weigh_evidence(cross, torch.from_numpy(sample.weights), sample.task, DEFAULT_TOLERANCE)[0].argmax())


def test_a_function_of_two_numbers_has_rank_two(two_numbers, found):
    y = two_numbers.y
    assert sorted(found.rows.tolist()) == list(range(240))
    assert found.losses.shape[1] == len(found.whole) == 240
    # Of k = 0: squared distance to the mean of the training rows, in their units.
    row, fold = int(found.rows[0]), np.arange(240) % 3 != 0
    mean, deviation = y[fold].mean(0), y[fold].std(0)
    assert float(found.losses[0, 0]) == pytest.approx(float((((y[row] - mean) / deviation) ** 2).sum()), rel=1e-5)
    assert rank_of(found, two_numbers) == 2
    assert found.objectives[:, 0].tolist() == [1.0] * 3
    assert bool((found.objectives[:, 1] > 5.0 * found.objectives[:, 2]).all())
    assert found.objectives[:, 2:].std() < 0.01
    assert found.sensitivities.shape == found.redundancies.shape == found.objectives.shape
    assert found.sensitivities[:, 0].tolist() == [1.0] * 3
    assert found.sensitivities[:, -1].tolist() == [0.0] * 3
    assert found.shared_slopes.tolist() == [1.0, 0.25, *[0.0] * (len(found.losses) - 2)]
    assert found.scores.shape == (len(found.losses), 2, 240)
    assert not bool(found.scores.any())  # there are no classes to speak for


def test_no_more_numbers_are_tried_than_tell_the_outputs(found, labels):
    assert len(found.losses) <= 1 + 4  # of six inputs and four outputs
    folds = thirds(240)
    of_classes = cross_validate(trained(labels, folds[:1]), labels, folds[:1])[0]
    assert len(of_classes.losses) <= 1 + 2  # three logits that may be shifted


def test_what_a_person_counts_of_outputs_are_the_losses(found):
    assert torch.equal(found.errors, found.losses)
    assert found.linear_errors.shape == found.errors.shape
    assert found.full_errors.shape == (1, 240)
    torch.testing.assert_close(found.linear_errors[0], found.errors[0], rtol=1e-5, atol=1e-6)  # the mean


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_the_evidence_does_not_depend_on_the_threads(two_numbers, train, threads):
    runs = []
    for count in (1, 2):
        threads(count)
        folds = cross_validate(train[:1], two_numbers, thirds(240)[:1])
        runs.append(summarize_folds(folds, two_numbers, thirds(240)[:1], SHARED))
    assert float(runs[0].redundancies.abs().max()) > 0.0
    for name in ("losses", "whole", "objectives", "sensitivities", "redundancies", "linear_errors", "full_errors"):
        assert torch.equal(getattr(runs[0], name), getattr(runs[1], name)), name
    assert torch.equal(runs[0].linear.significance, runs[1].linear.significance)
    for name in ("residual_lines", "agreements"):
        assert torch.equal(getattr(runs[0], name), getattr(runs[1], name)), name


def finite_differences(function, rows, step=1e-6):
    moves = step * torch.eye(rows.shape[1], dtype=torch.float64)
    return torch.stack([(function(rows + m) - function(rows - m)) / (2.0 * step) for m in moves], 2)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_sizes_are_the_singular_values_of_finite_differences(two_numbers, task):
    x, y = two_numbers.x, two_numbers.y
    y = y if task == "regression" else np.digitize(y[:, 0], [-0.5, 0.5]) + 3 * (y[:, 1] > 0.5)
    fitted = fit(x, y, config=QUICK, task=task)
    rows = fitted.standardized(torch.from_numpy(x[:40]), torch.from_numpy(y[:40]))[0].double()
    network = fitted.network.to(dtype=torch.float64)
    function = network if task == "regression" else lambda r: 2.0 * network(r).softmax(1).sqrt()
    values = torch.linalg.svdvals(finite_differences(function, rows)).square().sum(0).sqrt()
    sizes = direction_sizes(fitted.network, fitted.objective, rows.float(), 8)
    count = len(values)
    assert sizes[:count].tolist() == pytest.approx((values / values[0]).tolist(), rel=0.02, abs=1e-3)
    assert sizes[count:].tolist() == [0.0] * (8 - count)


def test_classes_are_judged_by_the_logarithm_of_their_probability(labels):
    folds = thirds(240)
    cross = summarize_folds(cross_validate(trained(labels, folds), labels, folds), labels, folds, OF_ONE_NUMBER)
    shares = np.bincount(labels.y[np.arange(240) % 3 != 0], minlength=3) / 160
    assert float(cross.losses[0, 0]) == pytest.approx(-np.log(shares[labels.y[0]]), rel=1e-6)
    assert float(cross.errors[0].mean()) == pytest.approx(float((labels.y != shares.argmax()).mean()), abs=1e-12)
    assert cross.shared_slopes.tolist() == [1.0, *[0.0] * (len(cross.losses) - 1)]
    spoken, variances = cross.scores.sum(2).T
    assert float(spoken[0]) > 5.0 * float(variances[0].sqrt())  # the first number
    assert float(spoken[1]) < 3.0 * float(variances[1].sqrt())
    assert not bool(cross.scores[-1].any())  # K numbers are all that are tried
    assert rank_of(cross, labels) == 1


def test_fewer_numbers_with_a_lower_objective_stand_for_more(monkeypatch):
    rng = np.random.default_rng(104)
    x = rng.standard_normal((60, 4))
    y = np.stack([x[:, 0], np.abs(x[:, 1]), x[:, 2]], 1)
    sample, rows = Sample(x, y, np.ones(60), "regression"), np.arange(60)
    config = TrainingConfig(depth=3, width=10, ridge=0.01, schedule=Schedule(steps=50, rounds=0))

    def worse_through_two(*args, **settings):
        narrowed = restrict_to_ranks(*args, **settings)
        narrowed[1] = replace(narrowed[1], value=2.0 * narrowed[0].value)
        return narrowed

    monkeypatch.setattr(cross_validation, "restrict_to_ranks", worse_through_two)
    (fold,) = cross_validate([lambda report: fit(x[20:], y[20:], config=config)], sample, [(rows[20:], rows[:20])])
    assert fold.objectives[2] == fold.objectives[1]
    torch.testing.assert_close(fold.losses[2], fold.losses[1])
    assert float(fold.sensitivities[1]) < 1e-3  # the second number does nothing
    assert fold.objectives[3] < fold.objectives[2]


def test_a_network_that_carries_fewer_directions_passes_through_more_as_it_is(two_numbers, made):
    folds = thirds(240)
    short = replace(
        made[1],
        losses=made[1].losses[:2],
        objectives=made[1].objectives[[0, 1, -1]],
        sensitivities=made[1].sensitivities[:1],
        redundancies=made[1].redundancies[:1],
        errors=made[1].errors[:2],
    )
    cross = summarize_folds([made[0], short, made[2]], two_numbers, folds, SHARED)
    middle = slice(len(folds[0][1]), len(folds[0][1]) + len(folds[1][1]))
    for k in range(2, len(cross.losses)):
        assert torch.equal(cross.losses[k, middle], made[1].whole)
        assert cross.objectives[1, k] == made[1].objectives[-1]
        assert (cross.sensitivities[1, k], cross.redundancies[1, k]) == (0.0, 0.0)


def test_an_interrupted_fold_leaves_those_before(two_numbers, train):
    def interrupted(report):
        raise KeyboardInterrupt

    done = cross_validate([train[0], interrupted, train[2]], two_numbers, thirds(240))
    assert len(done) == 1
    cross = summarize_folds(done, two_numbers, thirds(240), SHARED)
    assert cross.rows.tolist() == thirds(240)[0][1].tolist()

    with pytest.raises(KeyboardInterrupt):
        cross_validate([interrupted, *train[1:]], two_numbers, thirds(240))


def test_lines_see_what_is_left_out_and_agreements_what_is_predicted(two_numbers, made, found):
    assert found.residual_lines.shape == (len(found.losses),)
    assert float(found.residual_lines[0]) > float(found.residual_lines[1]) > 3.0 > abs(float(found.residual_lines[2]))
    assert found.agreements.shape == (len(found.losses), 2, 240)
    assert float(found.agreements[0].abs().max()) < 1e-5
    agreement, spread = found.agreements[2]
    assert float(agreement.sum() / spread.sum().sqrt()) > 10.0
    # Through a number more than networks carry they are those of the whole.
    short = [
        replace(fold, residuals=fold.residuals[[0, 1, -1]], agreements=fold.agreements[[0, 1, -1]]) for fold in made
    ]
    cross = summarize_folds(short, two_numbers, thirds(240), SHARED)
    assert cross.residual_lines[:2].tolist() == found.residual_lines[:2].tolist()
    assert cross.residual_lines[2:].tolist() == [0.0] * (len(found.losses) - 2)
    assert torch.equal(cross.agreements[2], torch.cat([fold.agreements[-1] for fold in made], 1))


def test_residuals_of_classes_are_one_hot_rows_less_probabilities_and_of_copies_none_are_kept(labels, two_numbers):
    folds = thirds(240)[:1]
    ((fold,), rows) = cross_validate(trained(labels, folds), labels, folds), folds[0][1]
    shares = np.bincount(labels.y[folds[0][0]], minlength=3) / 160
    np.testing.assert_allclose(fold.residuals[0], np.eye(3)[labels.y[rows]] - shares, atol=1e-6)
    np.testing.assert_allclose(fold.residuals.sum(2), 0.0, atol=1e-6)
    copies = Sample(two_numbers.x, two_numbers.x, np.ones(240), "autoencoder")
    network = fit(copies.x[folds[0][0]], config=QUICK, task="autoencoder")
    (of_copies,) = cross_validate([partial(given, network)], copies, folds)
    assert of_copies.residuals.numel() == 0
    cross = summarize_folds([of_copies], copies, folds, SHARED)
    assert cross.residual_lines.tolist() == [0.0] * len(cross.losses)
    assert float(cross.agreements[-1, 0].mean()) > 0.0
