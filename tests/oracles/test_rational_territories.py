"""Territories of classes on logits that can be solved by hand, and against plain evaluation."""

from fractions import Fraction

import pytest
import torch

from isthmus.networks import affine
from oracles.random_classifiers import random_classifier
from oracles.rational_network import exact_values
from oracles.rational_territories import boundary_exits, neighbouring_classes, rational_territories
from oracles.rational_tripoints import rational_tripoints


def logits(rows, shift):
    return affine(torch.tensor(rows, dtype=torch.float64), torch.tensor(shift, dtype=torch.float64))


def test_three_stripes_form_a_path_with_four_exits():
    network = logits([[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]], [-1.0, 0.0, -1.0])
    found = rational_territories(network)
    assert [(t.label, t.area) for t in found] == [(0, 1), (1, 2), (2, 1)]
    assert neighbouring_classes(found) == {frozenset((0, 1)), frozenset((1, 2))}
    half = Fraction(1, 2)
    assert boundary_exits(found) == {(s * half, y): {1, 1 + s} for s in (-1, 1) for y in (-1, 1)}


def test_three_sectors_are_a_triangle_with_three_exits():
    network = logits([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [0.0, 0.0, 0.0])
    found = rational_territories(network)
    assert sum(t.area for t in found) == 4
    assert neighbouring_classes(found) == {frozenset(p) for p in [(0, 1), (0, 2), (1, 2)]}
    assert boundary_exits(found) == {(1, 1): {0, 1}, (-1, 0): {1, 2}, (0, -1): {0, 2}}


def test_quadrants_that_meet_in_a_point_are_no_neighbours():
    network = logits([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]], [0.0] * 4)
    found = rational_territories(network)
    assert neighbouring_classes(found) == {frozenset((i, (i + 1) % 4)) for i in range(4)}
    assert boundary_exits(found) == {(1, 0): {0, 3}, (0, 1): {0, 1}, (-1, 0): {1, 2}, (0, -1): {2, 3}}


def test_equal_logits_go_to_the_smaller_index():
    found = rational_territories(logits([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0, 0.0]))
    assert [(t.label, t.area) for t in found] == [(0, 2), (2, 2)]


@pytest.mark.parametrize("seed", range(4))
def test_territories_tile_the_box_and_the_class_wins_inside(seed):
    network = random_classifier(seed, hidden=(6, 5))
    found = rational_territories(network)
    assert sum(t.area for t in found) == 4
    for t in found:
        n = len(t.polygon)
        values = exact_values(network, [sum(p[axis] for p in t.polygon) / n for axis in (0, 1)])
        assert values[t.label] == max(values)


@pytest.mark.parametrize("seed", range(6))
def test_exits_are_where_the_winner_changes_on_a_walk_around_the_box(seed):
    network = random_classifier(seed, hidden=(6, 5))
    exits = boundary_exits(rational_territories(network))
    t = torch.linspace(-1, 1, 20001, dtype=torch.float64)[:-1]
    one = torch.ones_like(t)
    walk = torch.cat([torch.stack(side, 1) for side in [(t, -one), (one, t), (-t, one), (-one, -t)]])
    winners = network(walk).argmax(1)
    changed = (winners != winners.roll(1)).nonzero()[:, 0].tolist()
    assert len(changed) == len(exits)
    for i in changed:
        nearest = min(exits, key=lambda p: abs(p[0] - walk[i, 0].item()) + abs(p[1] - walk[i, 1].item()))
        assert [float(v) for v in nearest] == pytest.approx(walk[i].tolist(), abs=2e-4)
        assert exits[nearest] == {int(winners[i]), int(winners[i - 1])}


@pytest.mark.parametrize("seed", range(6))
def test_classes_that_meet_in_a_generic_tripoint_are_neighbours(seed):
    network = random_classifier(seed, hidden=(6, 5))
    pairs = neighbouring_classes(rational_territories(network))
    for classes in rational_tripoints(network).values():
        assert len(classes) == 3
        assert {frozenset((i, j)) for i in classes for j in classes if i < j} <= pairs
