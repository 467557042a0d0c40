"""Linear functions beside a network that is written down: shares that are known."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.selection.linear_share import held_out_squares, linear_share
from isthmus.training import Objective


def sample(n, seed=0):
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x, torch.stack([x[:, 0] + x[:, 1].square() - 1.0, 2.0 * x[:, 2]], 1)


def test_the_squares_are_those_of_the_mean_of_ridge_regression_and_of_the_network():
    (x, y), (fresh, truth) = sample(200), sample(100, seed=1)
    outputs = truth + 0.1
    constant, linear, network = held_out_squares(Objective(x, y, GAUSSIAN, 0.1), outputs, (fresh, truth))
    np.testing.assert_allclose(constant, (truth - y.mean(0)).square().sum(1))
    np.testing.assert_allclose(network, np.full(100, 0.02))
    largest = np.linalg.svd(x - x.mean(0), compute_uv=False)[0] ** 2
    ridges = [Ridge(alpha=10.0**p * largest, tol=1e-12).fit(x, y) for p in range(-10, 1)]
    losses = [((model.predict(fresh) - truth.numpy()) ** 2).sum(1) for model in ridges]
    np.testing.assert_allclose(linear, min(losses, key=np.sum), rtol=1e-8)


def test_of_classes_probabilities_are_compared():
    x, _ = sample(90)
    labels = torch.arange(90) % 3
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)).expand(90, -1)
    found = held_out_squares(Objective(x, labels, CATEGORICAL, 0.1), logits, (x, labels))
    assert float(found[0].mean()) == pytest.approx(2.0 / 3.0)  # thirds everywhere: 4/9 + 2/9
    assert found[2, :3].tolist() == pytest.approx([0.09 + 0.04 + 0.01, 0.49 + 0.64 + 0.01, 0.49 + 0.04 + 0.81])


@pytest.mark.parametrize(
    ("errors", "share"),
    [
        ((1.0, 0.5, 0.0), math.sqrt(0.5)),
        ((1.0, 1.2, 0.0), 0.0),  # lines predict worse than the mean
        ((1.0, 0.1, 0.2), 1.0),  # the network worse than lines
        ((1.0, 0.9, 1.1), 1.0),  # the network worse than the mean
    ],
)
def test_the_share_of_correlations(errors, share):
    squares = torch.tensor(errors, dtype=torch.float64)[:, None].expand(3, 5)
    assert linear_share(squares) == pytest.approx(share)


def test_rows_count_by_their_weights():
    squares = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    assert linear_share(squares, torch.tensor([3.0, 1.0])) == pytest.approx(0.5)
