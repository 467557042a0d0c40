"""Shortest paths against brute force, bounds against each other, growth against the known exponent, Theorem 2."""

import builtins
from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from isthmus.costs.growth_exponent import log_slope, path_growth
from isthmus.costs.interpolant import rank_one_interpolant
from isthmus.costs.rank_one import rank_one_lower_bound
from isthmus.costs.tour import distance_matrix, short_path, shortest_path_lower
from isthmus.costs.two_opt import two_opt_path
from isthmus.errors import (
    MissingExtraError,
    NonFiniteError,
    OptionError,
    ShapeError,
    TooFewRowsError,
)


def points(n, d, seed=0):
    return np.random.default_rng(seed).random((n, d))


def brute_force(y):
    return min(sum(np.linalg.norm(y[i] - y[j]) for i, j in pairwise(p)) for p in permutations(range(len(y))))


def along(y, order):
    return np.linalg.norm(np.diff(y[order], axis=0), axis=1).sum()


@pytest.mark.parametrize(
    ("n", "d", "seed"), [(1, 2, 0), (2, 3, 0), (3, 1, 0), (5, 2, 1), (7, 2, 2), (7, 5, 3), (8, 2, 4)]
)
def test_small_paths_are_the_shortest_and_the_bound_is_below(n, d, seed):
    y = points(n, d, seed)
    shortest = brute_force(y)
    path = short_path(y)
    assert path.length == pytest.approx(shortest, rel=1e-12, abs=1e-14)
    assert sorted(path.order) == list(range(n))
    assert 0.9 * shortest - 1e-14 <= shortest_path_lower(y) <= shortest * (1 + 1e-12) + 1e-14


@pytest.mark.parametrize("seed", range(8))
def test_with_few_steps_too_the_bound_is_below_the_shortest(seed):
    y = points(7, 2, 10 + seed) * [1, 50 if seed % 2 else 1]
    for steps in (1, 3, 30):
        assert shortest_path_lower(y, steps=steps) <= brute_force(y) * (1 + 1e-12)


@pytest.mark.parametrize(("n", "d"), [(60, 1), (60, 2), (200, 3)])
def test_the_bracket_of_longer_paths_is_narrow(n, d):
    y = points(n, d)
    path = short_path(y, seconds=0.3)
    assert path.length == pytest.approx(along(y, path.order), rel=1e-12)
    assert sorted(path.order) == list(range(n))
    lower = shortest_path_lower(y, upper=path.length)
    assert 0.96 * path.length <= lower <= path.length * (1 + 1e-12)
    if d == 1:
        assert path.length == pytest.approx(y.max() - y.min(), rel=1e-12)


def test_the_bound_is_at_least_the_least_spanning_tree_and_grows_with_the_steps():
    y = points(80, 2)
    tree = minimum_spanning_tree(cdist(y, y)).sum()
    first, last = shortest_path_lower(y, steps=1), shortest_path_lower(y, steps=60)
    assert tree * (1 - 1e-12) <= first < last
    assert first == pytest.approx(max(tree, two_nearest(y)), rel=1e-12)


def two_nearest(y):
    """By its definition: each end misses the larger half, at worst the two largest of all."""
    near = np.sort(cdist(y, y), axis=1)[:, 1:3]
    return (near.sum() - np.sort(near[:, 1])[-2:].sum()) / 2


@pytest.mark.parametrize(("n", "d"), [(1, 2), (2, 2), (6, 2), (150, 2), (700, 2)])
def test_two_opt_ends_within_reach_of_the_bound_and_turning_no_part_round_helps(n, d):
    y = points(n, d, 5)
    order = two_opt_path(distance_matrix(y))
    assert sorted(order) == list(range(n))
    if n > 2:
        assert along(y, order) <= 1.3 * shortest_path_lower(y, steps=30)
    if n == 150:
        turned = [[*order[:i], *order[i:j][::-1], *order[j:]] for i in range(n) for j in range(i + 2, n + 1)]
        assert along(y, order) <= min(along(y, other) for other in turned) * (1 + 1e-9)


def test_close_pairs_far_from_the_origin_keep_their_distances():
    # Two tight pairs: 1e-9 + 1 + 1e-9, which squares at 1e6 would swallow.
    y = np.array([[1e6, 0], [1e6 + 1e-9, 0], [1e6 + 1, 0], [1e6 + 1, 1e-9]])
    assert short_path(y).length == pytest.approx(brute_force(y), rel=1e-12)


def test_scale_and_motion_only_scale_the_length():
    y = points(30, 2)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    moved = 1e3 * y @ turn + 5
    assert shortest_path_lower(moved, steps=30) == pytest.approx(1e3 * shortest_path_lower(y, steps=30), rel=1e-6)


def test_equal_points_cost_nothing():
    y = np.ones((12, 3))
    assert short_path(y, seconds=0.1).length == 0
    assert shortest_path_lower(y) == 0


@pytest.mark.parametrize("k", [1, 2, 3])
def test_paths_through_a_cube_grow_with_the_known_exponent(k):
    growth = path_growth([30, 100, 300, 900], lambda n: points(n, k, n), steps=20, seconds=0.1)
    assert (growth.lower <= growth.upper * (1 + 1e-12)).all()
    # The boundary makes short paths relatively longer, a correction of order N^{-1/k} to the slope.
    for slope in (growth.slope_lower, growth.slope_upper):
        assert slope.value == pytest.approx(1 - 1 / k, abs=0.06)
        assert slope.error < 0.03


def test_the_slope_and_its_error_are_those_of_a_regression():
    n = np.array([10, 100, 1000, 10000])
    exact = log_slope(n, 3.0 * n**0.7)
    assert exact.value == pytest.approx(0.7)
    assert exact.error < 1e-12
    u, v = np.log(n), np.log([1.0, 7.0, 20.0, 300.0])
    fitted = np.polyfit(u, v, 1, cov="unscaled")
    residual = v - np.polyval(fitted[0], u)
    noisy = log_slope(n, np.exp(v))
    assert noisy.value == pytest.approx(fitted[0][0])
    assert noisy.error == pytest.approx(np.sqrt(fitted[1][0, 0] * residual @ residual / 2))


def test_theorem_2_bounds_every_rank_1_network_through_the_data():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 4)), rng.normal(size=(60, 3))
    found = rank_one_interpolant(x, y, rng=rng)
    bound = rank_one_lower_bound(x, y, found.depth)
    assert bound.diameter == pytest.approx(cdist(x, x).max(), rel=1e-9)
    assert bound.path <= short_path(y, seconds=0.3).length
    assert bound.per_depth == pytest.approx((bound.path / bound.diameter) ** (2 / found.depth))
    for depth in (3, 10, found.depth):
        network = found.network(depth)
        assert bound.at(depth).per_depth <= network.norm_per_depth
    # What the proof says: somewhere between the rows at the ends, |Jf| is at least the bound.
    ends = torch.from_numpy(x[found.order[[0, -1]]])
    share = torch.linspace(0, 1, 20001, dtype=torch.float64)[:, None]
    images = found.network(10)(ends[0] + share * (ends[1] - ends[0])).numpy()
    lengths = np.linalg.norm(np.diff(images, axis=0), axis=1)
    assert lengths.sum() >= bound.path * (1 - 1e-3)
    assert lengths.max() * 20000 / np.linalg.norm(ends[1] - ends[0]) >= bound.slope


def test_theorem_2_is_sharp_for_a_line():
    # f(x) = 3x on the segment: R/L = 3^{2/L} (a linear network), Λ = 3, D = 1.
    x = np.linspace(0, 1, 7)[:, None]
    assert rank_one_lower_bound(x, 3 * x, 5).per_depth == pytest.approx(3 ** (2 / 5), rel=1e-9)


def test_wrong_input_is_refused(monkeypatch):
    y = points(12, 2)
    with pytest.raises(NonFiniteError, match="the points holds NaN"):
        short_path(np.full((3, 1), np.nan))
    with pytest.raises(ShapeError, match="is empty"):
        shortest_path_lower(np.zeros((0, 2)))
    with pytest.raises(OptionError, match="seconds is 0 but must be positive"):
        short_path(y, seconds=0)
    with pytest.raises(OptionError, match="steps is 0 but must be an integer of at least 1"):
        shortest_path_lower(y, steps=0)
    with pytest.raises(ShapeError, match="x has 12 rows and y has 11"):
        rank_one_lower_bound(y, y[1:], 5)
    with pytest.raises(TooFewRowsError, match="x without repetitions has 1 row; at least 2"):
        rank_one_lower_bound(np.ones((3, 2)), points(3, 2), 5)
    with pytest.raises(OptionError, match="depth is 0"):
        rank_one_lower_bound(y, y, 0)
    with pytest.raises(TooFewRowsError, match="The list of sizes"):
        path_growth([10, 20], lambda n: points(n, 2))
    with pytest.raises(OptionError, match=r"a length is 0\.0 but must be positive"):
        log_slope([1, 2, 3], [1.0, 0.0, 2.0])
    with pytest.raises(ShapeError, match="two vectors of equal length"):
        log_slope([1, 2, 3], [1.0, 2.0])

    def importing(name, *rest, real=builtins.__import__):
        if name == "fast_tsp":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(
        MissingExtraError, match=r"fast-tsp, which is not installed. Run: pip install 'isthmus\[tours\]'"
    ):
        short_path(y)
