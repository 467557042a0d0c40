"""L-BFGS in the coordinates of the curvature, and the descent to a stationary point."""

import pytest
import torch
from isthmus.training.settling import RoundedActivation

from conftest import ACTIVATIONS, random_layers
from isthmus.networks import IDENTITY
from isthmus.training import (
    Objective,
    Schedule,
    TrainingConfig,
    cross_entropy,
    fit,
    natural_lbfgs,
    settle,
    squared_error,
)


def rows(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_ridge_regression_is_solved_in_a_few_evaluations_also_when_badly_scaled():
    x = rows(200, 6, 0) * torch.logspace(-1, 1, 6, dtype=torch.float64)
    y = rows(200, 3, 1) + x[:, :3]
    objective = Objective(x, y, squared_error, 1e-2)
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
    objective = Objective(x, y, cross_entropy if classes else squared_error, 0.05)
    network = random_layers((5, 8, 8, 4), sigma, seed=1)
    found = natural_lbfgs(network, objective, evaluations=25, memory=10)
    assert objective.value(found) < objective.value(network)


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0, -1.0])
def test_the_rounded_activation_is_close_and_its_derivative_is_autograds(slope):
    sigma = RoundedActivation(slope, 0.1)
    z = torch.linspace(-1, 1, 401, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(sigma(z).sum(), z)
    z = z.detach()
    values = sigma(z)
    torch.testing.assert_close(sigma.derivative(z), expected)
    exact = torch.where(z > 0, z, slope * z)
    assert float((values - exact).abs().max()) <= (1 - slope) / 2 * 0.05 + 1e-12
    is_away = z.abs() >= 0.1
    torch.testing.assert_close(values[is_away], exact[is_away], rtol=1e-14, atol=1e-14)


def test_a_smooth_problem_is_settled_to_the_gradient_asked_for():
    x = rows(80, 5, 0)
    y = x @ rows(5, 4, 1)
    fitted = fit(
        x,
        y,
        config=TrainingConfig(
            depth=3, width=8, ridge=0.05, standardize="none", activation=IDENTITY, schedule=Schedule(steps=200)
        ),
    )
    settled = settle(fitted.network, fitted.objective, stationarity=1e-6)
    assert settled.stationarity <= 1e-6
    assert settled.value <= fitted.value * (1 + 1e-9)
