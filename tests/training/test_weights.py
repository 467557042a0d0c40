"""Weights of the rows: autograd's derivatives, and rows that are repeated."""

import numpy as np
import pytest
import torch

from cases import random_layers
from isthmus.errors import (
    DtypeError,
    NonFiniteError,
    OptionError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.networks import IDENTITY, RELU, standardization
from isthmus.training import (
    Objective,
    Parameters,
    Schedule,
    TrainingConfig,
    constant_loss,
    fit,
    natural_lbfgs,
    search_rank,
)
from isthmus.training import objective as objective_module
from isthmus.training import stored as stored_module
from isthmus.training.span import Span

COUNTS = torch.tensor([1, 3, 2, 1, 5, 2, 1, 1, 4, 2] * 4)
WEIGHTS = COUNTS / COUNTS.double().mean()
SHORT = Schedule(steps=60, rounds=1, evaluations=30)


def targets(classes):
    generator = torch.Generator().manual_seed(2)
    return torch.randint(4, (40,), generator=generator) if classes else torch.randn(40, 4, generator=generator).double()


def objective_of(points, classes, *, repeated=False, ridge=0.3):
    x, y, loss = points, targets(classes), CATEGORICAL if classes else GAUSSIAN
    if repeated:
        return Objective(x.repeat_interleave(COUNTS, 0), y.repeat_interleave(COUNTS, 0), loss, ridge)
    return Objective(x, y, loss, ridge, WEIGHTS)


@pytest.mark.parametrize("chunk", [8, 8192])
@pytest.mark.parametrize("classes", [False, True])
def test_the_weighted_gradient_is_autograds(activation, points, classes, chunk, monkeypatch):
    monkeypatch.setattr(objective_module, "_CHUNK", chunk)
    network = random_layers((5, 7, 6, 4), activation, seed=1)
    objective = objective_of(points, classes)
    at, slope = Parameters.of(network), Parameters.of(network)
    (value,) = objective.gradient(at, slope)
    leaves = [t.clone().requires_grad_() for t in (*network.weights, *network.biases)]
    a = points
    for layer in range(3):
        z = torch.nn.functional.linear(a, leaves[layer], leaves[3 + layer])
        a = z if layer == 2 else torch.where(z > 0, z, activation.negative_slope * z)
    if classes:
        losses = torch.nn.functional.cross_entropy(a, targets(True), reduction="none")
    else:
        losses = (a - targets(False)).square().sum(1)
    expected = (WEIGHTS * losses).mean() + 0.3 / 3 * sum(t.square().sum() for t in leaves)
    expected.backward()
    torch.testing.assert_close(value, expected.detach())
    assert objective.value(network) == pytest.approx(float(expected.detach()), rel=1e-12)
    for found, leaf in zip((*slope.network().weights, *slope.network().biases), leaves, strict=True):
        torch.testing.assert_close(found, leaf.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("classes", [False, True])
def test_a_weight_is_a_number_of_repetitions(points, classes):
    network = random_layers((5, 7, 6, 4), RELU, seed=1)
    weighted, repeated = (objective_of(points, classes, repeated=r) for r in (False, True))
    assert weighted.value(network) == pytest.approx(repeated.value(network), rel=1e-12)
    ours, theirs = (Parameters.of(network) for _ in range(2))
    weighted.gradient(Parameters.of(network), ours)
    repeated.gradient(Parameters.of(network), theirs)
    torch.testing.assert_close(ours.vector, theirs.vector, rtol=1e-10, atol=1e-12)
    y = targets(classes)
    expected = constant_loss(y.repeat_interleave(COUNTS, 0))
    assert constant_loss(y, WEIGHTS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scaling", ["columns", "global", "none"])
def test_standardisation_counts_weights_as_repetitions(points, scaling):
    weighted = standardization(points, scaling, WEIGHTS)
    repeated = standardization(points.repeat_interleave(COUNTS, 0), scaling)
    torch.testing.assert_close(weighted.mean, repeated.mean, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(weighted.scale, repeated.scale, rtol=1e-12, atol=1e-14)


def test_weighted_ridge_regression_is_solved_in_a_few_evaluations():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 6, generator=generator, dtype=torch.float64) * torch.logspace(-1, 1, 6, dtype=torch.float64)
    y = torch.randn(200, 3, generator=generator, dtype=torch.float64) + x[:, :3]
    v = torch.rand(200, generator=generator, dtype=torch.float64) ** 4
    v = v / v.mean()
    extended = torch.cat([x, torch.ones(200, 1, dtype=torch.float64)], 1)
    gram = extended.T @ (v[:, None] * extended) / 200 + 1e-2 * torch.eye(7, dtype=torch.float64)
    solution = torch.linalg.solve(gram, extended.T @ (v[:, None] * y) / 200).T
    least = float((v[:, None] * (extended @ solution.T - y).square()).sum() / 200 + 1e-2 * solution.square().sum())
    objective = Objective(x, y, GAUSSIAN, 1e-2, v)
    found = natural_lbfgs(random_layers((6, 3), IDENTITY, seed=2), objective, evaluations=40, memory=10)
    assert objective.value(found) == pytest.approx(least, rel=1e-8)


def test_the_span_of_the_data_keeps_the_weighted_objective(points, monkeypatch):
    monkeypatch.setattr("isthmus.training.span.is_wide", lambda rows: True)
    objective, network = objective_of(points, False), random_layers((5, 7, 4), RELU, seed=3)
    span = Span.of(objective)
    assert span.objective.weights is objective.weights
    assert span.objective.error(span.inside(network)) == pytest.approx(objective.error(network), rel=1e-9)


def test_a_minibatch_estimates_the_weighted_mean_without_bias(points):
    network, objective = random_layers((5, 7, 4), RELU, seed=3), objective_of(points, False)
    parts = [objective.on(slice(begin, begin + 10)).error(network) for begin in range(0, 40, 10)]
    assert sum(parts) / 4 == pytest.approx(objective.error(network), rel=1e-12)


X = np.random.default_rng(0).standard_normal((60, 4))
Y = np.maximum(X @ np.random.default_rng(1).standard_normal((4, 3)), 0)
INTEGERS = np.random.default_rng(2).integers(0, 4, 60)


def networks(solver, **data):
    config = TrainingConfig(depth=3, width=8, schedule=SHORT)
    if solver is fit:
        found = fit(**data, config=config)
        return [(found.network, found.objective, found.value)]
    search = search_rank(**data, config=config, most=1)
    return [(c.network, search.objective, c.value) for c in search.candidates]


@pytest.mark.parametrize("solver", [fit, search_rank])
def test_every_solver_minimises_what_repeated_rows_would_make_it_minimise(solver):
    x, y = X.repeat(INTEGERS, 0), Y.repeat(INTEGERS, 0)
    scaled = [torch.from_numpy((a - a.mean(0)) / a.std(0)) for a in (x, y)]
    default = 1e-3 * 3.0  # of the total variance of three standardised outputs
    for network, objective, value in networks(solver, x=X, y=Y, sample_weight=INTEGERS):
        assert objective.ridge == pytest.approx(default, rel=1e-6)
        by_hand = Objective(*scaled, GAUSSIAN, default).value(network.to(dtype=torch.float64))
        assert value == pytest.approx(by_hand, rel=1e-4)


def test_equal_weights_change_nothing():
    plain, weighted = (
        fit(X, Y, config=TrainingConfig(depth=3, width=8, schedule=SHORT), sample_weight=v)
        for v in (None, np.full(60, 0.3))
    )
    assert weighted.objective.weights is None
    assert all(torch.equal(a, b) for a, b in zip(plain.network.weights, weighted.network.weights, strict=True))


def test_rows_of_weight_zero_are_left_out_also_of_an_autoencoder():
    x = np.concatenate([X, [[1e9, 0, 0, 0]]])
    v = np.concatenate([np.full(60, 2.0), [0.0]])
    plain = fit(X, config=TrainingConfig(depth=3, width=8, schedule=SHORT), task="autoencoder")
    without = fit(x, config=TrainingConfig(depth=3, width=8, schedule=SHORT), task="autoencoder", sample_weight=v)
    assert without.objective.y is without.objective.x
    assert torch.equal(plain.network.weights[0], without.network.weights[0])


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(59), ShapeError, r"shape \(59,\); one weight a row is needed, shape \(60,\)"),
        (np.ones((60, 1)), ShapeError, r"shape \(60, 1\)"),
        (np.where(np.arange(60) == 7, -0.5, 1.0), OptionError, r"sample_weight\[7\] is -0.5 but must be at least 0"),
        (np.where(np.arange(60) == 7, np.nan, 1.0), NonFiniteError, "sample_weight holds NaN or infinity .*row 7"),
        (np.zeros(60), OptionError, "positive for some rows"),
        (np.arange(60) == 7, TooFewRowsError, "1 row; at least 2"),
        (["heavy"] * 60, DtypeError, "not real numbers"),
    ],
)
def test_weights_that_are_none_are_refused(weights, error, message):
    with pytest.raises(error, match=message):
        fit(X, Y, config=TrainingConfig(depth=3, width=8, schedule=SHORT), sample_weight=weights)


def test_rows_in_a_file_take_no_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_module, "STREAMED_FROM", 0)
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(OptionError, match="stay in their file"):
        fit(
            np.load(tmp_path / "x.npy", mmap_mode="r"),
            Y,
            config=TrainingConfig(depth=3, width=8, schedule=SHORT),
            sample_weight=INTEGERS,
        )
