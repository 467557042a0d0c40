"""Brackets of the representation cost: never violated, networks that compute f, known limits, the axioms of R_∞."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import random_layers, thinned
from isthmus.costs import (
    Candidates,
    Patches,
    cost_limit,
    descent,
    lower_bounds,
    piecewise_linear,
    representation_cost,
    representation_costs,
    rewritings,
    shallow_cost,
    upper_bounds,
)
from isthmus.costs.descent import descended
from isthmus.costs.steepest import steepest_points
from isthmus.errors import (
    DomainError,
    NonFiniteError,
    OptionError,
    ShapeError,
    UnsupportedModuleError,
)
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
    FullyConnected,
    StandardizedNetwork,
    add,
    compose,
    deepened,
    standardization,
)
from isthmus.networks.catalogue import catalogue

CATALOGUE = catalogue(1)
SOME = [e for e in CATALOGUE if e.network.squared_norm < 60]


def ids(entry):
    return entry.name


def inside(entry, n=200):
    low, high = entry.box
    return low + (high - low) * torch.rand(n, len(low), generator=torch.Generator().manual_seed(0)).double()


@thinned("entry", SOME, keep=10, ids=ids)
def test_brackets_hold_and_the_networks_compute_f_inside_the_domain(entry):
    depths = [entry.network.depth, 13, 1000]
    x = inside(entry)
    for interval in representation_costs(entry.network, depths=depths, box=entry.box):
        assert interval.lower <= interval.upper * (1 + 1e-9)
        net = interval.network
        assert net is not None
        assert net.depth == interval.depth
        assert net.norm_per_depth == pytest.approx(interval.upper, rel=1e-12)
        difference = (net(x) - entry.network(x)).norm(dim=1).max()
        assert float(difference) <= 2e-6 * float(entry.network(x).norm(dim=1).max())
    if entry.cost is not None:
        assert interval.upper == pytest.approx(entry.cost, abs=0.05 * max(1.0, entry.cost))


@pytest.mark.parametrize("entry", CATALOGUE, ids=ids)
def test_the_limit_lies_between_the_ranks_and_is_known_where_they_agree(entry):
    limit = cost_limit(entry.network, box=entry.box)
    steepness = max(1.0, abs(entry.network.activation.negative_slope))
    assert limit.lower == pytest.approx(entry.jacobian_rank / steepness**2)
    assert limit.upper >= entry.bottleneck_rank
    assert limit.upper <= min(entry.network.d_in, entry.network.d_out)
    if entry.cost is not None and "fold" not in entry.name:
        assert (limit.lower, limit.upper) == (entry.cost, pytest.approx(limit.upper))


def test_the_tripod_is_bracketed_by_its_two_ranks():
    tripod = next(e for e in CATALOGUE if e.name == "tripod")
    limit = cost_limit(tripod.network, box=tripod.box)
    assert (limit.lower, limit.upper, limit.depth) == (1.0, 2.0, float("inf"))


SMALL = [e for e in CATALOGUE if e.network.d_in == e.network.d_out == 2 and e.network.activation == RELU]


@thinned("f, g", list(itertools.product(SMALL, SMALL))[::5], keep=10, ids=ids)
def test_axioms_2_and_3_through_the_brackets(f, g):
    """R_∞ of a composition and of a sum, from below, against those of the parts, from above."""
    box = f.box
    both = cost_limit(add(f.network, g.network), box=box)
    parts = [cost_limit(e.network, box=box) for e in (f, g)]
    assert both.lower <= parts[0].upper + parts[1].upper
    image = g.network(inside(g, 500))
    reach = float(image.abs().max()) + 1.0
    after = cost_limit(f.network, box=(-reach, reach))  # f on a neighbourhood of g's values
    assert cost_limit(compose(f.network, g.network), box=g.box).lower <= min(after.upper, parts[1].upper)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_axiom_4_an_affine_map_has_the_limit_rank_a(rank):
    generator = torch.Generator().manual_seed(rank)
    a = torch.randn(4, rank, generator=generator).double() @ torch.randn(rank, 3, generator=generator).double()
    affine = FullyConnected((a,), (torch.randn(4, generator=generator).double(),))
    limit = cost_limit(affine, box=(-1.0, 1.0))
    assert (limit.lower, limit.upper) == (rank, rank)


ANY_ACTIVATION = st.sampled_from([RELU, IDENTITY, ABSOLUTE, Activation(0.2), Activation(-0.7), Activation(3.0)])


@settings(max_examples=150)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=7),
    activation=ANY_ACTIVATION,
    seed=st.integers(0, 10_000),
    scale=st.floats(0.05, 5.0),
)
def test_no_network_is_below_the_lower_bounds(widths, activation, seed, scale):
    net = random_layers(tuple(widths), activation, seed)
    net = FullyConnected(tuple(scale * w for w in net.weights), net.biases, activation)
    x = torch.randn(20, widths[0], generator=torch.Generator().manual_seed(seed)).double()
    for bound in lower_bounds(net, x, net.depth):
        assert bound.value <= net.norm_per_depth * (1 + 1e-12)


@settings(max_examples=20)
@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    activation=ANY_ACTIVATION,
    seed=st.integers(0, 10_000),
    more=st.integers(0, 40),
)
def test_no_bracket_is_empty(widths, activation, seed, more):
    net = random_layers(tuple(widths), activation, seed)
    x = torch.randn(6, widths[0], generator=torch.Generator().manual_seed(seed)).double()
    interval = representation_cost(net, x, depth=net.depth + more)
    assert interval.lower <= interval.upper * (1 + 1e-9)


def test_closed_forms_are_both_ends():
    a = torch.randn(3, 4, generator=torch.Generator().manual_seed(5)).double()
    b = torch.tensor([1.0, -2.0, 0.5]).double()
    x = torch.randn(5, 4).double()
    zero = torch.zeros(3).double()
    for depth in (1, 2, 7, 100):
        exact = float((torch.linalg.svdvals(a) ** (2 / depth)).sum())
        interval = representation_cost(FullyConnected((a,), (zero,), IDENTITY), x, depth=depth, tolerance=1e-8)
        assert interval.lower == pytest.approx(exact, rel=1e-7)
        assert interval.upper == pytest.approx(exact, rel=1e-7)
    affine = representation_cost(FullyConnected((a,), (b,)), x, depth=1, tolerance=1e-8)
    assert affine.lower == pytest.approx(float(a.square().sum() + b.square().sum()), rel=1e-6)
    assert affine.upper == pytest.approx(affine.lower, rel=1e-6)
    constant = representation_cost(FullyConnected((0 * a,), (3 * b,)), x, depth=2, tolerance=1e-8)
    size = 3 * float(b.norm())
    assert constant.lower == pytest.approx((2 * size - 1) / 2, rel=1e-6)
    assert constant.upper == pytest.approx((2 * size - 1) / 2, rel=1e-6)


def test_depth_two_in_one_variable_is_the_exact_cost():
    f = random_layers((1, 4, 2), RELU, 3)
    exact = shallow_cost(piecewise_linear(f, -1.0, 2.0))
    interval = representation_cost(f, depth=2, box=(-1.0, 2.0))
    assert interval.upper == pytest.approx(exact.upper / 2, rel=1e-6)
    assert interval.lower <= exact.lower / 2


def test_training_on_keeps_the_function_and_lowers_the_norm():
    entry = next(e for e in catalogue(0) if e.name == "random R^2 → R^1 → R^2")
    patches = Patches.of_box(entry.network, entry.box)
    found = upper_bounds(patches, Candidates.of(patches), 9)
    assert found[0].by.endswith("trained on")
    assert found[0].value < found[1].value
    x = inside(entry)
    torch.testing.assert_close(found[0].network(x), entry.network(x), rtol=1e-5, atol=1e-5)
    before = found[1].network.dense()
    after = descended(before, patches)
    assert after.squared_norm < 0.99 * before.squared_norm
    assert patches.is_computed_by(after)


def test_corrections_that_run_away_end_the_step(monkeypatch):
    entry = next(e for e in CATALOGUE if e.name == "random R^2 → R^1 → R^2")
    patches, solved, calls = Patches.of_box(entry.network, entry.box), descent._solved, []

    def running_away(jacobian, residual):
        calls.append(len(calls))
        return solved(jacobian, residual) * (1e200 if len(calls) == 2 else 1.0)  # the first correction

    monkeypatch.setattr(descent, "_solved", running_away)
    after = descended(entry.network, patches)
    assert len(calls) > 4  # a shorter step follows
    assert patches.is_computed_by(after)
    assert after.squared_norm < entry.network.squared_norm


@pytest.mark.exhaustive
def test_corrections_that_run_away_do_not_end_the_bracket():
    """On this function Newton's corrections leave the finite numbers at the first step length."""
    relu = [e for e in catalogue(12) if e.name.startswith("random") and e.network.activation == RELU]
    for interval in representation_costs(relu[5].network, depths=[13, 50], box=relu[5].box):
        assert interval.lower <= interval.upper < float("inf")


def test_a_larger_tolerance_asks_for_the_cost_of_what_f_is_about():
    """Rank 1 and a faint second direction: both ends follow the tolerance across its size, 1e-3."""
    generator = torch.Generator().manual_seed(0)
    u, v = torch.linalg.qr(torch.randn(4, 2, generator=generator).double())[0].T
    f = FullyConnected((torch.outer(u, v) + 1e-3 * torch.outer(v, u),), (torch.zeros(4).double(),))
    x = torch.randn(20, 4, generator=generator)
    for tolerance, rank in ((1e-6, 2), (1e-4, 2), (1e-2, 1)):
        limit = cost_limit(f, x, tolerance=tolerance)
        assert (limit.lower, limit.upper) == (rank, rank)
        interval = representation_cost(f, x, depth=500, tolerance=tolerance)
        assert rank * 0.95 < interval.lower <= interval.upper < rank * 1.05


def test_what_is_near_enough_is_f_at_both_ends():
    """The bracket of a network perturbed within the tolerance overlaps the bracket of the network."""
    f = random_layers((3, 8, 8, 3), RELU, 5)
    nudged = FullyConnected(tuple(w * (1 + 1e-8) for w in f.weights), f.biases, RELU)
    x = torch.randn(30, 3, generator=torch.Generator().manual_seed(2)).double()
    one, other = (representation_cost(net, x, depth=9) for net in (f, nudged))
    assert one.lower <= other.upper
    assert other.lower <= one.upper
    patches = Patches.around(f, x)
    assert patches.is_computed_by(nudged)
    bounds = lower_bounds(f, patches.centres, 3, jacobian_error=patches.jacobian_error, value_error=patches.value_error)
    assert all(bound.value <= nudged.norm_per_depth for bound in bounds)


def test_a_patch_notices_what_a_comparison_of_values_does_not():
    f = random_layers((2, 6, 5, 2), RELU, 3)
    patches = Patches.of_box(f, (-1.0, 1.0), tolerance=1e-9)
    assert patches.is_computed_by(f)
    assert patches.is_computed_by(deepened(f, 5))
    nudged = FullyConnected((f.weights[0] * (1 + 1e-5), *f.weights[1:]), f.biases, RELU)
    assert not patches.is_computed_by(nudged)
    # A bump inside one region, zero at all corners: only the sign of its neurons gives it away.
    middle = patches.centres[0]
    bump = FullyConnected(
        (torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]).double(), torch.tensor([[1.0, -2.0, 1.0]] * 2).double()),
        (torch.tensor([1e-6, 0.0, -1e-6]).double() - middle[0], torch.zeros(2).double()),
    )
    with_bump = add(f, deepened(bump, 3))
    assert float((with_bump(patches.corners) - patches.values).abs().max()) < 1e-9
    assert float((with_bump(middle[None]) - f(middle[None])).abs().max()) > 1e-7
    assert not patches.is_computed_by(with_bump)


def test_neighbourhoods_lie_inside_linear_regions():
    f = random_layers((3, 10, 10, 2), RELU, 4)
    patches = Patches.around(f, torch.randn(40, 3, generator=torch.Generator().manual_seed(1)))
    assert len(patches) >= 35
    assert patches.is_computed_by(f)
    for index in range(len(patches)):
        members = patches.members[patches.offsets[index] : patches.offsets[index + 1]]
        corners = patches.corners[members]
        assert len(corners) == 4
        for z in f.pre_activations(corners)[:-1]:
            assert ((z > 0).all(0) | (z < 0).all(0)).all()


def test_a_search_finds_steeper_points():
    f = random_layers((3, 30, 30, 3), RELU, 2)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).double()
    before = lower_bounds(f, x, 13)[0].value
    found = lower_bounds(f, steepest_points(f, x, 13, rounds=20), 13)[0].value
    assert found > before
    assert representation_cost(f, x, depth=13, search=20).lower == pytest.approx(found, rel=0.05)


def test_standardised_networks_are_measured_in_their_units():
    f = random_layers((2, 8, 2), RELU, 3)
    data = torch.tensor([5.0, -3.0]) + torch.tensor([10.0, 0.1]) * torch.randn(30, 2).double()
    affine = standardization(data, "columns")
    wrapped = StandardizedNetwork(f, affine, affine)
    low, high = affine.backward(torch.full((2,), -1.0).double()), affine.backward(torch.full((2,), 1.0).double())
    of_data = representation_cost(wrapped, depth=13, box=(low.numpy(), high.numpy()))
    of_units = representation_cost(f, depth=13, box=(-1.0, 1.0))
    assert of_data.lower == pytest.approx(of_units.lower, rel=1e-9)
    assert of_data.upper == pytest.approx(of_units.upper, rel=1e-6)


def test_a_function_that_is_only_known_deeper_has_no_upper_end():
    f = random_layers((2, 6, 6, 2), RELU, 0)
    interval = representation_cost(f, torch.randn(10, 2), depth=2)
    assert interval.upper == float("inf")
    assert interval.upper_by is None
    assert interval.record()["upper"] is None


def test_rewritings_compute_f_and_are_lighter():
    f = random_layers((2, 12, 12, 2), RELU, 1)
    patches = Patches.of_box(f, (-1.0, 1.0))
    for written in rewritings(patches):
        assert patches.is_computed_by(written.network)
        assert written.network.squared_norm <= f.squared_norm
    assert upper_bounds(patches, Candidates.of(patches), 3)[0].value <= f.norm_per_depth


def test_what_cannot_be_answered_is_refused(points):
    f = random_layers((5, 4, 2), RELU, 0)
    for depth in (0, -1, 2.5, True):
        with pytest.raises(OptionError, match="must be a whole number from 1"):
            representation_cost(f, points, depth=depth)
    with pytest.raises(DomainError, match="Neither rows nor a box were given"):
        representation_cost(f, depth=3)
    with pytest.raises(DomainError, match="Both rows and a box were given"):
        cost_limit(f, points, box=(-1, 1))
    with pytest.raises(ShapeError, match="3 columns but the network takes 5"):
        representation_cost(f, points[:, :3], depth=3)
    with pytest.raises(NonFiniteError, match="holds NaN or infinity"):
        representation_cost(f, points * float("nan"), depth=3)
    with pytest.raises(ShapeError, match="it is empty"):
        representation_cost(f, points[:0], depth=3)
    with pytest.raises(UnsupportedModuleError, match="Tanh"):
        representation_cost(torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.Tanh()), points, depth=3)
    with pytest.raises(DomainError, match=r"takes 9 inputs; a box is used whole, in at most 6. Pass rows"):
        representation_cost(random_layers((9, 4, 2), RELU, 0), depth=3, box=(-1, 1))
    with pytest.raises(OptionError, match="points is 0"):
        representation_cost(f, points, depth=3, points=0)
    with pytest.raises(OptionError, match="search is -1"):
        representation_cost(f, points, depth=3, search=-1)
    for tolerance in (-0.1, 1.0, float("nan")):
        with pytest.raises(OptionError, match=r"tolerance is .* but must be at least 0 and below 1"):
            representation_cost(f, points, depth=3, tolerance=tolerance)
    with pytest.raises(OptionError, match="at least one depth"):
        representation_costs(f, points, depths=[])


def test_one_row_and_one_input_are_enough():
    f = random_layers((1, 3, 1), RELU, 2)
    interval = representation_cost(f, [[0.3]], depth=5)
    assert 0 <= interval.lower <= interval.upper < float("inf")
