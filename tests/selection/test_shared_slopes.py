"""Directions of slopes that networks of different rows share, beside finite differences and by construction."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.data import Sample
from isthmus.networks import FullyConnected
from isthmus.networks.activations import RELU
from isthmus.selection import SelectionConfig
from isthmus.selection.cache import SelectionCache
from isthmus.selection.fold_networks import FoldNetworks
from isthmus.selection.folds import folds_of
from isthmus.selection.shared_slopes import shared_slopes
from isthmus.training import Schedule, TrainingConfig, fit

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 5))
LABELS = (X[:, 0] > 0).astype(int) + 2 * (X[:, 1] > 0)
SHORT = TrainingConfig(depth=2, width=8, ridge=0.01, schedule=Schedule(steps=20, rounds=0))


@pytest.fixture(scope="module")
def pair():
    parts = slice(None, None, 2), slice(1, None, 2)
    return [fit(X[p], LABELS[p], config=SHORT, task="classification", seed=s) for s, p in enumerate(parts)]


def test_shared_slopes_are_those_of_finite_differences(pair):
    networks = [each.network.to(dtype=torch.float64) for each in pair]
    both = []
    for row in X:
        slopes = []
        for each, network in zip(pair, networks, strict=True):
            at = each.inputs.forward(torch.from_numpy(row))
            steps = 1e-7 * torch.eye(5, dtype=torch.float64)
            logits = (network(at + steps) - network(at - steps)).numpy().T / 2e-7
            slopes.append(logits - logits.mean(0))
        for ours, theirs in (slopes, slopes[::-1]):
            u, s, vt = np.linalg.svd(ours)
            both.append([s[j] * u[:, j] @ theirs @ vt[j] for j in range(3)])
    np.testing.assert_allclose(shared_slopes(pair, torch.from_numpy(X)), np.mean(both, 0), rtol=1e-5)


def test_what_only_one_network_has_is_not_shared(pair):
    u = np.linalg.qr(np.hstack([np.ones((4, 1)), RNG.standard_normal((4, 3))]))[0][:, 1:]  # a shift tells nothing
    v = np.linalg.qr(RNG.standard_normal((5, 5)))[0]
    matrices = [u[:, :2] * (3.0, 2.0) @ v[:, :2].T + u[:, 2:] @ own for own in (v[:, 2:3].T, v[:, 3:4].T)]
    linear = [FullyConnected((torch.tensor(m),), (torch.zeros(4, dtype=torch.float64),), RELU) for m in matrices]
    found = shared_slopes([replace(each, network=f) for each, f in zip(pair, linear, strict=True)], torch.from_numpy(X))
    np.testing.assert_allclose(found, [9.0, 4.0, 0.0], atol=1e-12)


def test_halves_share_no_row_and_every_class():
    labels = LABELS.copy()
    labels[labels == 3] = 2
    labels[:1] = 3  # one row of its class
    sample = Sample.merged(X, labels, np.ones(60), "classification")
    for cv in (2, 3, 5):
        folds = folds_of(sample, cv, 0)
        networks = FoldNetworks(sample, folds, SelectionConfig(), 0.1, seed=0, cache=SelectionCache())
        first, second = (set(half._folds[0][0].tolist()) for half in networks.of_halves())
        assert first | second == set(range(60))
        assert [int(sample.y[row]) for row in first & second] == [3]
        for _, held in folds:
            assert set(held.tolist()) <= first or set(held.tolist()) <= second


def test_halves_begin_at_different_weights():
    sample = Sample.merged(X, LABELS, np.ones(60), "classification")
    config = SelectionConfig(depth=2, width=8, schedule=Schedule(steps=0, rounds=0))
    networks = FoldNetworks(sample, folds_of(sample, 2, 0), config, 0.1, seed=0, cache=SelectionCache())
    first, second = (half.descend(0, 2, lambda *_: None).network.weights[-1] for half in networks.of_halves())
    assert not torch.allclose(first, second)
