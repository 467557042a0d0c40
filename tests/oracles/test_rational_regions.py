"""The rational oracle on nets whose regions can be counted by hand, and against plain evaluation."""

from fractions import Fraction

import pytest
import torch

from isthmus.networks import (
    ABSOLUTE,
    RELU,
    Activation,
    FullyConnected,
)
from oracles.degenerate_nets import DEGENERATE_NETS
from oracles.rational_network import exact_jacobian, exact_rank, exact_values, rational_network
from oracles.rational_regions import (
    activation_region_count,
    adjacent_pairs,
    connected_piece_count,
    distinct_piece_count,
    largest_rank,
    rational_regions,
    share_a_segment,
)


def net(*layers, activation=RELU):
    """Layers as (weight rows, biases)."""
    return FullyConnected(
        tuple(torch.tensor(w, dtype=torch.float64) for w, _ in layers),
        tuple(torch.tensor(b, dtype=torch.float64) for _, b in layers),
        activation,
    )


def counts(cells):
    return activation_region_count(cells), distinct_piece_count(cells), connected_piece_count(cells)


def test_one_line_makes_two_cells():
    cells = rational_regions(net(([[1.0, 0.0]], [-0.5]), ([[1.0]], [0.0])))
    assert counts(cells) == (2, 2, 2)
    assert sorted(c.area for c in cells) == [1, 3]
    assert adjacent_pairs(cells) == {(0, 1)}
    assert largest_rank(cells) == 1


def test_a_line_that_only_touches_the_box_cuts_nothing():
    cells = rational_regions(net(([[1.0, 1.0]], [-2.0]), ([[1.0]], [0.0])))
    assert counts(cells) == (1, 1, 1)
    assert cells[0].signs == ((-1,),)


def test_the_l1_norm_has_four_cells_and_four_pieces():
    relu = net(([[1.0, 0], [-1, 0], [0, 1], [0, -1]], [0.0] * 4), ([[1.0] * 4], [0.0]))
    absolute = net(([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0]), activation=ABSOLUTE)
    for network in (relu, absolute):
        cells = rational_regions(network)
        assert counts(cells) == (4, 4, 4)
        assert len(adjacent_pairs(cells)) == 4  # opposite quadrants meet in a point only
        assert {c.jacobian for c in cells} == {((a, b),) for a in (1, -1) for b in (1, -1)}


def test_a_cut_on_which_f_is_affine_makes_two_regions_and_one_piece():
    """The identity as relu(x) − relu(−x)."""
    cells = rational_regions(net(([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]), ([[1.0, -1.0]], [0.0])))
    assert counts(cells) == (2, 1, 1)


def test_equal_pieces_apart_are_one_distinct_and_two_connected():
    """A trough has three pieces; a hat is zero on both sides of it."""
    trough = net(([[1.0, 0.0], [-1.0, 0.0]], [-0.5, -0.5]), ([[1.0, 1.0]], [0.0]))
    assert counts(rational_regions(trough)) == (3, 3, 3)
    hat = net(([[1.0, 0], [1, 0], [1, 0]], [0.5, 0.0, -0.5]), ([[1.0, -2.0, 1.0]], [0.0]))
    assert counts(rational_regions(hat)) == (4, 3, 4)


def test_neighbours_at_a_corner_are_not_connected():
    """Opposite octants of ||x| − |y|| have the same affine map and touch at the origin only."""
    opposite = net(
        ([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), ([[1.0, -1.0], [-1.0, 1.0]], [0.0, 0.0]), activation=ABSOLUTE
    )
    deeper = FullyConnected(
        (*opposite.weights, torch.eye(2).double()), (*opposite.biases, torch.zeros(2).double()), ABSOLUTE
    )
    cells = rational_regions(deeper)
    assert counts(cells) == (8, 4, 8)
    assert len(adjacent_pairs(cells)) == 8


def test_neurons_that_vanish_have_sign_zero_and_split_nothing():
    """The second layer sees relu(x), which is zero on the left half."""
    cells = rational_regions(net(([[1.0, 0.0]], [0.0]), ([[1.0], [-2.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])))
    assert {c.signs for c in cells} == {((1,), (1, -1)), ((-1,), (0, 0))}
    assert counts(cells) == (2, 2, 2)


def test_the_rank_is_exact_where_floating_point_would_see_two():
    """Rows (1, 3) and (2⁻⁶⁰, 3·2⁻⁶⁰) are dependent; (1, 3) and (2⁻⁶⁰, 2⁻⁶⁰) are not."""
    tiny = Fraction(1, 2**60)
    assert exact_rank([[Fraction(1), Fraction(3)], [tiny, 3 * tiny]]) == 1
    assert exact_rank([[Fraction(1), Fraction(3)], [tiny, tiny]]) == 2
    assert exact_rank([[Fraction(0), Fraction(0)]]) == 0
    assert exact_rank([[Fraction(0), Fraction(2)], [Fraction(1), Fraction(0)], [Fraction(1), Fraction(1)]]) == 2


def test_segments_count_only_with_positive_length():
    square = ((0, 0), (1, 0), (1, 1), (0, 1))
    assert share_a_segment(square, ((1, Fraction(1, 2)), (2, 0), (2, 3), (1, 3)))
    assert not share_a_segment(square, ((1, 1), (2, 1), (2, 2), (1, 2)))
    assert not share_a_segment(square, ((2, 0), (3, 0), (3, 1), (2, 1)))


NETS = {name: build(0) for name, build in DEGENERATE_NETS.items()}
NETS |= {f"{name}, leaky": build(1, Activation(0.25)) for name, build in DEGENERATE_NETS.items()}
NETS |= {f"{name}, absolute": build(2, ABSOLUTE) for name, build in DEGENERATE_NETS.items()}


@pytest.mark.parametrize("name", NETS)
def test_cells_tile_the_box_and_carry_the_function(name):
    network = NETS[name]
    cells = rational_regions(network)
    assert sum(c.area for c in cells) == 4
    assert all(c.area > 0 for c in cells)
    assert len({c.signs for c in cells}) == len(cells)  # in a box each strict pattern is one convex cell
    slope = rational_network(network).slope
    regions, distinct, connected = counts(cells)
    assert distinct <= connected <= regions
    for cell in cells:
        x, y = cell.interior_point
        value = [p * x + q * y + r for (p, q), r in zip(cell.jacobian, cell.constant, strict=True)]
        assert value == exact_values(network, (x, y))
        assert [list(row) for row in cell.jacobian] == exact_jacobian(network, (x, y))
        assert signs_at(network, (x, y), slope) == cell.signs


def signs_at(network, point, slope):
    net = rational_network(network)
    a, signs = list(point), []
    for w, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        z = [sum((p * q for p, q in zip(row, a, strict=True)), c) for row, c in zip(w, b, strict=True)]
        signs.append(tuple((v > 0) - (v < 0) for v in z))
        a = [v if v > 0 else slope * v for v in z]
    return tuple(signs)


@pytest.mark.parametrize("name", ["integer weights", "zero biases", "paired weights"])
def test_random_points_find_no_pattern_that_the_oracle_lacks(name):
    network = DEGENERATE_NETS[name](3)
    known = {c.signs for c in rational_regions(network)}
    generator = torch.Generator().manual_seed(0)
    points = torch.randint(-(2**20) + 1, 2**20, (400, 2), generator=generator).tolist()
    found = {signs_at(network, [Fraction(v, 2**20) for v in p], Fraction(0)) for p in points}
    strict = {s for s in found if s in known}
    assert len(strict) > 0.6 * len(known)
    on_a_line = found - known
    assert len(on_a_line) <= 2  # a random dyadic point almost never lies on a cut


def test_the_all_dead_layer_leaves_one_region_of_rank_zero():
    cells = rational_regions(NETS["all-dead layer"])
    assert counts(cells) == (1, 1, 1)
    assert largest_rank(cells) == 0


def test_nets_are_deterministic_and_seeds_differ():
    for name, build in DEGENERATE_NETS.items():
        assert torch.equal(build(4).weights[1], build(4).weights[1]), name
        assert not torch.equal(build(4).weights[1], build(5).weights[1]), name
