"""The grid oracle of tripoints on logits that can be solved by hand, and against exact arithmetic."""

from fractions import Fraction

import pytest
import torch

from isthmus.networks import (
    ABSOLUTE,
    RELU,
    Activation,
    FullyConnected,
    affine,
)
from oracles.random_classifiers import random_classifier
from oracles.rational_tripoints import rational_tripoints
from oracles.tripoint_grid import TooManyTiesError, grid_tripoints


def logits(rows, shift):
    return affine(torch.tensor(rows, dtype=torch.float64), torch.tensor(shift, dtype=torch.float64))


def ridge(height, *, slopes):
    """Logits x, −x and height − slopes[0]|x| − slopes[1]|y|."""
    units = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=torch.float64)
    a, b = slopes
    out = torch.tensor([[1.0, -1.0, 0, 0], [-1.0, 1.0, 0, 0], [-a, -a, -b, -b]], dtype=torch.float64)
    return FullyConnected((units, out), (torch.zeros(4).double(), torch.tensor([0.0, 0.0, height]).double()))


def test_three_half_planes_meet_in_one_point():
    found = grid_tripoints(logits([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [-1 / 3, 1 / 7, 0.0]))
    assert [t.classes for t in found.tripoints] == [{0, 1, 2}]
    assert found.tripoints[0].point == pytest.approx((1 / 3, -1 / 7), abs=1e-8)
    assert found.is_clear()
    assert found.margin == pytest.approx(1 / 3, abs=1e-8)


def test_four_classes_that_meet_are_one_point():
    network = logits([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [0.0] * 4)
    found = grid_tripoints(network, (-1.0, -0.9), (0.8, 1.0))
    assert [t.classes for t in found.tripoints] == [{0, 1, 2, 3}]
    assert rational_tripoints(network) == {(0, 0): {0, 1, 2, 3}}


def test_a_tie_below_the_maximum_is_none():
    network = logits([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]], [0.0, 0.0, 0.0, 5.0])
    assert grid_tripoints(network).tripoints == ()
    assert rational_tripoints(network) == {}


def test_classes_along_a_line_never_meet_in_threes():
    found = grid_tripoints(logits([[-2.0, -1.0], [0.0, 0.0], [2.0, 1.0]], [-0.5, 0.0, -0.5]))
    assert found.tripoints == ()
    assert found.is_clear()


def test_a_territory_far_smaller_than_the_first_grid_is_found():
    height = 2.0**-10
    network = ridge(height, slopes=(3.0, 1.0))
    found = grid_tripoints(network)
    points = sorted(t.point for t in found.tripoints)
    assert sorted(y for _, y in points) == pytest.approx([-height, height], abs=1e-8)
    assert set(rational_tripoints(network)) == {(0, Fraction(1, 1024)), (0, -Fraction(1, 1024))}
    assert found.separation == pytest.approx(height, rel=1e-4)  # 2 · height over a box of side 2
    assert not found.is_clear(least=2 * height)


def test_a_tie_that_only_touches_is_reported_as_unclear():
    found = grid_tripoints(ridge(0.0, slopes=(3.0, 1.0)), (-1.0, -0.9), (0.8, 1.0))
    assert found.tripoints == ()
    assert found.near_ties == 1
    assert not found.is_clear()


def test_a_tie_along_a_curve_has_no_count():
    with pytest.raises(TooManyTiesError, match="may hold a tripoint"):
        grid_tripoints(logits([[1.0, 0.3], [2.0, 0.6], [0.0, 0.0]], [0.0, 0.0, 0.0]))


SIGMAS = [RELU, ABSOLUTE, Activation(0.25)]


@pytest.mark.parametrize("seed", range(12))
def test_the_grid_agrees_with_exact_arithmetic(seed):
    network = random_classifier(seed, hidden=(6, 5), classes=3 + seed % 3, activation=SIGMAS[seed % 3])
    found = grid_tripoints(network)
    assert found.is_clear()
    exact = rational_tripoints(network)
    assert len(found.tripoints) == len(exact)
    nearest = {}
    for point, classes in exact.items():
        t = min(found.tripoints, key=lambda t: abs(t.point[0] - point[0]) + abs(t.point[1] - point[1]))
        assert t.point == pytest.approx([float(v) for v in point], abs=1e-7)
        assert t.classes == classes
        nearest[t.point] = point
    assert len(nearest) == len(exact)


def test_the_random_classifiers_have_tripoints_to_find():
    counts = [len(grid_tripoints(random_classifier(seed)).tripoints) for seed in range(10)]
    assert sum(c > 0 for c in counts) >= 7
    assert max(counts) >= 4
