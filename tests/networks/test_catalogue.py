"""Every entry of the catalogue against rational arithmetic, and the steps of its proofs that can be computed."""

from fractions import Fraction
from itertools import combinations

import pytest
import torch

from isthmus.errors import OptionError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import ABSOLUTE, RELU, Activation, FullyConnected, before_affine
from isthmus.networks.catalogue import catalogue, sawtooth, tripod
from isthmus.spectra import bottleneck_rank
from oracles.rational_network import exact_jacobian, exact_rank, exact_values
from oracles.rational_regions import adjacent_pairs, distinct_piece_count, largest_rank, rational_regions

ENTRIES = {entry.name: entry for entry in catalogue(0)}


def interior_points(entry, n, seed=0):
    """Dyadic points with odd numerators over 2⁴⁰: never on a cut with short coefficients."""
    lower, upper = ([Fraction(v) for v in corner.tolist()] for corner in entry.box)
    generator = torch.Generator().manual_seed(seed)
    draws = torch.randint(0, 2**39, (n, len(lower)), generator=generator).tolist()
    return [
        [lo + (hi - lo) * Fraction(2 * v + 1, 2**40) for v, lo, hi in zip(row, lower, upper, strict=True)]
        for row in draws
    ]


def cells(entry):
    """The regions of an entry with one or two inputs; an interval becomes a strip."""
    lower, upper = (corner.tolist() for corner in entry.box)
    if entry.network.d_in == 1:
        along = before_affine(entry.network, torch.tensor([[1.0, 0.0]], dtype=torch.float64))
        return rational_regions(along, (*lower, 0), (*upper, 1))
    return rational_regions(entry.network, lower, upper)


@pytest.mark.parametrize("name", [n for n, e in ENTRIES.items() if e.network.d_in <= 2])
def test_the_jacobian_rank_is_the_exact_one_over_all_regions(name):
    assert largest_rank(cells(ENTRIES[name])) == ENTRIES[name].jacobian_rank


@pytest.mark.parametrize("name", [n for n, e in ENTRIES.items() if e.network.d_in == 3])
def test_the_jacobian_rank_is_the_exact_one_at_many_points_of_space(name):
    entry = ENTRIES[name]
    ranks = [exact_rank(exact_jacobian(entry.network, x)) for x in interior_points(entry, 150)]
    assert max(ranks) == entry.jacobian_rank


@pytest.mark.parametrize("seed", [1, 2])
def test_random_compositions_have_their_rank_at_the_constructed_point(seed):
    for entry in catalogue(seed):
        if entry.name.startswith("random"):
            origin = [Fraction(0)] * entry.network.d_in
            assert exact_rank(exact_jacobian(entry.network, origin)) == entry.jacobian_rank, entry.name
    first, other = catalogue(seed)[-1].network, catalogue(0)[-1].network
    assert torch.equal(first.weights[0], catalogue(seed)[-1].network.weights[0])
    assert not torch.equal(first.weights[0], other.weights[0])


@pytest.mark.parametrize("name", ENTRIES)
def test_the_measured_bracket_holds_the_bottleneck_rank(name):
    entry = ENTRIES[name]
    x = torch.tensor([[float(v) for v in p] for p in interior_points(entry, 1000)], dtype=torch.float64)
    estimate = bottleneck_rank(entry.network, x, tolerance=Tolerance(1e-9))
    # 500 of the points are differentiated at; none of them lies in the small triangle.
    missed = name == "rank 2 in a triangle of area 1/64"
    assert (estimate.lower, estimate.upper) == (entry.jacobian_rank - missed, entry.bottleneck_rank)


def test_every_entry_is_complete():
    entries = catalogue(0)
    assert len(ENTRIES) == len(entries)
    assert {e.network.d_in for e in entries} == {1, 2, 3}
    assert len({e.network.d_out for e in entries}) >= 4
    sigmas = [e.network.activation for e in entries]
    assert sigmas.count(RELU) > len(sigmas) / 2
    assert ABSOLUTE in sigmas
    assert any(s not in (RELU, ABSOLUTE) for s in sigmas)
    for e in entries:
        assert e.jacobian_rank <= e.bottleneck_rank <= min(e.network.widths), e.name
        is_known = e.jacobian_rank == e.bottleneck_rank and e.network.activation.negative_slope < 1
        assert e.cost == (e.jacobian_rank if is_known else None), e.name
        assert (e.box[0] < e.box[1]).all()
        assert e.box[0].shape == e.box[1].shape == (e.network.d_in,)
        assert len(e.source) > 40, e.name
        assert e.network.dtype == torch.float64


def test_a_slope_above_one_passes_a_value_on_for_less_than_its_rank():
    """The identity on [-2, -1] through slopes of 3: each weight is 1/3, so R_∞ ≤ 1/9 although the rank is 1."""
    third, depth = torch.full((1, 1), 1 / 3, dtype=torch.float64), 100
    weights = (torch.eye(1).double(), *[third] * (depth - 1))
    chain = FullyConnected(weights, (torch.zeros(1).double(),) * depth, Activation(3.0))
    x = torch.linspace(-2, -1, 5).double()[:, None]
    torch.testing.assert_close(chain(x), x)
    assert chain.norm_per_depth == pytest.approx(1 / 9, rel=0.1)


def test_the_proof_of_the_tripod_step_by_step():
    found = rational_regions(tripod())
    active = [[i for i, c in enumerate(found) if c.signs[0][leg] > 0] for leg in range(3)]
    assert all(sum(s > 0 for s in c.signs[0]) <= 1 for c in found)  # disjoint active sets
    assert all(active)  # none is empty
    neighbours = adjacent_pairs(found)
    for members in active:
        assert is_connected(set(range(len(found))) - set(members), neighbours)
    legs = [tuple(Fraction(v) for v in column) for column in tripod().weights[1].T.tolist()]
    for u, v in combinations(legs, 2):  # on different rays from the origin
        assert u[0] * v[1] != u[1] * v[0] or u[0] * v[0] + u[1] * v[1] < 0
    assert all(exact_values(tripod(), x) == [0, 0] for x in [(0, 0), (0, Fraction(1, 2)), (Fraction(1, 2), 0)])


def is_connected(members, neighbours):
    reached, waiting = set(), [min(members)]
    while waiting:
        i = waiting.pop()
        reached.add(i)
        waiting += [k for pair in neighbours if i in pair for k in pair if k in members - reached]
    return reached == members


def test_rewritten_entries_are_exactly_the_relu_ones():
    for x in interior_points(ENTRIES["tripod"], 30):
        assert exact_values(ENTRIES["tripod, leaky_relu:3.0"].network, x) == exact_values(tripod(), x)


@pytest.mark.parametrize("folds", [1, 2, 5])
def test_the_saw_tooth_has_two_to_the_folds_pieces_between_0_and_1(folds):
    network = sawtooth(folds)
    values = [exact_values(network, [Fraction(i, 2**folds)])[0] for i in range(2**folds + 1)]
    assert values == [i % 2 for i in range(2**folds + 1)]
    strip = rational_regions(before_affine(network, torch.tensor([[1.0, 0.0]], dtype=torch.float64)), (0, 0), (1, 1))
    assert distinct_piece_count(strip) == 2**folds


def test_a_saw_tooth_without_folds_is_refused():
    with pytest.raises(OptionError, match="folds is 0 but must be at least 1"):
        sawtooth(0)


def test_the_products_and_norms_are_what_their_names_say():
    truths = {
        "maximum norm in the plane": lambda x: [max(abs(v) for v in x)],
        "l1 norm in space, absolute values": lambda x: [sum(abs(v) for v in x)],
        "fold of the square": lambda x: [abs(x[0]), x[1]],
        "absolute value of one number": lambda x: [abs(x[0])],
        "ramp": lambda x: [min(max(x[0], 0), Fraction(1, 2))],
        "saw-tooth times an affine map of rank 1": lambda x: [
            *exact_values(sawtooth(2), x[:1]),
            x[1] + 2 * x[2],
            -x[1] - 2 * x[2],
        ],
    }
    for name, truth in truths.items():
        for x in interior_points(ENTRIES[name], 30):
            assert exact_values(ENTRIES[name].network, x) == truth(x), name
