"""Several networks at once, several starts, a path over λ, and the search over the rank."""

import numpy as np
import pytest
import torch

from isthmus.errors import OptionError
from isthmus.training import (
    Schedule,
    TrainingConfig,
    fit,
    fit_many,
    insert_identity_layers,
    ridge_path,
    search_rank,
    warm_start_fit,
)

SHORT = Schedule(steps=100, rounds=1, evaluations=30)


def pairs(n=80, d=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, np.maximum(x @ rng.standard_normal((d, 3)), 0)


def curve(n=100):
    t = np.linspace(-1, 1, n)
    return np.stack([1.2 * t, 0.6 * np.sin(np.pi * t)], 1)


def test_a_grid_holds_a_network_for_each_ridge_and_seed_that_depends_on_nothing_else():
    x, y = pairs()
    # A few steps: rounding differs between places in a batch, and long descents are chaotic.
    options = {"depth": 3, "width": 10, "schedule": Schedule(steps=8, rounds=0)}
    grid = fit_many(x, y, ridges=[0.01, 0.3], seeds=[3, 4, 3], **options)
    assert [[found.ridge for found in row] for row in grid] == [[0.01] * 3, [0.3] * 3]
    for row in grid:
        first, other, again = row
        # The same seed twice in one batch: the same network twice, so nothing leaks between networks.
        assert first.value == pytest.approx(again.value, rel=1e-3)
        assert abs(other.value - first.value) > 1e-2 * first.value
        for found in row:
            assert found.value == pytest.approx(found.objective.value(found.network), rel=1e-12)
            assert found.objective.ridge == found.ridge
    longer = fit_many(x, y, ridges=[0.01, 0.3], **{**options, "schedule": SHORT})
    assert longer[1][0].network.squared_norm < 0.8 * longer[0][0].network.squared_norm


@pytest.mark.parametrize("empty", [{"ridges": []}, {"ridges": [0.1], "seeds": []}])
def test_no_network_is_no_grid(empty):
    x, y = pairs()
    with pytest.raises(OptionError, match="at least one number"):
        fit_many(x, y, depth=3, width=4, **empty)


def test_of_several_starts_the_best_one_is_finished():
    x, y = pairs()
    options = {"depth": 4, "width": 10, "ridge": 0.02, "schedule": SHORT}
    best = fit(x, y, config=TrainingConfig(n_init=4), seed=0, **options)
    each = [fit(x, y, seed=s, **options).value for s in range(4)]
    assert best.value <= sorted(each)[1] * 1.01  # never worse than the second best: losers leave early


def test_a_path_is_no_worse_than_its_two_directions_and_rises_with_the_ridge():
    x, y = pairs()
    path = ridge_path(x, y, ridges=[0.3, 0.01, 0.1], depth=4, width=10, schedule=SHORT, warm=SHORT)
    assert [point.ridge for point in path] == [0.01, 0.1, 0.3]
    assert all(point.value == min(point.rising, point.falling) for point in path)
    # min over w of error + λ norm is concave and increasing in λ; near minima follow it.
    values = [point.value for point in path]
    assert values == sorted(values)
    errors = [point.error for point in path]
    assert errors == sorted(errors)


def test_a_path_needs_positive_ridges():
    x, y = pairs()
    with pytest.raises(OptionError, match="positive"):
        ridge_path(x, y, ridges=[0.0, 1.0])


def test_the_search_finds_rank_1_where_the_random_start_keeps_2():
    """At depth 24 the rank-1 autoencoder of a curve is much cheaper, and a random start does not find it."""
    found = search_rank(
        curve(), config=TrainingConfig(depth=24, width=30, ridge=24e-4, standardize="none"), task="autoencoder"
    )
    values = {c.rank: c.value for c in found.candidates}
    assert found.rank == 1
    assert values[1] < 0.9 * values[2]
    assert found.random_rank == 2
    assert "rank 1 is" in found.warning
    assert found.best.network.depth == 24


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 1}, "depth is 1"),
        ({"depth": 3, "most": 0}, "most is 0"),
        ({"depth": 3, "ridge": -1.0}, "ridge is -1"),
    ],
)
def test_a_search_has_limits(options, message):
    x, y = pairs()
    with pytest.raises(OptionError, match=message):
        search_rank(x, y, config=TrainingConfig(width=4), **options)


def test_growing_and_training_on_lowers_the_objective_per_layer():
    x, y = pairs()
    shallow = fit(x, y, config=TrainingConfig(depth=4, width=10, ridge=0.1, schedule=SHORT))
    objective = shallow.objective.with_ridge(0.1 * 8 / 4)
    deep = insert_identity_layers(shallow.network, shallow.objective.x, 8)
    assert objective.value(warm_start_fit(deep, objective, schedule=SHORT)) < objective.value(deep)
    assert torch.allclose(deep(shallow.objective.x), shallow.network(shallow.objective.x), atol=1e-4)


def interrupt_at(fraction):
    def report(done, state):
        if done >= fraction:
            raise KeyboardInterrupt

    return report


def test_an_interrupted_search_returns_what_it_found():
    found = search_rank(
        curve(40),
        config=TrainingConfig(depth=4, width=10, ridge=0.004, standardize="none", schedule=SHORT),
        task="autoencoder",
        report=interrupt_at(0.6),
    )
    assert not found.is_complete
    assert found.candidates
    assert found.best.value <= found.random_value


@pytest.mark.parametrize(("fraction", "points", "back"), [(0.4, 2, 0), (0.75, 3, 1)])
def test_an_interrupted_path_returns_the_points_it_reached(fraction, points, back):
    x, y = pairs()
    path = ridge_path(
        x, y, ridges=[0.01, 0.1, 0.3], depth=3, width=8, schedule=SHORT, warm=SHORT, report=interrupt_at(fraction)
    )
    assert len(path) == points
    assert sum(point.falling is not None for point in path) >= back
    assert all(np.isfinite(point.value) for point in path)
