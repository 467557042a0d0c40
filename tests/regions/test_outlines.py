"""Outlines of territories against the parts they enclose, against f itself, and a case drawn by hand."""

import numpy as np
import pytest
import torch

from isthmus.regions import class_outlines, enumerate_regions
from oracles.random_classifiers import random_classifier
from regions.nets import layers


def _area(line):
    x, y = line.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def _is_inside(points, lines):
    """By the even-odd rule: how often a ray to the right crosses."""
    crossed = np.zeros(len(points), int)
    for line in lines:
        for (x0, y0), (x1, y1) in zip(line, np.roll(line, -1, axis=0), strict=True):
            spans = (y0 > points[:, 1]) != (y1 > points[:, 1])
            with np.errstate(divide="ignore", invalid="ignore"):
                at = x0 + (points[:, 1] - y0) / (y1 - y0) * (x1 - x0)
            crossed += spans & (points[:, 0] < at)
    return crossed % 2 == 1


@pytest.mark.parametrize("seed", range(12))
def test_each_outline_encloses_the_points_at_which_its_class_is_largest(seed):
    network = random_classifier(seed, hidden=(16, 16), classes=3 + seed % 4)
    boundary = enumerate_regions(network, (-1, 1)).decision_boundary()
    outlines = class_outlines(boundary)
    points = np.random.default_rng(seed).uniform(-1, 1, (500, 2))
    owners = network(torch.from_numpy(points)).argmax(1).numpy()
    assert set(outlines) == set(boundary.present)
    for owner, lines in outlines.items():
        assert (_is_inside(points, lines) == (owners == owner)).all()
    total = sum(_area(line) for lines in outlines.values() for line in lines)
    assert total == pytest.approx(4.0, rel=1e-9)


def test_a_hole_runs_clockwise():
    # Class 1 where |x| + |y| < 1/2: a diamond in class 0.
    network = layers(([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 0, 0]), ([[1, 1, 1, 1], [0, 0, 0, 0]], [0, 0.5]))
    outlines = class_outlines(enumerate_regions(network, (-1, 1)).decision_boundary())
    assert sorted(_area(line) for line in outlines[0]) == pytest.approx([-0.5, 4.0])
    assert [_area(line) for line in outlines[1]] == pytest.approx([0.5])
