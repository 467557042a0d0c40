"""L-BFGS in the coordinates of the curvature."""

import pytest
import torch

from cases import ACTIVATIONS, random_layers
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.networks import IDENTITY
from isthmus.training import (
    Objective,
    natural_lbfgs,
)


def rows(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_ridge_regression_is_solved_in_a_few_evaluations_also_when_badly_scaled():
    x = rows(200, 6, 0) * torch.logspace(-1, 1, 6, dtype=torch.float64)
    y = rows(200, 3, 1) + x[:, :3]
    objective = Objective(x, y, GAUSSIAN, 1e-2)
    extended = torch.cat([x, torch.ones(200, 1, dtype=torch.float64)], 1)
    gram = extended.T @ extended / 200 + 1e-2 * torch.eye(7, dtype=torch.float64)
    solution = torch.linalg.solve(gram, extended.T @ y / 200).T
    least = float((extended @ solution.T - y).square().sum() / 200 + 1e-2 * solution.square().sum())
    network = random_layers((6, 3), IDENTITY, seed=2)
    found = natural_lbfgs(network, objective, evaluations=30, memory=10)
    assert objective.value(found) == pytest.approx(least, rel=1e-8)


@pytest.mark.parametrize("sigma", ACTIVATIONS, ids=lambda sigma: sigma.name)
@pytest.mark.parametrize("classes", [False, True])
def test_it_never_ends_higher(sigma, classes):
    x = rows(60, 5, 3)
    y = torch.randint(4, (60,), generator=torch.Generator().manual_seed(0)) if classes else rows(60, 4, 4)
    objective = Objective(x, y, CATEGORICAL if classes else GAUSSIAN, 0.05)
    network = random_layers((5, 8, 8, 4), sigma, seed=1)
    found = natural_lbfgs(network, objective, evaluations=25, memory=10)
    assert objective.value(found) < objective.value(network)
