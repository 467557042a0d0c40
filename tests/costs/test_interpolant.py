"""Proposition 2's interpolant: through every row, of rank 1, at the cost claimed, its scales the best."""

import numpy as np
import pytest
import torch

from isthmus.costs.amplification import CurveSizes, best_amplification
from isthmus.costs.directions import curve_size, separating_direction
from isthmus.costs.interpolant import rank_one_interpolant
from isthmus.costs.tour import short_path
from isthmus.errors import (
    ContradictingRowsError,
    InexactNetworkError,
    NonFiniteError,
    OptionError,
    ShapeError,
)
from isthmus.training import rebalance


def rows(n, d_in=6, d_out=3, k=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d_in))
    y = np.maximum(x @ rng.normal(size=(d_in, k)), 0) @ rng.normal(size=(k, d_out))
    return x, y


def interpolant(x, y, **options):
    return rank_one_interpolant(x, y, rng=np.random.default_rng(1), **options)


@pytest.mark.parametrize(("n", "d_in", "d_out"), [(2, 1, 1), (3, 2, 2), (25, 6, 3), (120, 20, 5)])
def test_it_passes_through_every_row_at_every_depth_with_one_number_in_the_middle(n, d_in, d_out):
    x, y = rows(n, d_in, d_out)
    found = interpolant(x, y)
    assert found.encoder.d_out == found.decoder.d_in == 1
    assert sorted(found.order) == list(range(n))
    inputs = torch.from_numpy(x)
    latent = found.encoder(inputs)
    assert float(latent.min()) >= 0
    assert (np.diff(latent[:, 0].numpy()[found.order]) > 0).all()
    joint = found.decoder(latent).numpy()
    assert np.abs(joint - y).max() <= 1e-9 * np.abs(y).max()
    for depth in (3, found.depth, found.depth + 7, 5 * found.depth):
        network = found.network(depth)
        assert network.depth == network.dense().depth == depth
        for values in (network(inputs), network.dense()(inputs)):
            assert np.abs(values.numpy() - y).max() <= 1e-8 * np.abs(y).max()


def test_the_bound_of_proposition_2_holds_at_every_depth_from_its_own():
    found = interpolant(*rows(40))
    assert found.constant == pytest.approx(found.encoder.squared_norm + found.decoder.squared_norm - found.depth)
    for depth in (found.depth, found.depth + 1, 2 * found.depth, 20 * found.depth):
        network = found.network(depth)
        assert network.norm_per_depth <= found.bound(depth) * (1 + 1e-12)
        assert network.squared_norm - depth >= found.limit * (1 - 1e-2)
    assert found.limit <= found.constant <= 1.06 * found.limit
    with pytest.raises(OptionError, match=f"must be at least {found.depth}"):
        found.bound(found.depth - 1)


@pytest.mark.parametrize("depth", [3, 10, 40])
def test_no_rescaling_of_neurons_makes_it_cheaper(depth):
    network = interpolant(*rows(30), depth=depth).network(depth)
    balanced = rebalance(network.dense(), sweeps=3000, precision=1e-9).squared_norm
    assert balanced <= network.squared_norm * (1 + 1e-12)
    # What is left is the output bias, which the closed form treats apart.
    assert balanced >= network.squared_norm * (1 - 5e-3)


@pytest.mark.parametrize("depth", [3, 12, None])
def test_the_amplification_is_the_least_of_a_grid(depth):
    sizes = CurveSizes(3.0, np.array([2.0, 50.0, 400.0]), np.array([0.0, 0.5, 2.0]), 0.7)
    chosen = best_amplification(sizes, depth)

    def excess(first, second, layers):
        kinks = 2 * np.sum(sizes.changes * np.hypot(first, second * sizes.places)) + 2 * second * sizes.start
        carried = layers * second ** (-2 / layers) if layers else 0.0
        if depth is None:
            return np.log(3 / first**2) - 2 + carried + kinks
        return (depth - 2) * (3 / first**2) ** (1 / (depth - 2)) + carried + kinks - depth

    assert chosen.excess == pytest.approx(excess(chosen.first, chosen.second, chosen.layers), rel=1e-12)
    grid = np.exp(np.linspace(-10, 0, 81))
    for layers in range(40 if depth is None else depth - 2):
        for second in grid if layers else [1.0]:
            assert chosen.excess <= min(excess(first, second, layers) for first in grid) + 1e-9


def test_the_limit_is_the_limit_of_depth():
    sizes = CurveSizes(3.0, np.array([2.0, 50.0]), np.array([0.0, 0.5]), 0.7)
    assert best_amplification(sizes, 10**6).excess == pytest.approx(best_amplification(sizes, None).excess, abs=1e-3)


def test_the_constant_grows_with_the_logarithm_of_n():
    constants = [interpolant(*rows(n, 10, 3)).limit for n in (20, 80, 320)]
    assert constants[0] < constants[1] < constants[2]
    # Fourfold data add a similar amount each time; N itself would add four times as much.
    assert constants[2] - constants[1] < 2 * (constants[1] - constants[0])


def test_a_direction_that_separates_is_found_and_kept():
    x, y = rows(50)
    u = separating_direction(x, y, rng=np.random.default_rng(0))
    assert np.linalg.norm(u) == pytest.approx(1)
    random = [curve_size(x, y, v) for v in np.random.default_rng(5).normal(size=(50, 6))]
    assert curve_size(x, y, u) <= min(random)
    assert curve_size(x, y, 7 * u) == pytest.approx(curve_size(x, y, u))
    assert curve_size(np.array([[0.0, 1], [0, 2]]), y[:2], np.array([1.0, 0.0])) == np.inf


def test_few_rows_come_in_the_order_of_a_short_path_through_their_outputs():
    x, y = rows(20, d_in=30, d_out=2, k=2, seed=4)
    found = interpolant(x, y)
    length = np.linalg.norm(np.diff(y[found.order], axis=0), axis=1).sum()
    assert length <= 1.2 * short_path(y, seconds=0.2).length
    blind = [np.linalg.norm(np.diff(y[np.argsort(x @ u)], axis=0), axis=1).sum() for u in np.eye(30)]
    assert length < 0.6 * min(blind)


def test_rows_that_differ_in_one_column_only_are_told_apart():
    x = np.zeros((4, 5))
    x[:, 2] = [3, 1, 2, 0]
    found = interpolant(x, np.array([[1.0], [5.0], [-2.0], [0.0]]))
    assert list(found.order) in ([3, 1, 2, 0], [0, 2, 1, 3])


@pytest.mark.parametrize("value", [np.array([3.0, -4.0]), np.array([0.1, 0.0]), np.zeros(2)])
@pytest.mark.parametrize("n", [1, 4])
def test_equal_outputs_have_rank_0(value, n):
    x = rows(n)[0]
    found = interpolant(x, np.tile(value, (n, 1)))
    for depth in (found.depth, found.depth + 30):
        made = found.network(depth)(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(made, np.tile(value, (n, 1)), rtol=1e-12, atol=1e-15)
        assert found.network(depth).norm_per_depth <= found.bound(depth) * (1 + 1e-12)
    assert not found.encoder.weights[0].any()
    if np.linalg.norm(value) == 5:
        # q · 5^{2/q} is not far above q + 2 log 5.
        assert found.constant + 1 == pytest.approx(2 * np.log(5), rel=0.05)


def test_equal_rows_are_merged_and_contradictions_named():
    x, y = rows(5)
    doubled = interpolant(np.concatenate([x, x[:2]]), np.concatenate([y, y[:2]]))
    assert len(doubled.order) == 5
    with pytest.raises(ContradictingRowsError, match="Rows 1 and 5 have equal inputs and different outputs") as caught:
        interpolant(np.concatenate([x, x[1:2]]), np.concatenate([y, y[1:2] + 1]))
    assert caught.value.pairs == ((1, 5),)
    with pytest.raises(ContradictingRowsError, match="and 2 more pairs"):
        interpolant(np.zeros((8, 2)), np.arange(8.0)[:, None])


def test_what_cannot_be_done_is_said():
    x, y = rows(5)
    close = np.array([[1.0], [1.0 + 1e-15], [2.0]])
    with pytest.raises(InexactNetworkError, match="inputs that nearly agree have outputs that do not"):
        interpolant(close, np.array([[0.0], [1.0], [0.0]]))
    with pytest.raises(ShapeError, match="x has 5 rows and y has 4"):
        interpolant(x, y[:4])
    with pytest.raises(NonFiniteError, match="y holds NaN"):
        interpolant(x, np.full((5, 1), np.nan))
    with pytest.raises(ShapeError, match="is empty"):
        interpolant(np.zeros((0, 2)), np.zeros((0, 1)))
    with pytest.raises(OptionError, match="an integer of at least 3"):
        interpolant(x, y, depth=2)
