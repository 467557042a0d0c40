"""Decision boundaries and tripoints, against an adaptive grid, exact arithmetic, and cases drawn by hand."""

from itertools import pairwise, product

import numpy as np
import pytest

from cases import named, thinned
from isthmus.errors import DomainError, ShapeError
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
)
from isthmus.regions import enumerate_regions
from isthmus.regions.contested import contested
from isthmus.regions.half_edges import AFTER, BEFORE, FACE, ORIGIN, loops
from oracles.random_classifiers import random_classifier
from oracles.rational_territories import boundary_exits, neighbouring_classes, rational_territories
from oracles.rational_tripoints import rational_tripoints
from oracles.tripoint_grid import grid_tripoints
from regions.nets import default_init, layers


def boundary_of(network, box=(-1, 1)):
    """The boundary; tripoints counted alone, from the faces along it, are the same to the last bit."""
    regions = enumerate_regions(network, box)
    boundary = regions.decision_boundary()
    assert sorted(regions.tripoints().tolist()) == sorted(boundary.tripoints.tolist())
    return boundary


def is_inside(point, complex_):
    """Whether a face of the complex holds the point, up to rounding."""
    offsets, corners = loops(complex_.halves, complex_.faces)
    for begin, end in pairwise(offsets):
        here = complex_.place[corners[begin:end], :2] - point
        ahead = np.roll(here, -1, axis=0)
        if (here[:, 0] * ahead[:, 1] - here[:, 1] * ahead[:, 0] >= -1e-12).all():
            return True
    return False


@thinned("seed", range(50), keep=15)
def test_tripoints_are_those_an_adaptive_grid_finds(seed):
    network = random_classifier(seed, hidden=(16, 16), classes=3 + seed % 4)
    grid = grid_tripoints(network)
    assert grid.is_clear()
    boundary = boundary_of(network)
    found = sorted(
        (tuple(classes), *point)
        for classes, point in zip(boundary.tripoint_classes, boundary.tripoints.tolist(), strict=True)
    )
    expected = sorted((tuple(sorted(t.classes)), *t.point) for t in grid.tripoints)
    assert [f[0] for f in found] == [e[0] for e in expected]
    assert np.allclose([f[1:] for f in found], [e[1:] for e in expected], atol=1e-6) or not found
    assert len(boundary.tied_segments) == 0


@thinned("seed, activation", product(range(6), [RELU, Activation(0.25), ABSOLUTE]), keep=7, ids=named)
def test_everything_is_what_exact_arithmetic_says(seed, activation):
    network = random_classifier(seed, activation=activation)
    boundary = boundary_of(network)
    exact = rational_tripoints(network)
    alone = enumerate_regions(network, (-1, 1)).tripoints()
    assert np.allclose(sorted(alone.tolist()), sorted([float(v) for v in p] for p in exact), atol=1e-9) or not exact
    assert len(alone) == len(exact)
    found = {tuple(np.round(p, 9)): set(c) for p, c in zip(boundary.tripoints, boundary.tripoint_classes, strict=True)}
    assert found == {tuple(np.round([float(v) for v in p], 9)): set(c) for p, c in exact.items()}
    territories = rational_territories(network)
    assert set(boundary.adjacency) == {tuple(sorted(pair)) for pair in neighbouring_classes(territories)}
    exits = sorted([float(v) for v in p] for p in boundary_exits(territories))
    assert np.allclose(sorted(boundary.exits.tolist()), exits, atol=1e-9)


def test_the_largest_output_changes_across_every_segment():
    network = default_init((2, 64, 64, 64, 64, 4))
    import torch

    regions = enumerate_regions(network, (-1, 1))
    centred = type(network)(
        network.weights, (*network.biases[:-1], network.biases[-1] - torch.from_numpy(regions.outputs.mean(axis=0)))
    )
    boundary = boundary_of(centred)
    assert len(boundary.tripoints) == 3  # another tool's count, and a separate solve in each region
    middles = boundary.segments.mean(axis=1)
    along = boundary.segments[:, 1] - boundary.segments[:, 0]
    long = np.linalg.norm(along, axis=1) > 1e-6
    normals = np.stack([-along[:, 1], along[:, 0]], axis=1)[long] / np.linalg.norm(along, axis=1)[long, None]
    sides = [centred(torch.from_numpy(middles[long] + s * 1e-9 * normals)).argmax(1).numpy() for s in (-1, 1)]
    assert (np.sort(np.stack(sides, axis=1), axis=1) == boundary.classes[long]).all()


def test_three_half_planes_meet_in_one_point():
    net = layers(([[1.0, 0.0], [-0.5, 0.75**0.5], [-0.5, -(0.75**0.5)]], [0.0, 0.0, 0.0]), activation=IDENTITY)
    boundary = boundary_of(net)
    assert np.allclose(boundary.tripoints, [[0.0, 0.0]], atol=1e-15)
    assert boundary.tripoint_classes == ((0, 1, 2),)
    assert set(boundary.adjacency) == {(0, 1), (0, 2), (1, 2)}
    assert boundary.order is None  # a triangle of classes is no path
    assert len(boundary.exits) == 3


def test_classes_along_a_line_have_an_order_and_no_tripoint():
    """A classifier of bottleneck rank 1: every class needs one interval of x + y."""
    net = layers(([[1.0, 1.0]], [0.0]), ([[-2.0], [0.0], [2.0], [1.0]], [0.0, 0.5, -2.0, 0.0]), activation=IDENTITY)
    boundary = boundary_of(net)
    assert len(boundary.tripoints) == 0
    assert boundary.order == (0, 1, 3) or boundary.order == (0, 1, 3, 2)
    assert set(boundary.present) == set(boundary.order)


def test_two_outputs_that_are_one_function_tie_on_an_area():
    net = layers(([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0, 0.0]), activation=IDENTITY)
    boundary = boundary_of(net)
    assert boundary.tied_area == pytest.approx(2.0)
    assert len(boundary.tripoints) == 0
    lengths = np.linalg.norm(boundary.tied_segments[:, 1] - boundary.tied_segments[:, 0], axis=1)
    assert lengths.sum() == pytest.approx(2.0)
    assert boundary.present == (0, 2)
    assert boundary.order == (0, 2)


def test_one_class_everywhere():
    boundary = boundary_of(layers(([[0.0, 0.0], [0.0, 0.0]], [1.0, 0.0])))
    assert len(boundary.segments) == len(boundary.tripoints) == len(boundary.exits) == 0
    assert (boundary.present, boundary.order, boundary.adjacency) == ((0,), (0,), {})


def test_a_tie_at_a_corner_of_the_box_is_a_tripoint():
    net = layers(([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [-1.0, -1.0, 0.0]), activation=IDENTITY)
    boundary = boundary_of(net)
    assert boundary.tripoints.tolist() == [[1.0, 1.0]]


def test_one_output_has_no_boundary_and_partial_regions_neither():
    with pytest.raises(ShapeError, match="two outputs"):
        boundary_of(default_init((2, 4, 1)))
    partial = enumerate_regions(default_init((2, 32, 32, 3)), (-1, 1), budget=20, partial=True)
    with pytest.raises(DomainError, match="partial"):
        partial.tripoints()
    assert not any(partial.pattern(i)[1].any() for i in range(len(partial)))  # of a layer that has not cut yet


def test_few_faces_are_contested_and_all_points_of_the_boundary_are_theirs():
    network = random_classifier(5, hidden=(32, 32, 32, 32), classes=4)
    regions = enumerate_regions(network, (-1, 1))
    whole = regions.planar
    part = contested(whole, np.zeros(len(whole.place)))
    _, e, f = part.counts
    assert 0 < f < 0.2 * len(whole.faces)
    assert (part.halves[part.halves[:, AFTER], BEFORE] == np.arange(2 * e)).all()
    assert (part.halves[part.halves[:, AFTER], ORIGIN] == part.halves[np.arange(2 * e) ^ 1, ORIGIN]).all()
    assert (part.halves[part.halves[:, AFTER], FACE] == part.halves[:, FACE]).all()
    assert all(is_inside(segment.mean(axis=0), part) for segment in regions.decision_boundary().segments)


@pytest.mark.parametrize("exponent", [-35, 35])
def test_ties_do_not_depend_on_how_the_function_is_written(exponent):
    """Last hidden neurons scaled by c and their outgoing weights by 1/c, c up to 3e10: f and its ties stay."""
    network = random_classifier(3, hidden=(16, 16), classes=4)
    c = 2.0**exponent
    weights, biases = list(network.weights), list(network.biases)
    weights[1], biases[1], weights[2] = weights[1] * c, biases[1] * c, weights[2] / c
    found, expected = boundary_of(type(network)(tuple(weights), tuple(biases))), boundary_of(network)
    assert found.tripoint_classes == expected.tripoint_classes
    assert np.allclose(found.tripoints, expected.tripoints, atol=1e-12)
    assert found.tied_area == expected.tied_area == 0.0
