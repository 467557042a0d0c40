"""Clouds that are not ideal: near copies, designs, far rows, units, quantised values, parts of several dimensions."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus import manifold_dimension
from isthmus.dimension.levina_bickel import spacings
from isthmus.dimension.nearest_neighbours import nearest
from isthmus.dimension.scale_choice import highest_level, last_alike, steadiest


def flat(rng, rows, d, columns):
    return rng.standard_normal((rows, d)) @ rng.standard_normal((d, columns))


def grid(*levels, units=1.0):
    return np.array(list(itertools.product(*map(range, levels))), float) * units


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.25, 1.0])
@pytest.mark.parametrize("noise", [1e-9, 1e-4])
def test_near_copies_count_once(share, noise):
    rng = np.random.default_rng(0)
    x = flat(rng, 800, 5, 64)
    count = round(share * len(x))
    found = manifold_dimension(np.concatenate([x, x[:count] + noise * rng.standard_normal((count, 64))]))
    assert found.dimension == found.lower == found.upper == 5
    if noise > 1e-6:  # nearer ones are equal rows, up to rounding
        assert count <= found.near_copies <= count + 0.03 * (len(x) + count)


def test_copies_in_groups_count_once_and_independent_rows_have_none():
    rng = np.random.default_rng(1)
    x = rng.random((500, 4))
    assert manifold_dimension(x).near_copies == 0
    threefold = np.concatenate([x + 1e-4 * rng.standard_normal(x.shape) for _ in range(3)])
    found = manifold_dimension(threefold)
    assert found.dimension == 4
    assert found.near_copies == pytest.approx(1000, abs=15)
    kept = threefold[found.rows]
    assert np.linalg.norm(kept[:, None] - kept, axis=2)[~np.eye(len(kept), dtype=bool)].min() > 1e-3


DESIGNS = {
    "ratio 3": (grid(40, 40, units=[1, 3]), 2),
    "ratio 8": (grid(40, 40, units=[1, 8]), 2),
    "more rows": (grid(70, 70, units=[3, 1]), 2),
    "sheared": (grid(40, 40) @ [[1.0, 0.0], [1.7, 0.6]], 2),
    "in six columns": (grid(40, 40) @ np.random.default_rng(0).standard_normal((2, 6)), 2),
    "bent": (np.sin(grid(40, 40) / 40 @ np.random.default_rng(0).standard_normal((2, 6))), 2),
    "three factors": (grid(10, 10, 10, units=[1, 2, 4]), 3),
    "two levels": (grid(*[2] * 9), 9),
    "even circle": (np.stack([f(np.arange(300) * math.tau / 300) for f in (np.cos, np.sin)], 1), 1),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_designs(name):
    x, dimension = DESIGNS[name]
    found = manifold_dimension(x)
    assert (found.dimension, found.is_regular) == (dimension, True)


def test_independent_rows_are_no_design():
    rng = np.random.default_rng(0)
    assert not any(manifold_dimension(rng.random((300, d))).is_regular for d in (2, 3, 10))


@pytest.mark.parametrize("value", [-9999.0, 1e7, 1e20, 9.96921e36, -1e300])
@pytest.mark.parametrize("rows", [1, 20])
def test_far_rows_change_nothing(value, rows):
    x = np.random.default_rng(0).random((800, 5))
    ideal = manifold_dimension(x)
    x[:rows, 2] = value
    found = manifold_dimension(x)
    assert (found.dimension, found.hull) == (ideal.dimension, ideal.hull) == (5, 5)
    assert found.scales[0].radius == pytest.approx(ideal.scales[0].radius, rel=0.05)


@pytest.mark.parametrize(("d", "step"), [(2, 0.1), (3, 0.25), (5, 0.5), (5, 1.0)])
def test_quantised_rows(d, step):
    x = np.random.default_rng(0).standard_normal((1500, d))
    assert manifold_dimension(np.round(x / step) * step).dimension == d


def cloud(kind, rng):
    return {
        "box": lambda: rng.random((150, 3)),
        "copies": lambda: np.concatenate([x := flat(rng, 140, 3, 6), x[:12] + 1e-5]),
        "grid": lambda: grid(10, 12, units=[1.0, 3.0]),
        "far": lambda: np.concatenate([rng.random((150, 4)), [[1e9, 0.0, 0.0, 1.0]]]),
        "few": lambda: rng.random((5, 2)),
    }[kind]()


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["box", "copies", "grid", "far", "few"]),
    exponent=st.integers(-990, 960),
    factor=st.floats(1.0, 2.0),
    draw=st.integers(0, 3),
)
def test_the_unit_does_not_matter(kind, exponent, factor, draw):
    x = cloud(kind, np.random.default_rng(draw))
    found = manifold_dimension(x)
    by_two = manifold_dimension(math.ldexp(1.0, exponent) * x)  # exactly the same numbers in another unit
    assert (by_two.value, by_two.lower, by_two.upper, by_two.hull) == (
        found.value,
        found.lower,
        found.upper,
        found.hull,
    )
    assert torch.equal(by_two.local, found.local)
    assert torch.equal(by_two.rows, found.rows)
    assert [s.radius for s in by_two.scales] == [math.ldexp(s.radius, exponent) for s in found.scales]
    if kind != "grid":  # where no distances are equal rounding changes next to nothing
        assert manifold_dimension(factor * x).value == pytest.approx(found.value, rel=1e-6)


def test_parts_of_several_dimensions_among_near_copies():
    rng = np.random.default_rng(0)
    parts = [np.pad(rng.random((400, d)), ((0, 0), (0, 6 - d))) + 3 * d for d in (1, 2, 5)]
    x, true = np.concatenate(parts), np.repeat([1, 2, 5], 400)
    copies = np.concatenate([x, x[::10] + 1e-6 * rng.standard_normal(x[::10].shape)])
    for rows, truth in ((x, true), (copies, np.concatenate([true, true[::10]]))):
        found = manifold_dimension(rows)
        right = found.local.round().numpy() == truth[found.rows]
        assert [round(float(right[truth[found.rows] == d].mean()), 1) for d in (1, 2, 5)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("d", [1, 2, 5])
def test_spacings_of_independent_rows_are_exponential(d):
    points = torch.tensor(np.random.default_rng(0).random((4000, d)))
    found = spacings(nearest(points, torch.arange(4000), 4)[1])
    assert found.mean(0).tolist() == pytest.approx([1 / d] * 3, rel=0.08)
    assert (found > math.log(100) / d).double().mean().item() == pytest.approx(0.01, rel=0.3)


def test_which_scale_is_chosen():
    assert steadiest([8.0, 4.0, 2.1, 2.1, 2.6]) == 2  # noise, then the plane, then bends
    assert steadiest([5.0, 4.0, 3.9, 3.0]) == 2
    assert highest_level([1.0, 1.0, 1.4, 1.8, 2.0, 1.96]) == 5  # rows along one unit of a grid, then the grid
    assert highest_level([1.5, 2.0]) == steadiest([1.5, 2.0]) == 0
    assert highest_level([1.0, 1.0, 1.01, 1.04, 1.13]) == 1
    assert highest_level([6.4, 6.6, 6.5]) == 2
    assert last_alike([2.0, 2.04, 2.08, 2.2, 2.0], 0) == 2
