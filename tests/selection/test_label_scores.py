"""Scores of what k numbers leave out, beside differences of log-likelihoods, and where nothing was learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.networks import FullyConnected
from isthmus.networks.activations import RELU
from isthmus.selection import label_scores as module
from isthmus.selection.label_scores import label_scores
from isthmus.selection.restriction import RestrictedNetwork
from isthmus.training import Schedule, TrainingConfig, fit

RNG = np.random.default_rng(0)
X = RNG.standard_normal((400, 4))
HELD = torch.from_numpy(RNG.standard_normal((300, 4)))
CONFIG = TrainingConfig(depth=3, width=24, ridge=0.01, schedule=Schedule(steps=100, rounds=1, evaluations=50))


def labels_of(z):
    """Three classes along one number, drawn with their probabilities."""
    logits = np.stack([2.5 * z, np.zeros(len(z)), 1.5 - 2.5 * z], 1)
    return (logits + RNG.gumbel(size=logits.shape)).argmax(1)


@pytest.fixture(scope="module")
def fitted():
    return fit(X, labels_of(np.tanh(X[:, 0] + 0.5 * X[:, 1] ** 2)), config=CONFIG, task="classification", seed=0)


def standardized(scores):
    """Sums of scores in their standard deviations, `(k,)`."""
    return (scores[:, 0].sum(1) / scores[:, 1].sum(1).sqrt()).numpy()


def test_scores_are_slopes_of_the_likelihood_and_variances_those_of_the_classes(fitted, monkeypatch):
    networks = [
        FullyConnected((torch.from_numpy(RNG.standard_normal((3, 4))).float(),), (torch.zeros(3),), RELU)
        for _ in range(2)
    ]
    given = [RestrictedNetwork(k + 1, 0, network, 0.0) for k, network in enumerate(networks)]
    monkeypatch.setattr(module, "restrict_to_ranks", lambda *_, **__: given)
    inputs, labels = HELD[:9].float(), torch.arange(9) % 3
    found = label_scores(fitted, inputs, labels, 2)
    assert found.shape == (2, 2, 9)
    assert found.dtype == torch.float64
    own, more = (network(inputs).double() for network in networks)

    def slopes(classes):
        logs = [(own + side * 1e-5 * (more - own)).log_softmax(1).gather(1, classes[:, None]) for side in (1.0, -1.0)]
        return ((logs[0] - logs[1]) / 2e-5)[:, 0].numpy()

    np.testing.assert_allclose(found[1, 0], slopes(labels), rtol=1e-6, atol=1e-8)
    each = np.stack([slopes(torch.full((9,), c)) for c in range(3)], 1)
    p = own.softmax(1).numpy()
    np.testing.assert_allclose((p * each).sum(1), 0.0, atol=1e-8)
    np.testing.assert_allclose(found[1, 1], (p * each**2).sum(1), rtol=1e-6, atol=1e-8)


def test_one_number_speaks_for_the_classes_and_a_second_does_not(fitted):
    labels = torch.from_numpy(labels_of(np.tanh(HELD[:, 0].numpy() + 0.5 * HELD[:, 1].numpy() ** 2)))
    inputs, classes = fitted.standardized(HELD, labels)
    found = standardized(label_scores(fitted, inputs, classes, 2))
    assert found[0] > 8.0
    assert abs(found[1]) < 3.0


def test_what_was_learned_of_random_labels_speaks_for_none():
    learned = fit(X, RNG.integers(3, size=400), config=CONFIG, task="classification", seed=0)
    inputs, classes = learned.standardized(HELD, torch.from_numpy(RNG.integers(3, size=300)))
    assert np.abs(standardized(label_scores(learned, inputs, classes, 2))).max() < 3.5


def test_a_shift_of_all_logits_changes_no_score(fitted):
    weights, biases = list(fitted.network.weights), list(fitted.network.biases)
    weights[-1], biases[-1] = weights[-1] + 0.3 * torch.ones(3, 1) @ torch.ones(1, weights[-1].shape[1]), biases[-1] + 5
    shifted = replace(fitted, network=replace(fitted.network, weights=tuple(weights), biases=tuple(biases)))
    inputs, classes = HELD.float(), torch.arange(300) % 3
    found, expected = (label_scores(each, inputs, classes, 1)[0, 0] for each in (shifted, fitted))
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-2 * float(expected.abs().max()))
