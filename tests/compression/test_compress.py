"""The smaller network computes f: on rows, on points of the box, and where it must, in rational arithmetic."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from cases import random_layers
from isthmus import compress, measure
from isthmus.compression import path
from isthmus.errors import (
    DomainError,
    IncompressibleModelError,
    OptionError,
    ShapeError,
    TooFewRowsError,
    UnmetToleranceError,
)
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import ABSOLUTE, IDENTITY, RELU, Activation, FullyConnected, StandardizedNetwork
from isthmus.networks.scaling import Affine


@pytest.fixture(autouse=True)
def _short_training(monkeypatch):
    """What is trained on is trained on for a fifth of the steps."""
    monkeypatch.setattr(path, "_FINAL", 200)
    monkeypatch.setattr(path, "_STEPS", 40)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(d, n=200, seed=0):
    return 2 * torch.rand(n, d, generator=generator(seed), dtype=torch.float64) - 1


def largest_change(model, found, d, count=10_000, seed=7):
    x = rows(d, count, seed)
    with torch.no_grad():
        wanted = model(x)
    return float((found(x) - wanted).abs().max() / wanted.abs().max())


def kinds(found):
    return [fold.kind for fold in found.folds]


def linear(n, m, seed, scale=1.0):
    w = torch.randn(n, m, generator=generator(seed), dtype=torch.float64) * scale / m**0.5
    return w, 0.1 * torch.randn(n, generator=generator(seed + 1), dtype=torch.float64)


def sequential(*parts):
    """Linear layers from (weight, bias), other modules as they are; in float64."""
    modules = []
    for part in parts:
        if isinstance(part, nn.Module):
            modules.append(part)
            continue
        layer = nn.Linear(part[0].shape[1], part[0].shape[0], dtype=torch.float64)
        layer.weight.data, layer.bias.data = part[0].clone(), part[1].clone()
        modules.append(layer)
    return nn.Sequential(*modules).eval()


def test_runs_of_linear_layers_are_one_layer_through_their_rank():
    low = linear(3, 12, 5)[0].T @ linear(3, 20, 6)[0]
    model = sequential(
        linear(20, 6, 0), nn.ReLU(), (low, torch.zeros(12).double()), linear(20, 12, 2), linear(9, 20, 3)
    )
    found = compress(model, rows(6), box=(-1.0, 1.0))
    assert found.after.widths == (6, 20, 3, 9)
    assert kinds(found) == ["linear run", "low rank"]
    assert largest_change(model, found, 6) < 1e-13
    assert found.before.parameters == sum(p.numel() for p in model.parameters())
    assert found.after.parameters == 6 * 20 + 20 + 20 * 3 + 3 + 3 * 9 + 9


def test_always_active_layers_are_folded_with_a_bound_that_holds():
    first, second, third = linear(8, 4, 0), linear(8, 8, 2), linear(8, 8, 4)
    lifted = (second[0], second[1] + 9.0)
    lowered = (third[0], third[1] - 9.0 * third[0].sum(1))
    model = sequential(first, nn.ReLU(), lifted, nn.ReLU(), lowered, nn.ReLU(), linear(3, 8, 6))
    found = compress(model, rows(4), box=(-1.0, 1.0))
    assert found.after.depth == 3
    fold = next(fold for fold in found.folds if fold.kind == "always active")
    assert (fold.layers, fold.neurons) == (("Linear (2)",), tuple(range(8)))
    least = model[:3](rows(4, 100_000, 3)).detach().min()
    assert 0 < fold.bound <= float(least)
    assert largest_change(model, found, 4) < 1e-13
    assert found.domain == "every input from -1 to 1"


def test_of_given_rows_only_signs_are_those_on_the_rows_and_the_domain_says_so():
    model = sequential(linear(6, 4, 0), nn.ReLU(), linear(3, 6, 2))
    near = 0.001 * rows(4)
    found = compress(model, near)
    assert found.domain == "the 200 given rows only"
    assert {fold.proof for fold in found.folds if fold.kind == "always active"} == {"seen on the given rows only"}
    assert found.after.widths == (4, 3)
    torch.testing.assert_close(found(near), model(near).detach(), rtol=1e-12, atol=1e-12)
    assert largest_change(model, found, 4) > 0.001


def planted(activation, seed=0):
    """A network with a neuron that is unread, one of zeros, one proportional to another, and what is left."""
    net = random_layers((4, 8, 7, 3), activation, seed)
    w, b, v = net.weights[0].clone(), net.biases[0].clone(), net.weights[1].clone()
    v[:, 1] = 0.0
    w[2], b[2] = 0.0, 1.5
    w[5], b[5] = 3.0 * w[4], 3.0 * b[4]
    w[7], b[7] = -2.0 * w[6], -2.0 * b[6]
    return replace(net, weights=(w, v, net.weights[2]), biases=(b, *net.biases[1:]))


@pytest.mark.parametrize("activation", [RELU, Activation(0.1), ABSOLUTE, Activation(-0.3)])
def test_unread_constant_and_proportional_neurons_go(activation):
    net = planted(activation)
    found = compress(net, rows(4), box=(-1.0, 1.0))
    neurons = {fold.kind: fold.neurons for fold in found.folds if fold.layers == ("layer 1",)}
    assert neurons["unread"] == (1,)
    assert neurons["constant"] == (2,)
    # Only |z| is the same for −z.
    assert neurons["proportional"] == ((5, 7) if activation == ABSOLUTE else (5,))
    assert found.chain.widths[1] == 8 - sum(map(len, neurons.values()))
    assert largest_change(net, found, 4) < 1e-13


def test_neurons_that_are_never_positive_go_and_leaky_ones_stay_as_linear():
    for activation in (RELU, Activation(0.1)):
        net = random_layers((4, 8, 3), activation, 1)
        biases = (net.biases[0] - torch.tensor([50.0, 0, 0, 50.0, 0, 0, 0, 0]).double(), net.biases[1])
        net = replace(net, biases=biases)
        found = compress(net, rows(4), box=(-1.0, 1.0))
        gone = [fold.neurons for fold in found.folds if fold.kind == "always inactive"]
        assert gone == ([(0, 3)] if activation == RELU else [])
        assert largest_change(net, found, 4) < 1e-13


def test_active_neurons_beside_others_are_carried_by_as_many_as_are_read():
    net = random_layers((6, 20, 2), RELU, 2)
    lift = torch.cat([torch.full((15,), 20.0), torch.zeros(5)]).double()
    net = replace(net, biases=(net.biases[0] + lift, net.biases[1]))
    for box in ((-1.0, 1.0), None):
        found = compress(net, rows(6), box=box)
        (fold,) = (fold for fold in found.folds if fold.kind == "shared")
        assert set(range(15)) <= set(fold.neurons)
        assert found.chain.widths[1] == 20 - len(fold.neurons) + 2
        x = rows(6, 10_000, 3) if box else rows(6)
        torch.testing.assert_close(found(x), net(x), rtol=1e-11, atol=1e-11)


def test_batch_norm_folds_and_its_own_size_is_counted():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 4), nn.ReLU())
    model[1].running_mean.uniform_(-1, 1)
    model[1].running_var.uniform_(0.5, 2)
    x = rows(5).float()
    found = compress(model.eval(), x, box=(-1.0, 1.0))
    assert (found.before.depth, found.before.parameters) == (2, 5 * 9 + 9 + 4 * 9 + 9 * 4 + 4)
    assert (found.after.widths, found.after.parameters) == ((5, 9, 4), 5 * 9 + 9 + 9 * 4 + 4)
    torch.testing.assert_close(found(x), model(x).detach(), rtol=1e-5, atol=1e-6)


def test_nothing_is_found_where_there_is_nothing():
    net = random_layers((4, 6, 5, 3), RELU, 3)
    found = compress(net, rows(4), box=(-30.0, 30.0))
    assert [f for f in found.folds if f.kind != "always inactive"] == []
    assert found.after.parameters <= found.before.parameters
    assert largest_change(net, found, 4) < 1e-13


def test_what_looks_folded_on_the_rows_is_not_folded_on_the_box():
    """Neurons that all rows have on one side, and a corner of the box on the other."""
    w = torch.ones(2, 3).double()
    net = FullyConnected((w, torch.eye(2).double()), (torch.full((2,), 2.9).double(), torch.zeros(2).double()), RELU)
    inside = 0.1 * rows(3)
    assert compress(net, inside).after.depth == 1
    found = compress(net, inside, box=(-1.0, 1.0))
    assert found.after.depth == 2
    corner = torch.full((1, 3), -1.0).double()
    torch.testing.assert_close(found(corner), torch.zeros(1, 2).double())


def test_a_standardised_network_is_kept_in_the_units_of_its_data_whatever_their_size():
    for offset, dtype in ((0.0, torch.float32), (1e6, torch.float64)):
        network = random_layers((4, 10, 3), RELU, 0, dtype=torch.float32)
        inputs = Affine(torch.full((4,), offset).double(), torch.full((4,), 0.5).double())
        model = StandardizedNetwork(network, inputs, Affine.identity(3))
        x = offset + rows(4)
        found = compress(model, x)
        assert found.chain.dtype == dtype
        torch.testing.assert_close(found(x).double(), model(x).double(), rtol=1e-4, atol=1e-5)


def through(k, seed=0):
    g, h = random_layers((12, 40, k), RELU, seed), random_layers((k, 40, 8), RELU, seed + 1)
    weights = (g.weights[0], h.weights[0] @ g.weights[1], h.weights[1])
    return FullyConnected(weights, (g.biases[0], h.biases[0], h.biases[1]), RELU)


def test_a_rank_that_is_there_is_passed_through_without_error():
    net = through(3)
    found = compress(net, rows(12), rank=3, box=(-1.0, 1.0))
    assert found.rank == 3
    assert found.error < 1e-6
    assert min(found.chain.widths) == 3


def test_a_smaller_rank_costs_an_error_that_is_that_on_other_rows():
    net = through(3)
    found = compress(net, rows(12, 600), rank=2)
    assert found.rank == 2
    fresh = rows(12, 2000, 5)
    wanted = net(fresh)
    right = float((found(fresh) - wanted).norm() / (wanted - wanted.mean(0)).norm())
    assert found.error == pytest.approx(right, rel=0.25)
    assert 0.01 < found.error < 0.9


def test_a_larger_tolerance_gives_a_smaller_network_within_it():
    net = random_layers((6, 16, 16, 3), RELU, 0)
    sizes = []
    for tolerance in (0.05, 0.3):
        found = compress(net, rows(6, 400), tolerance=Tolerance(tolerance))
        sizes.append(found.after.parameters)
        assert found.error <= tolerance
        fresh = rows(6, 2000, 5)
        assert float((found(fresh) - net(fresh)).norm() / (net(fresh) - net(fresh).mean(0)).norm()) < 1.3 * tolerance
        assert [point.parameters for point in found.curve] == sorted((p.parameters for p in found.curve), reverse=True)
    assert sizes[0] > sizes[1]


def test_a_rank_is_kept_on_the_way_to_a_tolerance():
    """Two factors through 5 numbers are larger than the 7 × 6 matrix that they replace, and stay all the same."""
    net = random_layers((9, 6, 7, 8), RELU, 0)
    found = compress(net, rows(9, 300), rank=5, tolerance=Tolerance(0.6))
    assert found.rank == min(found.chain.widths) <= 5
    assert len(found.curve) > 2


def test_the_same_seed_gives_the_same_network():
    net = random_layers((4, 10, 3), RELU, 0)
    first, second = (compress(net, rows(4, 100), tolerance=Tolerance(0.2), seed=3) for _ in range(2))
    for a, b in zip(first.chain.layers, second.chain.layers, strict=True):
        assert torch.equal(a.weight, b.weight)
    assert first.record() == second.record()


BAD = [
    ({"box": (-0.5, 0.5)}, DomainError, "does not hold the rows: column 0 of row"),
    ({"box": (1.0, -1.0)}, DomainError, "empty along column 0"),
    ({"box": ((-1.0, -1.0), 1.0)}, ShapeError, "one for each of the 4 columns"),
    ({"box": (-1.0, float("inf"))}, DomainError, "must be bounded"),
    ({"rank": 0}, OptionError, "at least 1"),
    ({"rank": 9}, OptionError, "at most [34], the most coordinates any layer carries"),
    ({"tolerance": Tolerance(1e-9)}, UnmetToleranceError, "exact folds alone change f by"),
    ({"tolerance": Tolerance(1e-3), "rank": 1}, UnmetToleranceError, "a network of rank 1 changes f by"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD)
def test_what_cannot_be_done_is_refused(options, error, message):
    net = random_layers((4, 10, 3), RELU, 0, dtype=torch.float32)
    with pytest.raises(error, match=message):
        compress(net, rows(4), **options)


def test_an_output_in_small_units_that_is_lost_is_told():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    x = rows(4)
    assert compress(net, x).notes == ()
    with torch.no_grad():
        net[2].weight[0] *= 1e6
    small = compress(net, x, rank=1, scale_outputs="none")
    with torch.no_grad():
        truth = net(x.float())[:, 1]
        own = float((small(x.float())[:, 1] - truth).norm() / (truth - truth.mean()).norm())
    assert small.error < 1e-4 < 0.1 < own
    assert f"Output 1 changes by {own:.3g} of its own spread over the rows (1 of 2 outputs" in small.notes[0]


def test_an_error_counts_outputs_in_the_units_of_measure():
    """The same network with one output in other units has the same error, unless outputs count as they are."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    found = compress(net, rows(4), rank=1)
    with torch.no_grad():
        net[2].weight[0] *= 1e5
        net[2].bias[0] *= 1e5
    again = compress(net, rows(4), rank=1)
    assert again.error == pytest.approx(found.error, rel=0.02)
    assert again.notes == ()
    assert (again.units, compress(net, rows(4), rank=1, scale_outputs="none").error < 0.5 * again.error) == (
        "each output by its spread",
        True,
    )
    with pytest.raises(OptionError, match="data, unit or none"):
        compress(net, rows(4), scale_outputs="columns")


def test_what_is_rounding_beside_a_large_output_is_kept_where_it_is_an_output():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 30), nn.ReLU(), nn.Linear(30, 30))
    with torch.no_grad():
        net[2].weight[:8] *= 1e17
    found = compress(net, rows(8), box=(-1.0, 1.0))
    wanted = net(rows(8).float()).detach()
    assert float(((found(rows(8)) - wanted).abs().amax(0) / wanted.abs().amax(0)).max()) < 1e-5


@pytest.mark.parametrize("box", [None, (-1.0, 1.0)])
def test_a_constant_has_rank_zero_as_measured(box):
    zero = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    for parameter in zero.parameters():
        nn.init.zeros_(parameter)
    dead = random_layers((4, 6, 5, 3), RELU, 1)
    dead = replace(dead, biases=(dead.biases[0], dead.biases[1] - 100.0, dead.biases[2]))
    for net in (zero, dead):
        found = compress(net, rows(4), box=box)
        assert found.rank == measure(net, rows(4)).bottleneck_rank.upper == 0
        assert found.after.parameters == 4 + 1 + 3 + 3
        torch.testing.assert_close(found(rows(4)).double(), net(rows(4).to(found.chain.dtype)).detach().double())


def test_a_layer_of_constants_leaves_its_value():
    """σ of a number that hardly moves, in front of a layer that does not see the movement."""
    w = torch.zeros(3, 2).double()
    net = FullyConnected((w, torch.ones(2, 3).double()), (torch.tensor([1.0, 2.0, -1.0]).double(), w[0]), RELU)
    found = compress(net, rows(2), box=(-1.0, 1.0))
    assert found.rank == 0
    torch.testing.assert_close(found(rows(2)), torch.full((200, 2), 3.0).double())


def test_a_function_that_is_constant_on_the_rows_has_no_error_of_its_spread():
    net = random_layers((4, 10, 3), RELU, 0, dtype=torch.float32)
    with pytest.raises(UnmetToleranceError, match="f is constant on the held-out rows"):
        compress(net, rows(4)[:1].repeat(40, 1), tolerance=Tolerance(0.1))


def test_rows_that_do_not_fit_or_do_not_suffice_are_refused():
    net = random_layers((4, 10, 3), RELU, 0)
    with pytest.raises(ShapeError, match="5 columns but the network takes 4"):
        compress(net, rows(5))
    with pytest.raises(TooFewRowsError, match="4 rows; at least 5"):
        compress(net, rows(4, 4), tolerance=Tolerance(0.1))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Sequential(nn.ReLU(), nn.Linear(4, 2)), "before the first Linear"),
        (nn.Sequential(nn.Linear(4, 2), nn.Softmax(1)), r"Softmax \(1\) cannot be converted"),
        (nn.ReLU(), "no Linear layer|before the first"),
        (lambda x: x, "it is no network"),
    ],
)
def test_what_is_no_chain_is_refused_by_name(model, message):
    with pytest.raises((IncompressibleModelError, TypeError), match=message):
        compress(model, rows(4).float())


def test_a_linear_network_becomes_one_matrix():
    net = random_layers((5, 9, 9, 4), IDENTITY, 0)
    found = compress(net, rows(5))
    assert found.after.widths == (5, 4)
    assert largest_change(net, found, 5) < 1e-13


@pytest.mark.parametrize(("rank", "noise"), [(25, 0.0), (29, 0.0), (25, 1e-8), (29, 1e-8), (30, 0.0), (10, 1e-3)])
def test_a_matrix_is_two_factors_exactly_where_its_numerical_rank_is_small_enough(rank, noise):
    """Of 60 × 60 two factors through 29 are smaller; the decomposition of the whole matrix says which rank it has."""
    u, v, rest = (torch.randn(60, n, generator=generator(n), dtype=torch.float64) for n in (rank, rank + 40, 60))
    weight = (u @ v[:, :rank].T + noise * rest).float()
    model = nn.Sequential(nn.Linear(60, 60, bias=False))
    model[0].weight.data = weight
    found = compress(model, rows(60), box=(-1.0, 1.0))
    s = torch.linalg.svdvals(weight.double())
    share = s.flip(0).square().cumsum(0).sqrt().flip(0) / s.norm()
    numerical = int((share > 4 * 2.0**-23).sum())
    assert found.after.widths == ((60, numerical, 60) if numerical <= 29 else (60, 60))
    torch.testing.assert_close(found(rows(60)), model(rows(60).float()).detach(), rtol=1e-4, atol=1e-4)
