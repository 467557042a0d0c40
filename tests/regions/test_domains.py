"""Domains: boxes, polygons, slices; budgets; and every way to ask for something impossible."""

import numpy as np
import pytest
import torch
from torch import nn

from cases import random_layers, through
from isthmus.errors import (
    CollinearPointsError,
    DomainError,
    NonFiniteError,
    RegionBudgetError,
    ShapeError,
    UnsupportedModuleError,
)
from isthmus.networks import RELU, Affine, StandardizedNetwork
from isthmus.regions import Plane, enumerate_regions
from regions.nets import assert_a_tiling, assert_continuous, default_init, layers

NET = random_layers((2, 8, 8, 3), RELU, 0)


def test_a_box_may_have_a_bound_for_each_axis():
    regions = enumerate_regions(NET, ((-1, 0), (2, 0.5)))
    assert_a_tiling(regions, 1.5)
    assert regions.vertices.min(axis=0).tolist() == [-1, 0]
    assert regions.vertices.max(axis=0).tolist() == [2, 0.5]


def test_a_polygon_in_either_direction():
    corners = [[0, 0], [2, 0], [3, 2], [1, 3]]
    one, other = enumerate_regions(NET, polygon=corners), enumerate_regions(NET, polygon=corners[::-1])
    assert len(one) == len(other)
    for regions in (one, other):
        assert_a_tiling(regions, 5.5)
        assert_continuous(regions)


def test_the_regions_of_a_polygon_are_those_of_the_box_that_meet_it():
    triangle = enumerate_regions(NET, polygon=[[-1, -1], [1, -1], [-1, 1]])
    box = enumerate_regions(NET, (-1, 1))
    assert {p.tobytes() for p in triangle.patterns} <= {p.tobytes() for p in box.patterns}


def test_a_slice_is_the_function_on_the_plane():
    net = through(3, 0)
    points = np.random.default_rng(0).standard_normal((3, 9))
    plane = Plane.through(points)
    assert np.allclose(plane.directions.T @ plane.directions, np.eye(2))
    assert np.allclose(plane.embed(plane.coordinates(points)), points)
    regions = enumerate_regions(net, (-2, 2), plane=plane)
    assert_a_tiling(regions, 16.0)
    inside = regions.interior_points
    expected = net(torch.from_numpy(plane.embed(inside))).numpy()
    assert np.allclose(regions.network(torch.from_numpy(inside)).numpy(), expected)
    # In its own nine inputs f has rank 3; restricted to a plane it cannot show more than 2.
    assert regions.jacobian_rank().lower == 3
    assert regions.singular_values.shape[1] == 9
    assert regions.jacobians().shape == (len(regions), 9, 9)
    assert regions.slice_jacobians().shape == (len(regions), 9, 2)
    assert np.allclose(regions.jacobians() @ plane.directions, regions.slice_jacobians())


def test_models_of_every_kind_have_the_same_regions():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2)).double()
    from isthmus.networks import from_torch

    bare = from_torch(module)
    assert len(enumerate_regions(module, (-1, 1))) == len(enumerate_regions(bare, (-1, 1)))
    scale = torch.tensor([2.0, 4.0], dtype=torch.float64)
    standard = StandardizedNetwork(bare, Affine(torch.zeros(2).double(), scale), Affine.identity(2))
    assert len(enumerate_regions(standard, ((-2, -4), (2, 4)))) == len(enumerate_regions(bare, (-1, 1)))


def test_a_region_on_demand():
    regions = enumerate_regions(NET, (-1, 1))
    for region in regions:
        x = region.interior_point
        assert np.allclose(region.matrix @ x + region.constant, NET(torch.from_numpy(x[None])).numpy()[0])
        pattern = [(z[0] > 0).numpy() for z in NET.pre_activations(torch.from_numpy(x[None]))[:-1]]
        assert all((p == q).all() for p, q in zip(pattern, region.pattern, strict=True))
    assert regions[-1].index == len(regions) - 1
    with pytest.raises(IndexError):
        regions[len(regions)]


def test_a_budget_says_how_many_were_found_and_can_return_them():
    net = default_init((2, 32, 32, 32, 1))
    with pytest.raises(
        RegionBudgetError, match=r"More than 500 linear regions: 5\d\d were found .* Raise the budget"
    ) as e:
        enumerate_regions(net, (-1, 1), budget=500)
    assert e.value.budget == 500
    assert e.value.found > 500
    partial = enumerate_regions(net, (-1, 1), budget=500, partial=True)
    assert not partial.is_complete
    assert len(partial) == e.value.found
    assert partial.areas.sum() == pytest.approx(4.0)
    with pytest.raises(DomainError, match="partial"):
        partial.jacobian_rank()
    assert len(enumerate_regions(net, (-1, 1), budget=1_180)) == 1_180
    with pytest.raises(RegionBudgetError):
        enumerate_regions(net, (-1, 1), budget=1_179)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, DomainError, "No domain was given"),
        ({"box": (1, 1)}, DomainError, "empty along dimension 0.*lower bound 1 is not below"),
        ({"box": ((0, 2), (1, 1))}, DomainError, "empty along dimension 1"),
        ({"box": (-np.inf, 1)}, DomainError, "must be bounded"),
        ({"box": (0, np.nan)}, DomainError, "must be bounded"),
        ({"box": (0, 1, 2)}, DomainError, "must be a pair"),
        ({"box": ("a", 1)}, DomainError, "must be a pair"),
        ({"box": ((0, 0, 0), 1)}, ShapeError, "lower bound of the box has shape"),
        ({"box": (0, 1), "polygon": [[0, 0], [1, 0], [0, 1]]}, DomainError, "Choose one"),
        ({"polygon": [[0, 0], [1, 0]]}, DomainError, "at least 3"),
        ({"polygon": [[0, 0], [1, 0], [2, 0]]}, DomainError, "not strictly convex"),
        ({"polygon": [[0, 0], [2, 0], [0.5, 0.5], [0, 2]]}, DomainError, "not strictly convex"),
        ({"polygon": [[0, 1], [0.6, -0.8], [-0.95, 0.3], [0.95, 0.3], [-0.6, -0.8]]}, DomainError, "strictly convex"),
        ({"polygon": [[0, 0, 0], [1, 0, 0], [0, 1, 0]]}, ShapeError, "both must be 2"),
        ({"polygon": [[0, 0], [1, 0], [0, np.inf]]}, NonFiniteError, "the polygon"),
        ({"box": (0, 1), "budget": 0}, DomainError, "cannot hold even one"),
    ],
)
def test_impossible_domains_are_named(options, error, message):
    with pytest.raises(error, match=message):
        enumerate_regions(NET, **options)


def test_more_than_six_dimensions_need_a_slice():
    with pytest.raises(DomainError, match=r"9 dimensions.*at most 6.*plane"):
        enumerate_regions(through(2, 0), (-1, 1))


def test_a_plane_must_span_and_fit():
    with pytest.raises(CollinearPointsError, match="one line"):
        Plane.through([[0, 0, 0], [1, 1, 1], [3, 3, 3]])
    with pytest.raises(CollinearPointsError):
        Plane.through([[1, 2], [1, 2], [0, 0]])
    with pytest.raises(CollinearPointsError):
        Plane(np.zeros(3), np.ones((3, 2)))
    with pytest.raises(ShapeError, match="give three points"):
        Plane.through([[0, 0], [1, 0]])
    with pytest.raises(ShapeError, match="expected \\(3, 2\\)"):
        Plane(np.zeros(3), np.ones((2, 2)))
    with pytest.raises(NonFiniteError, match="the points of the plane"):
        Plane.through([[0, 0], [1, np.nan], [0, 1]])
    with pytest.raises(ShapeError, match="3 dimensions but the network takes 9"):
        enumerate_regions(through(2, 0), (-1, 1), plane=Plane(np.zeros(3), np.eye(3, 2)))


def test_activations_outside_the_theory_are_refused_by_name():
    with pytest.raises(UnsupportedModuleError, match="Tanh"):
        enumerate_regions(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), (-1, 1))
    with pytest.raises(UnsupportedModuleError, match="not a network"):
        enumerate_regions("model", (-1, 1))


def test_constant_and_affine_functions():
    constant = enumerate_regions(layers(([[0.0, 0.0]], [3.0])), (-1, 1))
    assert (len(constant), constant.jacobian_rank().upper, constant.bottleneck_rank().upper) == (1, 0, 0)
    assert constant.count_pieces() == (1, 1)
    affine = enumerate_regions(layers(([[1.0, 2.0], [2.0, 4.0]], [0.0, 1.0])), (-1, 1))
    assert (affine.jacobian_rank().lower, affine.bottleneck_rank().upper) == (1, 1)
