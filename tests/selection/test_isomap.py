"""Distances along a sheet, and coordinates on it."""

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import shortest_path
from scipy.spatial import cKDTree
from sklearn.manifold import Isomap

from isthmus.selection.isomap import geodesic_distances, isomap


def roll(n, seed):
    """A swiss roll `(n, 3)` and its coordinates `(n, 2)`: arc length and height."""
    rng = np.random.default_rng(seed)
    angle = np.sqrt(rng.uniform((1.5 * np.pi) ** 2, (4.5 * np.pi) ** 2, n))
    height = rng.uniform(0.0, 21.0, n)
    arc = 0.5 * (angle * np.sqrt(1.0 + angle**2) + np.arcsinh(angle))
    return np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], 1), np.stack([arc, height], 1)


@pytest.mark.parametrize("neighbours", [3, 6])
def test_distances_are_scipys_shortest_paths(neighbours):
    points = roll(150, 100)[0]
    near, index = cKDTree(points).query(points, neighbours + 1)
    graph = np.zeros((150, 150))
    for row in range(150):
        graph[row, index[row, 1:]] = near[row, 1:]
    expected = shortest_path(graph, directed=False)
    assert np.isfinite(expected).all() == (neighbours == 6)  # with three there are islands
    found = geodesic_distances(torch.from_numpy(points), neighbours=neighbours)
    if neighbours == 6:
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    else:  # joined by twice as many
        np.testing.assert_array_equal(found, geodesic_distances(torch.from_numpy(points), neighbours=6))


def test_islands_are_joined_and_equal_points_are_no_distance_apart():
    points = torch.tensor([[0.0], [0.0], [0.1], [0.2], [100.0], [100.1], [100.2]], dtype=torch.float64)
    found = geodesic_distances(points, neighbours=2)
    assert found.isfinite().all()
    assert found[0, 1] == 0.0
    assert float(found[0, 6]) == pytest.approx(100.2)
    assert geodesic_distances(torch.zeros(1, 3), neighbours=3).tolist() == [[0.0]]


def test_coordinates_are_scikit_learns_isomap():
    points = roll(300, 101)[0]
    shares = {}
    for neighbours in (6, 5, 8, 12):  # with three there are islands, with twice as many none
        reference = Isomap(n_neighbors=neighbours, n_components=2)
        coordinates = reference.fit_transform(points)
        values = np.linalg.eigvalsh(-0.5 * _centred(reference.dist_matrix_**2))
        shares[neighbours] = np.square(coordinates).sum() / values.clip(0.0).sum(), coordinates
    expected = max(shares.values(), key=lambda each: each[0])[1]
    found = isomap(torch.from_numpy(points), 2)[0].numpy()
    expected = expected / np.sqrt(np.square(expected).mean())
    signs = np.sign((found * expected).sum(0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-5)


def test_a_roll_is_unrolled():
    points, truth = roll(500, 102)
    found = isomap(torch.from_numpy(points), 2)[0].numpy()
    explained = [np.square(np.corrcoef(truth.T, found.T)[side, 2 + side]) for side in range(2)]
    assert min(explained) > 0.9
    assert np.square(found).mean() == pytest.approx(1.0)
    np.testing.assert_allclose(found.mean(0), 0.0, atol=1e-12)


def test_a_hairpin_is_opened_though_its_arms_nearly_touch():
    radius, step = 0.025, 0.01  # twelve neighbours reach across
    arc = np.arange(-1.0, 1.0, step)
    turn = np.pi * radius / 2.0
    beyond = np.sign(arc) * (np.abs(arc) - turn).clip(0.0)
    angle = (arc - beyond) / radius
    points = np.stack([np.abs(beyond) + radius * (1.0 - np.cos(angle)), radius * np.sin(angle)], 1)
    found = isomap(torch.from_numpy(points), 1)[0][:, 0].numpy()
    assert abs(np.corrcoef(found, arc)[0, 1]) > 0.999


def test_directions_that_are_not_there_are_zero():
    line = torch.arange(10.0, dtype=torch.float64)[:, None]
    found, share = isomap(line, 3)
    assert share == pytest.approx(1.0)
    assert float(found[:, 1:].abs().max()) < 1e-6
    assert not isomap(torch.ones(8, 2), 2)[0].any()


def _centred(squares):
    return squares - squares.mean(0) - squares.mean(1, keepdims=True) + squares.mean()
