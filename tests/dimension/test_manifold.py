"""Dimensions of sets whose dimension is known, and what must not change one."""

import itertools
import math

import numpy as np
import pytest
import torch

from cases import thinned
from isthmus import manifold_dimension
from isthmus.dimension.abid import pairings, squared_cosines
from isthmus.dimension.levina_bickel import NEAREST, box_dimension, log_ratios
from isthmus.dimension.nearest_neighbours import nearest
from isthmus.errors import NonFiniteError, OptionError

SEEDS = (0, 1, 2)


def sphere(rng, n, d):
    v = rng.standard_normal((n, d + 1))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def circle(rng, n):
    return sphere(rng, n, 1)


def torus(rng, n):
    a, b = rng.random((2, n)) * 2 * np.pi
    return np.stack([(2 + np.cos(b)) * np.cos(a), (2 + np.cos(b)) * np.sin(a), np.sin(b)], 1)


def swiss_roll(rng, n):
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    return np.stack([t * np.cos(t), 21 * rng.random(n), t * np.sin(t)], 1)


def trefoil(rng, n):
    t = rng.random(n) * 2 * np.pi
    return np.stack([np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)], 1)


def noisy_plane(rng, n):
    frame = np.linalg.qr(rng.standard_normal((10, 2)))[0]
    return rng.random((n, 2)) @ frame.T + 0.005 * rng.standard_normal((n, 10))


KNOWN = {
    "line": (lambda rng: rng.random((50, 1)) * [[1.0, 2.0, 3.0]], 1),
    "circle": (lambda rng: circle(rng, 200), 1),
    "knot": (lambda rng: trefoil(rng, 300), 1),
    "sphere": (lambda rng: sphere(rng, 300, 2), 2),
    "3-sphere": (lambda rng: sphere(rng, 600, 3), 3),
    "torus": (lambda rng: torus(rng, 800), 2),
    "swiss roll": (lambda rng: swiss_roll(rng, 800), 2),
    "plane and noise": (lambda rng: noisy_plane(rng, 1000), 2),
    "square": (lambda rng: rng.random((300, 2)), 2),
    "grid": (lambda rng: np.array(list(itertools.product(range(10), repeat=3)), float), 3),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("seed", SEEDS)
def test_known_dimensions(name, seed):
    draw, dimension = KNOWN[name]
    found = manifold_dimension(draw(np.random.default_rng(seed)))
    assert found.dimension == dimension
    assert found.lower <= dimension <= found.upper <= found.hull


@thinned("seed, d", itertools.product(SEEDS, [10, 20, 60]), keep=3)
def test_many_dimensions_within_a_tenth(seed, d):
    rng = np.random.default_rng(seed)
    for x in (rng.random((1000, d)), rng.standard_normal((1000, d)), sphere(rng, 1000, d)):
        assert manifold_dimension(x).value == pytest.approx(d, rel=0.1)


def test_a_curve_and_a_surface_together_have_both_dimensions():
    rng = np.random.default_rng(0)
    curve, surface = rng.random((400, 1)) * [[1.0, 1.0, 1.0]] + 5.0, np.pad(rng.random((600, 2)), ((0, 0), (0, 1)))
    found = manifold_dimension(np.concatenate([curve, surface]))
    near_curve = found.rows < len(curve)
    assert found.local[near_curve].round().unique().tolist() == [1.0]
    assert (found.local[~near_curve].round() == 2).double().mean() > 0.9
    assert found.shares[1] == pytest.approx(0.4, abs=0.05)
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert found.dimension == 2  # of most rows


@pytest.mark.parametrize(
    ("x", "dimension", "lower"),
    [
        (np.ones((1, 3)), 0, 0),
        (np.full((20, 3), 7.3), 0, 0),
        (np.repeat(np.eye(2), 50, 0), 1, 1),
        (np.eye(4), 3, 1),  # four points may lie on a curve
        (np.arange(6.0)[:, None] * [[1.0, -2.0]], 1, 1),
        (np.arange(9.0)[:, None] * [[1.0, -2.0]], 1, 1),
    ],
)
def test_few_rows(x, dimension, lower):
    found = manifold_dimension(x)
    assert (found.dimension, found.lower, found.upper) == (dimension, lower, dimension)
    assert len(found.rows) == len(found.local) == len(np.unique(x, axis=0))


@pytest.mark.parametrize("n", range(5, 10))
def test_very_few_rows_of_a_cube_leave_it_open(n):
    found = manifold_dimension(np.random.default_rng(n).random((n, 3)))
    assert found.lower <= 3 == found.upper
    assert found.lower <= found.dimension <= found.upper


def test_what_changes_nothing():
    rng = np.random.default_rng(0)
    x = torus(rng, 300)
    found = manifold_dimension(x)
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0][:3]
    assert manifold_dimension(x[rng.permutation(300)]).value == pytest.approx(found.value)
    assert manifold_dimension(np.repeat(x, 3, 0)).value == pytest.approx(found.value)
    assert manifold_dimension(torch.tensor(1e-3 * x + 1e3)).value == pytest.approx(found.value)
    assert manifold_dimension(x @ turn).value == pytest.approx(found.value, rel=0.05)  # rows are drawn in another order
    assert manifold_dimension(x.astype(np.float32)).dimension == 2


def test_noise_is_dimension_where_it_is_larger_than_the_neighbourhoods():
    found = manifold_dimension(noisy_plane(np.random.default_rng(0), 1000))
    smallest, *_, largest = found.scales
    assert smallest.dimension > 2.5 > 2.2 > largest.dimension
    assert found.scales[found.chosen].radius > 5 * 0.005 * math.sqrt(10)
    assert [s.neighbours for s in found.scales] == [4, 8, 16, 32, 64, 128]
    assert sorted(s.radius for s in found.scales) == [s.radius for s in found.scales]


def test_a_tight_spiral_needs_the_distances():
    t = 10 * np.pi * np.random.default_rng(0).random(1000)
    found = manifold_dimension(np.stack([100 * np.cos(t), 100 * np.sin(t), t], 1))
    assert found.dimension == 1
    assert found.by_distances < found.by_chords


def test_what_is_known_beforehand_bounds_the_answer():
    x = np.random.default_rng(0).random((200, 5))
    found = manifold_dimension(x, highest=3)
    assert (found.dimension, found.hull, max(found.shares)) == (3, 3, 3)
    assert manifold_dimension(x, highest=0).dimension == 0
    with pytest.raises(OptionError, match="highest is -1"):
        manifold_dimension(x, highest=-1)
    with pytest.raises(NonFiniteError, match="row 1, column 0"):
        manifold_dimension([[0.0], [math.nan]])


def test_many_rows_are_drawn():
    found = manifold_dimension(np.random.default_rng(0).random((25_000, 2)), seed=1)
    assert found.dimension == 2
    assert len(found.rows) == 1000
    assert found.rows.max() > 20_000


def test_nearest_are_those_of_all_distances():
    points = np.random.default_rng(0).standard_normal((30, 4)) + 10
    apart = np.linalg.norm(points[:, None] - points, axis=2) + np.diag(np.full(30, np.inf))
    rows, distances = nearest(torch.tensor(points), torch.tensor([3, 7]), 5)
    np.testing.assert_array_equal(rows.numpy(), np.argsort(apart, 1)[[3, 7], :5])
    np.testing.assert_allclose(distances.numpy(), np.sort(apart, 1)[[3, 7], :5], rtol=1e-12)


@pytest.mark.parametrize("m", [4, 8, 16, 32])
@pytest.mark.parametrize("size", [2, 30])
def test_cosines_are_those_of_the_pairs(m, size):
    points = np.random.default_rng(0).standard_normal((m, size))
    rounds = [list(zip(*pairing, strict=True)) for pairing in pairings(m)]
    used = [frozenset(pair) for pairs in rounds for pair in pairs]
    assert len(set(used)) == len(used) == (3 if m < 32 else 1) * m // 2
    assert all(sorted(itertools.chain(*pairs)) == list(range(m)) for pairs in rounds)
    squares = []
    for pairs in rounds:
        for (a, b), (c, d) in itertools.combinations(pairs, 2):
            u, v = points[a] - points[b], points[c] - points[d]
            squares.append((u @ v) ** 2 / (u @ u) / (v @ v))
    found = squared_cosines(torch.tensor(points), torch.arange(m)[None])
    assert float(found) == pytest.approx(np.mean(squares))


@pytest.mark.parametrize("d", [1, 3, 15, 40])
def test_chords_of_a_ball_have_the_mean_square_that_the_formula_says(d):
    points = torch.tensor(np.random.default_rng(0).standard_normal((40_000, d)))
    found = squared_cosines(points, torch.arange(40_000).view(-1, 4))
    assert float(found.mean()) == pytest.approx(1 / d, rel=0.05)


@pytest.mark.parametrize("d", [2, 6, 20])
def test_a_box_has_its_own_dimension(d):
    points = torch.rand(1000, d, generator=torch.Generator().manual_seed(123), dtype=torch.float64)
    ratio = float(log_ratios(nearest(points, torch.arange(1000), NEAREST)[1]).mean())
    assert box_dimension(ratio, 1000, 1000, 2 * d, seed=0) == pytest.approx(d, rel=0.12)
    assert box_dimension(ratio, 1000, 1000, d, seed=0) is None
    assert box_dimension(0.0, 1000, 1000, d, seed=0) is None


def test_ratios_of_a_line():
    points = torch.tensor(np.random.default_rng(0).random((4000, 1)))
    ratios = log_ratios(nearest(points, torch.arange(4000), NEAREST)[1])
    assert float(ratios.mean()) == pytest.approx(1.0, rel=0.05)


def test_many_columns_are_the_coordinates_they_span():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 6))
    turned = rows @ np.linalg.qr(rng.standard_normal((500, 6)))[0].T + rng.standard_normal(500)
    narrow, wide = (manifold_dimension(each) for each in (rows, turned))
    assert (wide.dimension, wide.lower, wide.upper) == (narrow.dimension, narrow.lower, narrow.upper)
    assert wide.hull == narrow.hull == 6
