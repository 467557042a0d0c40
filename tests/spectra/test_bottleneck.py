"""Bottleneck ranks of constructed functions, and the optimality of the truncation behind them."""

import pytest
import torch
from torch import nn

from cases import random_layers, through
from isthmus.errors import OptionError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import (
    IDENTITY,
    RELU,
    FullyConnected,
    StandardizedNetwork,
    to_torch,
)
from isthmus.networks.catalogue import tripod
from isthmus.networks.scaling import Affine
from isthmus.reports import headline, summary
from isthmus.runs import measure_record
from isthmus.spectra import (
    balanced_truncations,
    bottleneck_rank,
    measure,
    truncated,
    truncation_curve,
)
from isthmus.spectra.bottleneck import located_truncation_curve


def data(d, n=200, seed=1, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_a_composition_through_k_numbers_has_bottleneck_rank_k(k):
    estimate = bottleneck_rank(through(k, seed=20 + k), data(9), tolerance=Tolerance(1e-6))
    assert (estimate.lower, estimate.upper) == (k, k)
    assert "exhibited" in estimate.evidence[1]


@pytest.mark.parametrize("rank", [0, 1, 3, 4])
def test_an_affine_map_has_the_rank_of_its_matrix(rank):
    generator = torch.Generator().manual_seed(rank)
    factors = torch.randn(4, rank, generator=generator), torch.randn(rank, 6, generator=generator)
    network = FullyConnected(((factors[0] @ factors[1]).double(),), (torch.ones(4).double(),), IDENTITY)
    estimate = bottleneck_rank(network, data(6), tolerance=Tolerance(1e-6))
    assert (estimate.lower, estimate.upper) == (rank, rank)


def test_the_tripod_has_jacobian_rank_1_and_needs_two_numbers():
    """Each of three parts of the square onto one leg; the proof is in the catalogue."""
    x = 2 * torch.rand(2000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1
    estimate = bottleneck_rank(tripod(), x, tolerance=Tolerance(0.01))
    assert (estimate.lower, estimate.upper) == (1, 2)


def test_on_a_linear_network_truncation_is_the_best_low_rank_approximation():
    network = random_layers((6, 8, 7, 5), IDENTITY, seed=3)
    x = data(6, n=500)
    product = network.weights[2] @ network.weights[1] @ network.weights[0]
    outputs = (x - x.mean(0)) @ product.T
    tail = torch.linalg.svdvals(outputs)
    for truncation in balanced_truncations(network, x):
        for k in range(5):
            change = (truncated(network, truncation, k)(x) - network(x)).norm()
            expected = tail[k:].square().sum().sqrt()  # Eckart and Young
            assert float(change) == pytest.approx(float(expected), rel=1e-6)
        values = truncation.values[:5] * len(x) ** 0.5
        torch.testing.assert_close(values, tail, rtol=1e-6, atol=1e-6)


def test_truncated_networks_factor_through_k_numbers(activation):
    network = random_layers((5, 8, 7, 4), activation, seed=4)
    for truncation in balanced_truncations(network, data(5)):
        for k in (0, 1, 2):
            narrow = truncated(network, truncation, k).weights[truncation.layer]
            assert int(torch.linalg.matrix_rank(narrow, rtol=1e-10)) <= k


def test_coordinates_are_uncorrelated_and_keep_the_activations():
    network, x = random_layers((5, 8, 7, 4), RELU, seed=5), data(5)
    z = network.pre_activations(x)
    inputs = [x, *(z_l.relu() for z_l in z[:-1])]
    for truncation, a in zip(balanced_truncations(network, x), inputs, strict=True):
        latent = (a - truncation.mean) @ truncation.encode.T
        eye = torch.eye(truncation.rank, dtype=torch.float64)
        torch.testing.assert_close(latent.T @ latent / len(x), eye, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(truncation.mean + latent @ truncation.decode.T, a, rtol=1e-5, atol=1e-5)


def test_narrowing_changes_fall_to_zero_and_stop():
    found = truncation_curve(through(3, seed=6), data(9), until=1e-6, extra=2)
    assert [n.rank for n in found] == [0, 1, 2, 3, 4, 5]
    changes = [n.change for n in found]
    assert changes[2] > 1e-2
    assert max(changes[3:]) < 1e-6


def test_the_profile_gathers_what_the_parts_say():
    network, x = through(2, seed=7), data(9)
    profile = measure(network, x, tolerance=Tolerance(1e-4))
    assert profile.jacobian_rank.lower == profile.bottleneck_rank.upper == 2
    assert profile.cost_lower <= profile.norm_per_depth == network.norm_per_depth
    assert len(profile.layers) == network.depth
    record = profile.record()
    assert sum(record["jacobian"]["rank_counts"].values()) == record["jacobian"]["points"] == 200


def test_a_standardised_network_is_measured_in_its_own_units():
    network = through(2, seed=8)
    model = StandardizedNetwork(network, Affine(torch.full((9,), 5.0), torch.full((9,), 3.0)), Affine.identity(9))
    x = data(9)
    shifted = measure(model, 3.0 * x + 5.0)
    plain = measure(network, x, scale_inputs="none", scale_outputs="none")
    torch.testing.assert_close(shifted.jacobian.singular_values, plain.jacobian.singular_values)
    assert shifted.units == "Units: each input by its spread in its fit, each output by its spread in its fit."
    raw = measure(model, 3.0 * x + 5.0, scale_inputs="none", scale_outputs="none")
    torch.testing.assert_close(3.0 * raw.jacobian.singular_values, plain.jacobian.singular_values)


ROWS_THAT_SHOW_NOTHING = {
    "one": (data(9, n=1), "over 1 row the outputs do not vary, so that no projection can show less"),
    "two": (data(9, n=2), "2 rows lie in 1 dimensions whatever f is, so that they cannot show less"),
    "one many times": (data(9, n=1).repeat(30, 1), "over 30 rows the outputs do not vary"),
}


@pytest.mark.parametrize("kind", ["chain", "module", "callable"])
@pytest.mark.parametrize("name", ROWS_THAT_SHOW_NOTHING)
def test_rows_that_cannot_show_a_bottleneck_are_said_to_show_none(name, kind):
    x, why = ROWS_THAT_SHOW_NOTHING[name]
    f, network = through(2, seed=9), through(2, seed=9)
    if kind == "module":  # probabilities of equal rows differ by their rounding
        f = nn.Sequential(to_torch(network), nn.Softmax(1))
    elif kind == "callable":
        f = lambda rows: network(torch.from_numpy(rows)).numpy()  # noqa: E731
    profile = measure(f, x.numpy() if kind == "callable" else x)
    assert (profile.jacobian_rank.lower, profile.bottleneck_rank.upper) == (2, 9)
    assert (profile.bottleneck_error, profile.bottleneck_rank.lower) == (None, 2)
    assert not profile.changes or "lie in" in why
    assert why.split(",")[0] in profile.bottleneck_rank.evidence[1]
    record = measure_record("m", profile, "cpu")
    assert headline(record) == "This network passes through 2 to 9 numbers."
    assert "changes the function by" not in summary(record)
    if not profile.changes:
        with pytest.raises(OptionError, match="one of jacobian, curve"):
            profile.plot("narrowing")
    assert why.split(",")[0] in summary(record)


def test_a_large_rank_is_located_without_trying_every_k():
    network, x = through(55, seed=3, d=60, width=90), data(60, n=150)
    every = truncation_curve(network, x, until=0.003, extra=2)
    located = located_truncation_curve(network, x, until=0.003, extra=2)
    best = next(n for n in every if n.change <= 0.003)
    assert best.rank > 32
    assert next(n for n in located if n.change <= 0.003).rank == best.rank
    assert len(located) < len(every)
    assert [n.rank for n in located][:33] == list(range(33))
    assert {best.rank + 1, best.rank + 2} <= {n.rank for n in located}


def test_of_more_inputs_than_rows_the_coordinates_are_those_of_their_span():
    """What a matrix of the inputs says, decomposed as a whole, against the span of few rows."""
    network = random_layers((300, 12, 8, 5), RELU, seed=3).to(dtype=torch.float64)
    x = torch.randn(40, 300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (found,) = balanced_truncations(network, x, layers=[0])
    (other,) = balanced_truncations(network, torch.cat([x] * 8), layers=[0])  # more rows than inputs, and no others
    assert found.rank == 39
    torch.testing.assert_close(found.values[:12], other.values[:12], rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(found.mean, other.mean, rtol=1e-9, atol=1e-9)
    for k in (1, 3, 12):
        ours, theirs = (t.decode[:, :k] @ t.encode[:k] for t in (found, other))
        torch.testing.assert_close((x - x.mean(0)) @ ours.T, (x - x.mean(0)) @ theirs.T, rtol=1e-5, atol=1e-6)
