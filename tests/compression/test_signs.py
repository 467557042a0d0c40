"""Signs of neurons on a box, against every activation region in rational arithmetic."""

from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from cases import random_layers
from isthmus.compression import splitting
from isthmus.compression.backward_bounds import BackwardBounds, Interval
from isthmus.compression.domain import Domain
from isthmus.compression.interval import activation_interval, affine_interval
from isthmus.compression.signs import EVERYWHERE, INTERVALS, LINES, METHODS, ROWS, SLOPES, SPLITTING, proved_signs
from isthmus.networks import ABSOLUTE, RELU, Activation
from isthmus.networks.chain import Chain
from oracles.rational_network import exact_values
from oracles.rational_regions import rational_regions

BOX = (torch.full((2,), -1.0).double(), torch.ones(2).double())


def shifted(network, by, seed):
    """The network with biases that keep more neurons on one side."""
    generator = torch.Generator().manual_seed(seed)
    moved = [b + by * torch.randn(len(b), generator=generator, dtype=b.dtype) for b in network.biases[:-1]]
    return replace(network, biases=(*moved, network.biases[-1]))


def domain(box=True, rows=None):
    rows = torch.zeros(1, 2).double() if rows is None else rows
    return Domain.of(rows, BOX if box else None)


def proved(network, where):
    return proved_signs(Chain.of(network), where, 2.0**-52, torch.Generator().manual_seed(0))[0]


def exact_signs(network):
    """For each hidden layer the sign of each neuron on the whole box, 0 where it has both: by cutting every region."""
    cells = rational_regions(network)
    found = []
    for layer in range(network.depth - 1):
        columns = list(zip(*(cell.signs[layer] for cell in cells), strict=True))
        found.append([1 if min(c) >= 0 else -1 if max(c) <= 0 else 0 for c in columns])
    return found


NETS = [(RELU, 0), (RELU, 1), (Activation(0.1), 2), (ABSOLUTE, 6), (Activation(-0.5), 4), (Activation(2.0), 5)]


@pytest.mark.parametrize(("activation", "seed"), NETS)
def test_exactly_the_neurons_that_keep_their_sign_are_found(activation, seed):
    network = shifted(random_layers((2, 5, 5, 4, 2), activation, seed), 1.5, seed)
    wanted = exact_signs(network)
    assert any(0 in layer for layer in wanted)
    assert sum(sign != 0 for layer in wanted for sign in layer) >= 3
    assert [signs.sign.tolist() for signs in proved(network, domain())[:-1]] == wanted


@pytest.mark.parametrize(("activation", "seed"), NETS)
def test_bounds_hold_in_rational_arithmetic(activation, seed):
    """At every corner of every region, where a piecewise linear function is least and largest."""
    network = shifted(random_layers((2, 5, 5, 3), activation, seed), 0.5, seed)
    chain = Chain.of(network)
    back = BackwardBounds(chain, *BOX)
    a = Interval(*BOX)
    for number, layer in enumerate(chain.layers):
        z = Interval(*affine_interval(layer.weight, layer.bias, a.lower, a.upper))
        everyone = torch.arange(len(layer.bias))
        low, high = back.pre_activations(number, everyone)
        best = back.optimised(number, everyone, torch.ones(len(layer.bias)).double())
        part = replace(network, weights=network.weights[: number + 1], biases=network.biases[: number + 1])
        corners = {corner for cell in rational_regions(part) for corner in cell.polygon}
        values = [exact_values(part, corner) for corner in corners]
        for neuron, (least, most) in enumerate((min(v), max(v)) for v in zip(*values, strict=True)):
            for bound in (z.lower, low, best):
                assert Fraction(float(bound[neuron])) <= least
            for bound in (z.upper, -high):
                assert Fraction(float(bound[neuron])) >= most
            assert float(best[neuron]) >= float(low[neuron]) - 1e-9
        if number == 0:
            torch.testing.assert_close(low, z.lower)
        z = z.within(Interval(low, -high))
        a = Interval(*activation_interval(layer.activation, z.lower, z.upper))
        back.append(z, a.size)


def test_every_kind_of_proof_is_needed():
    methods = set()
    for seed in range(6):
        network = shifted(random_layers((2, 6, 6, 5, 4, 2), RELU, seed), 1.0, seed)
        for signs in proved(network, domain())[:-1]:
            methods |= {METHODS[m] for m in signs.method.tolist() if m >= 0}
    assert {INTERVALS, LINES, SLOPES, SPLITTING} <= methods


def test_an_identity_layer_is_active_for_every_input_with_its_bound_at_zero():
    network = random_layers((2, 4, 3), RELU, 0)
    eye = torch.eye(4).double()
    deeper = replace(
        network,
        weights=(network.weights[0], eye, network.weights[1]),
        biases=(network.biases[0], torch.zeros(4).double(), network.biases[1]),
    )
    for where in (domain(), domain(box=False)):
        signs = proved(deeper, where)[1]
        assert signs.sign.tolist() == [1] * 4
        assert {METHODS[m] for m in signs.method.tolist()} == {EVERYWHERE}


def test_without_a_box_signs_are_those_on_the_rows_and_said_to_be():
    network = random_layers((2, 5, 2), RELU, 0)
    rows = torch.tensor([[0.1, 0.2], [0.3, -0.1]]).double()
    z = rows @ network.weights[0].T + network.biases[0]
    (signs, _) = proved(network, domain(box=False, rows=rows))
    assert signs.sign.tolist() == [int(v) for v in torch.where((z > 0).all(0), 1, torch.where((z < 0).all(0), -1, 0))]
    assert {METHODS[m] for m in signs.method.tolist() if m >= 0} == {ROWS}


def test_where_the_bound_is_lost_to_rounding_nothing_is_claimed(monkeypatch):
    """x − x + 10⁻³⁰ is positive, but no double-precision sum says so; nothing of the sort may be claimed of −10⁻³⁰."""
    monkeypatch.setattr(splitting, "_PARTS", 10)
    weight = torch.tensor([[1.0], [1.0]]).double()
    reader = torch.tensor([[1e8, -1e8]]).double()
    for shift in (1e-30, -1e-30):
        network = replace(
            random_layers((1, 2, 1, 1), RELU, 0),
            weights=(weight, reader, torch.ones(1, 1).double()),
            biases=(torch.full((2,), 3.0).double(), torch.full((1,), shift).double(), torch.zeros(1).double()),
        )
        where = Domain.of(torch.zeros(1, 1).double(), (-1.0, 1.0))
        signs = proved(network, where)[1]
        assert signs.sign.tolist() == [0]
