"""Factorisations of functions whose halves are known, and the decision between ranks."""

import pytest
import torch

from conftest import random_layers, through
from isthmus.errors import OptionError, ShapeError
from isthmus.factorization import factor, linear_baseline, refit
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import RELU, StandardizedNetwork
from isthmus.networks.scaling import Affine
from isthmus.selection import decide_rank
from isthmus.training import (
    Objective,
    Schedule,
    TrainingConfig,
    fit,
    squared_error,
)


def data(d, n=300, seed=1):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_halves_meet_in_k_numbers_and_compose_to_f(k):
    network, x = through(k, seed=30 + k), data(9)
    halves = factor(network, x, tolerance=Tolerance(1e-6))
    assert halves.rank == k
    assert halves.encode(x).shape == (300, k)
    torch.testing.assert_close(halves(x), network(x), rtol=1e-6, atol=1e-6)
    fresh = data(9, seed=2)  # h ∘ g is f everywhere, not only on the data
    torch.testing.assert_close(halves(fresh), network(fresh), rtol=1e-5, atol=1e-5)
    z = halves.encode(x)
    torch.testing.assert_close(z.T @ z / len(x), torch.eye(k).double(), rtol=1e-5, atol=1e-5)


def test_the_error_curve_is_what_factoring_at_k_gives():
    network, x = random_layers((5, 12, 12, 4), RELU, seed=1), data(5)
    curve = factor(network, x, rank=4).error_curve
    outputs = network(x)
    spread = (outputs - outputs.mean(0)).norm()
    for k in (1, 2, 3, 4):
        change = (factor(network, x, rank=k)(x) - outputs).norm() / spread
        assert float(change) == pytest.approx(curve[k], rel=1e-6, abs=1e-9)


def test_units_of_the_data_go_in_and_come_out():
    network, x = through(2, seed=33), data(9)
    inputs, outputs = Affine(torch.full((9,), 4.0), torch.full((9,), 2.0)), Affine(torch.ones(9), torch.full((9,), 7.0))
    model = StandardizedNetwork(network, inputs, outputs)
    raw = 2.0 * x + 4.0
    torch.testing.assert_close(factor(model, raw, rank=2)(raw), model(raw), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("rank", "message"), [(0, "at least 1"), (-1, "at least 1"), (99, "at most")])
def test_impossible_ranks_are_refused(rank, message):
    with pytest.raises(OptionError, match=message):
        factor(through(2, seed=34), data(9), rank=rank)


def test_wrong_columns_are_refused():
    halves = factor(through(2, seed=35), data(9))
    with pytest.raises(ShapeError, match="z has 3 columns but the network takes 2"):
        halves.decode(torch.zeros(1, 3))


def test_a_refit_lowers_the_objective_and_keeps_the_rank():
    network, x = random_layers((5, 10, 10, 4), RELU, seed=2), data(5)
    objective = Objective(x, random_layers((5, 8, 4), RELU, seed=3)(x), squared_error, 0.01)
    for layer in (0, 1, 2):
        start = refit(network, layer, 2, objective, evaluations=1)
        end = refit(network, layer, 2, objective, evaluations=60)
        assert objective.value(end) < objective.value(start)
        assert int(torch.linalg.matrix_rank(end.weights[layer], rtol=1e-8)) == 2


def test_principal_components_are_the_baseline_of_an_autoencoder():
    x = data(6) @ torch.diag(torch.tensor([5.0, 3.0, 1.0, 0.5, 0.2, 0.1]).double())
    pca = linear_baseline(x, x)
    s = torch.linalg.svdvals(x - x.mean(0))
    for k in range(7):
        assert float((pca(x, k) - x).norm()) == pytest.approx(float(s[k:].square().sum().sqrt()), abs=1e-9)


def test_reduced_rank_regression_is_least_squares_at_full_rank():
    x, y = data(5), data(5)[:, :3] + 0.1 * data(3, seed=5)
    reduced = linear_baseline(x, y)
    design = torch.cat([x, torch.ones(300, 1).double()], 1)
    expected = design @ torch.linalg.lstsq(design, y).solution
    torch.testing.assert_close(reduced(x, 3), expected, rtol=1e-6, atol=1e-6)
    assert int(torch.linalg.matrix_rank(reduced(x, 2) - reduced(x, 2).mean(0), rtol=1e-9)) == 2


@pytest.fixture(scope="module")
def fitted():
    teacher = through(2, seed=3, d=6)
    x = data(6, n=600)
    return (
        fit(
            x[:300], teacher(x[:300]), config=TrainingConfig(depth=8, width=30, schedule=Schedule(steps=600, rounds=4))
        ),
        teacher,
        x[300:],
    )


def test_the_decision_finds_the_rank_of_the_truth(fitted):
    network, teacher, fresh = fitted
    x, y = network.inputs.forward(fresh).float(), network.outputs.forward(teacher(fresh)).float()
    decision = decide_rank(network, x, y, stages=(20,))
    assert decision.lower == decision.rank == 2
    by_rank = {c.rank: c for c in decision.candidates}
    assert by_rank[1].excess > decision.margin >= by_rank[2].excess
    assert decision.best.network is not None
    assert sum(decision.probabilities) == pytest.approx(1.0, abs=1e-12)
    assert decision.probabilities[2] > 0.95
    assert not decision.is_undecided
    assert float(by_rank[1].losses.mean()) == pytest.approx(by_rank[1].error, rel=1e-12)
    # the whole network's error, by its definition
    outputs = network.network(x)
    assert decision.whole_error == pytest.approx(float((outputs - y).double().square().sum(1).mean()), rel=1e-6)


def test_noise_is_no_reason_for_a_rank(fitted):
    network, _, fresh = fitted
    x = network.inputs.forward(fresh).float()
    noise = torch.randn(len(x), 9 if network.network.d_out == 9 else network.network.d_out)
    decision = decide_rank(network, x, noise, stages=())
    assert decision.rank == 0  # a network that predicts nothing keeps nothing worth keeping


def test_one_held_out_row_is_not_enough(fitted):
    network, teacher, fresh = fitted
    x, y = network.inputs.forward(fresh[:1]).float(), network.outputs.forward(teacher(fresh[:1])).float()
    with pytest.raises(OptionError, match="at least 2"):
        decide_rank(network, x, y)
