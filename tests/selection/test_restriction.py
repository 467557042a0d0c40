"""A network made to pass through fewer and fewer numbers."""

import numpy as np
import pytest
import torch

from isthmus import fit
from isthmus.selection import restrict_to_ranks, restriction
from isthmus.training import Schedule, TrainingConfig


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(100)
    x = rng.standard_normal((200, 5))
    z = x @ rng.standard_normal((5, 2))
    y = np.stack([z[:, 0], np.abs(z[:, 1]), z[:, 0] - z[:, 1]], 1)
    return fit(
        x,
        y,
        config=TrainingConfig(depth=4, width=16, ridge=0.01, schedule=Schedule(steps=150, rounds=1, evaluations=40)),
        seed=0,
    )


def test_each_network_factors_and_has_the_value_it_says(fitted):
    found = restrict_to_ranks(fitted.network, fitted.objective, most=3)
    assert [each.rank for each in found] == [1, 2, 3]
    for each in found:
        assert np.linalg.matrix_rank(each.network.weights[each.layer].numpy(), tol=1e-4) <= each.rank
        x, y = fitted.objective.sample()
        error = float((each.network(x) - y).double().square().sum(1).mean())
        squares = sum(float(w.double().square().sum()) for w in (*each.network.weights, *each.network.biases))
        assert each.value == pytest.approx(error + fitted.ridge * squares / 4, rel=1e-6)


def test_fewer_numbers_cost_more_and_two_cost_little(fitted):
    one, two, three = (each.value for each in restrict_to_ranks(fitted.network, fitted.objective, most=3))
    assert one > 3.0 * two
    assert two < 1.3 * fitted.value
    assert three <= two * 1.001


def test_a_network_that_is_narrow_already_is_left_alone(fitted):
    through = restrict_to_ranks(fitted.network, fitted.objective, most=2)[1]
    again = restrict_to_ranks(through.network, fitted.objective, most=2)[1]
    assert again.value == pytest.approx(through.value, rel=1e-5)


def test_no_more_than_the_layers_carry(fitted):
    assert len(restrict_to_ranks(fitted.network, fitted.objective, most=100)) <= 16
    assert torch.isfinite(
        torch.tensor([each.value for each in restrict_to_ranks(fitted.network, fitted.objective, most=100)])
    ).all()


def test_numbers_in_doubt_are_trained_on_and_others_are_not(monkeypatch):
    rng = np.random.default_rng(101)
    t = rng.uniform(0.0, 1.0, (200, 2))
    config = TrainingConfig(depth=4, width=24, ridge=0.001, schedule=Schedule(steps=150, rounds=1, evaluations=60))
    tube = np.concatenate([np.sin(5.0 * t[:, :1]), np.cos(5.0 * t[:, :1]), t[:, 1:]], 1)  # one number is nearly enough
    both = np.concatenate([np.sin(4.0 * t), np.cos(4.0 * t)], 1)  # one is far from it
    trained_on, refit = [], restriction.refit

    def watched(network, layer, rank, objective, *, evaluations, proceed=None):
        if proceed is not None:
            trained_on.append(rank)
        return refit(network, layer, rank, objective, evaluations=evaluations, proceed=proceed)

    monkeypatch.setattr(restriction, "refit", watched)
    near, far = (fit(y @ rng.standard_normal((y.shape[1], 8)), y, config=config, seed=0) for y in (tube, both))
    restrict_to_ranks(far.network, far.objective, most=4)
    assert trained_on
    assert 1 not in trained_on
    longer = restrict_to_ranks(near.network, near.objective, most=3)[0].value
    assert 1 in trained_on
    monkeypatch.setattr(restriction, "_MOST", 0)
    assert longer < 0.9 * restrict_to_ranks(near.network, near.objective, most=3)[0].value
