"""Simpler methods against the brute force that defines them, and against scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge

import isthmus
from isthmus.factorization import linear_baseline
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.selection import simple_methods
from isthmus.selection.simple_methods import full_errors, linear_errors
from isthmus.training import Objective, Schedule, TrainingConfig

POWERS = [10.0**power for power in range(-10, 1)]


def t(array):
    return torch.from_numpy(np.ascontiguousarray(array))


def line(n, seed, noise=1.0, d=6, outputs=3):
    """Noisy outputs of a linear map of rank 2, columns far from centred."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) * np.geomspace(3.0, 0.3, d) + 2.0
    y = x @ rng.standard_normal((d, 2)) @ rng.standard_normal((2, outputs)) + noise * rng.standard_normal((n, outputs))
    return x, y + 5.0


def ridge_regression(x, y, strength, weights=None):
    """Ridge regression with an intercept that is not penalised."""
    return Ridge(strength, solver="svd").fit(x, y, sample_weight=weights)


def left_out_error(x, y, strength, weights, groups):
    """Sum over groups of rows of the weighed squared errors there of a fit to all other rows."""
    total = 0.0
    for group in np.unique(groups):
        out = groups == group
        model = ridge_regression(x[~out], y[~out], strength, weights[~out])
        total += (weights[out] @ (model.predict(x[out]) - y[out]) ** 2).sum()
    return total


def by_brute_force(x, y, weights, groups):
    """The ridge that predicts groups of rows best from the others, of eleven shares of the largest singular value."""
    centred = np.sqrt(weights)[:, None] * (x - np.average(x, axis=0, weights=weights))
    largest = np.linalg.norm(centred, 2) ** 2
    errors = [left_out_error(x, y, power * largest, weights, groups) for power in POWERS]
    return POWERS[int(np.argmin(errors))] * largest


def through(x, y, weights, strength, fresh, k):
    """Its predictions at fresh rows through the k directions in which the fitted outputs vary most."""
    model = ridge_regression(x, y, strength, weights)
    mean = np.average(y, axis=0, weights=weights)
    fitted = np.sqrt(weights)[:, None] * (model.predict(x) - mean)
    directions = np.linalg.svd(fitted, full_matrices=False)[2][:k]
    return mean + (model.predict(fresh) - mean) @ directions.T @ directions


@pytest.mark.parametrize("noise", [0.1, 3.0])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_reduced_rank_regression_has_the_ridge_of_refits_without_each_row(noise, is_weighted):
    x, y = line(30, 0, noise)
    fresh, truths = line(20, 1, noise)
    weights = np.random.default_rng(2).uniform(0.2, 4.0, 30) if is_weighted else np.ones(30)
    weights /= weights.mean()
    strength = by_brute_force(x, y, weights, np.arange(30))
    objective = Objective(t(x), t(y), GAUSSIAN, 0.1, t(weights) if is_weighted else None)
    found = linear_errors(objective, (t(fresh), t(truths)), 3, 5)
    assert found.shape == (6, 20)
    for k in range(6):
        expected = ((through(x, y, weights, strength, fresh, k) - truths) ** 2).sum(1)
        np.testing.assert_allclose(found[k], expected, rtol=1e-8)


def test_a_row_that_counts_twice_is_left_out_with_its_double():
    """The ridge is that of leaving out the copies of a row together."""
    x, y = line(15, 3, 2.0)
    counts = np.random.default_rng(4).integers(1, 4, 15)
    copies, of_row = (x.repeat(counts, 0), y.repeat(counts, 0)), np.arange(15).repeat(counts)
    fresh = line(10, 5, 2.0)
    strength = by_brute_force(*copies, np.ones(len(of_row)), of_row)
    weighted = linear_baseline(t(x), t(y), weights=t(counts.astype(float)))
    expected = through(*copies, np.ones(len(of_row)), strength, fresh[0], 2)
    np.testing.assert_allclose(weighted(t(fresh[0]), 2), expected, rtol=1e-8)


def test_of_classes_it_predicts_one_hot_rows_and_errors_are_wrong_classes():
    x, _ = line(60, 6)
    fresh, _ = line(40, 7)
    classes, truths = (np.digitize(rows[:, 0], [0.0, 3.0]) for rows in (x, fresh))
    objective = Objective(t(x), t(classes), CATEGORICAL, 0.1)
    found = linear_errors(objective, (t(fresh), t(truths)), 3, 2)
    strength = by_brute_force(x, np.eye(3)[classes], np.ones(60), np.arange(60))
    for k in range(3):
        predicted = through(x, np.eye(3)[classes], np.ones(60), strength, fresh, k).argmax(1)
        np.testing.assert_array_equal(found[k], (predicted != truths).astype(float))


@pytest.mark.parametrize("is_weighted", [False, True])
def test_of_an_autoencoder_it_is_pca(is_weighted):
    x, fresh = line(40, 8)[0], line(25, 9)[0]
    counts = np.random.default_rng(0).integers(1, 4, 40) if is_weighted else np.ones(40, int)
    inputs = t(x)
    weights = t(counts / counts.mean()) if is_weighted else None
    found = linear_errors(Objective(inputs, inputs, GAUSSIAN, 0.1, weights), (t(fresh), t(fresh)), 6, 6)
    copies = x.repeat(counts, 0)
    np.testing.assert_allclose(found[0], ((copies.mean(0) - fresh) ** 2).sum(1), rtol=1e-8)
    for k in range(1, 7):
        pca = PCA(k).fit(copies)
        rebuilt = pca.inverse_transform(pca.transform(fresh))
        np.testing.assert_allclose(found[k], ((rebuilt - fresh) ** 2).sum(1), rtol=1e-8, atol=1e-18)


def test_the_rows_of_a_fitted_autoencoder_are_known_to_be_its_outputs():
    x = t(line(40, 8)[0])
    fitted = isthmus.fit(x, task="autoencoder", config=TrainingConfig(depth=1, schedule=Schedule(steps=1, rounds=0)))
    inputs, outputs = fitted.objective.sample()
    assert inputs is outputs


def kernel_by_brute_force(x, y, fresh):
    """Each column with the width and ridge with which refits without each row predict it best."""
    squares = ((x[:, None] - x[None]) ** 2).sum(2)
    between = np.sort(squares[squares > 0])
    median = between[(len(between) - 1) // 2]  # the lower of two in the middle
    mean, best, predicted = y.mean(0), np.full(y.shape[1], np.inf), np.zeros((len(fresh), y.shape[1]))
    for width in (0.25, 0.5, 1.0, 2.0, 4.0):
        for ridge in POWERS:
            model = KernelRidge(alpha=ridge * len(x), kernel="rbf", gamma=1.0 / (2.0 * width**2 * median))
            errors = np.zeros(y.shape[1])
            for row in range(len(x)):
                others = np.arange(len(x)) != row
                errors += (model.fit(x[others], y[others] - mean).predict(x[[row]])[0] - (y[row] - mean)) ** 2
            better = errors < best
            best = np.where(better, errors, best)
            predicted = np.where(better, mean + model.fit(x, y - mean).predict(fresh), predicted)
    return predicted


def test_kernel_ridge_regression_has_the_width_and_ridge_of_refits_without_each_row():
    rng = np.random.default_rng(0)
    x, fresh = rng.standard_normal((24, 2)), rng.standard_normal((15, 2))

    def f(x):
        return np.stack([np.sin(2.0 * x[:, 0]), x[:, 0] - x[:, 1], np.abs(x[:, 1])], 1)

    y, truths = f(x) + 0.1 * rng.standard_normal((24, 3)), f(fresh)
    found = full_errors(Objective(t(x), t(y), GAUSSIAN, 0.1), (t(fresh), t(truths)), 3, "regression")
    expected = ((kernel_by_brute_force(x, y, fresh) - truths) ** 2).sum(1)
    np.testing.assert_allclose(found, expected[None], rtol=1e-6)


def test_of_an_autoencoder_there_is_no_method_without_a_bottleneck():
    x = t(line(10, 0)[0])
    assert full_errors(Objective(x, x, GAUSSIAN, 0.1), (x, x), 6, "autoencoder").shape == (0, 10)


def clouds(n, seed, classes=3):
    """Overlapping classes around the corners of a polygon, far from the origin."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    angle = 2.0 * np.pi * labels / classes
    return 1.5 * np.stack([np.cos(angle), np.sin(angle)], 1) + rng.standard_normal((n, 2)) + [3.0, -1.0], labels


def logistic(x, labels, strength, fresh, weights=None):
    """Multinomial logistic regression whose bias is penalised: a column of ones. Its strength is λ of a mean loss."""
    two = len(np.unique(labels)) == 2
    c = 1.0 / (len(x) * strength) if two else 0.5 / (len(x) * strength)  # two classes: one vector stands for a pair
    model = LogisticRegression(C=c, fit_intercept=False, tol=1e-10, max_iter=10_000)
    model.fit(np.c_[x, np.ones(len(x))], labels, sample_weight=weights)
    return model.predict_proba(np.c_[fresh, np.ones(len(fresh))])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("strength", [1e-3, 0.1])
def test_logistic_regression_is_that_of_scikit_learn_with_a_penalised_bias(classes, is_weighted, strength):
    (x, labels), (fresh, _) = clouds(80, 0, classes), clouds(20, 1, classes)
    weights = np.random.default_rng(2).uniform(0.2, 4.0, 80) if is_weighted else np.ones(80)
    weights /= weights.mean()
    given = t(weights) if is_weighted else None
    shares = np.bincount(labels, weights) / 80
    entropy = -(shares * np.log(shares)).sum()
    logits = simple_methods._fitted(t(x), t(labels), given, strength / entropy, t(fresh))
    np.testing.assert_allclose(logits.double().softmax(1), logistic(x, labels, strength, fresh, weights), atol=1e-4)


def test_its_ridge_predicts_every_fifth_row_best_from_the_others():
    (x, labels), (fresh, truths) = clouds(60, 32), clouds(200, 4)
    weights = np.random.default_rng(5).choice([0.1, 1.0, 8.0], 60)  # without them another would be taken
    weights /= weights.mean()
    judges = np.arange(60) % 5 == 0

    def entropy(rows):
        shares = np.bincount(labels[rows], weights[rows]) / weights[rows].sum()
        return -(shares * np.log(shares)).sum()

    losses = []
    for share in (1e-4, 1e-3, 1e-2, 1e-1):
        theirs = weights[~judges] / weights[~judges].mean()
        p = logistic(x[~judges], labels[~judges], share * entropy(~judges), x[judges], theirs)
        losses.append(np.average(-np.log(p[np.arange(12), labels[judges]]), weights=weights[judges]))
    assert sorted(losses)[1] > min(losses) * 1.05  # the choice is not one of rounding
    share = (1e-4, 1e-3, 1e-2, 1e-1)[int(np.argmin(losses))]
    expected = logistic(x, labels, share * entropy(slice(None)), fresh, weights).argmax(1) != truths
    found = full_errors(
        Objective(t(x), t(labels), CATEGORICAL, 0.1, t(weights)), (t(fresh), t(truths)), 3, "classification"
    )
    assert found.shape == (2, 200)  # kernel ridge regression, logistic regression
    np.testing.assert_array_equal(found[1], expected.astype(float))


def test_a_class_of_one_row_leaves_the_ridge_as_it_is():
    x, labels = clouds(60, 3)
    labels[0] = 3  # held out of the rows that would judge
    fresh, truths = clouds(50, 4)
    found = full_errors(Objective(t(x), t(labels), CATEGORICAL, 0.1), (t(fresh), t(truths)), 4, "classification")
    shares = np.bincount(labels) / 60
    p = logistic(x, labels, -1e-3 * (shares * np.log(shares)).sum(), fresh)
    np.testing.assert_array_equal(found[1], (p.argmax(1) != truths).astype(float))


def test_ctrl_c_within_logistic_regression_is_not_swallowed(monkeypatch):
    def interrupted(*rows, **settings):
        return replace(isthmus.fit(*rows, **settings), stopped="interrupted")

    monkeypatch.setattr(simple_methods, "fit", interrupted)
    x, labels = clouds(60, 3)
    with pytest.raises(KeyboardInterrupt):
        full_errors(Objective(t(x), t(labels), CATEGORICAL, 0.1), (t(x), t(labels)), 3, "classification")
