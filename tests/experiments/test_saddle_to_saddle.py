"""Escape from the saddle at zero: gradients by autograd, escape directions known in closed form, verdicts."""

import pytest
import torch

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.followups.saddle_to_saddle.escape import alignment, escape_direction
from isthmus.experiments.followups.saddle_to_saddle.experiment import gaps
from isthmus.networks import IDENTITY, RELU
from isthmus.training import Parameters, random_network

SADDLES = experiment_named("saddle-to-saddle")
SETTINGS = SADDLES.full


def starts(widths, activation, count=4):
    generator = torch.Generator().manual_seed(0)
    return [random_network(widths, activation, generator, dtype=torch.float64) for _ in range(count)]


def test_the_alignment_is_homogeneous_and_its_gradient_that_of_differences():
    (network,) = starts((3, 4, 4, 2), RELU, 1)
    at = Parameters.of(network)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(9, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(9, 2, generator=generator, dtype=torch.float64)
    value, gradient = alignment(at, x, y)
    assert float(value) == pytest.approx(float(2 * (network(x) * y).sum() / 9))  # the biases are 0
    doubled = at.like(2 * at.vector)
    assert float(alignment(doubled, x, y)[0]) == pytest.approx(8 * float(value))
    direction = torch.randn_like(at.vector)
    for bias in at.like(direction).biases:
        bias.zero_()
    ahead, behind = (float(alignment(at.like(at.vector + h * direction), x, y)[0]) for h in (1e-6, -1e-6))
    assert (ahead - behind) / 2e-6 == pytest.approx(float((gradient * direction).sum()), rel=1e-5)


def test_linear_networks_escape_along_the_largest_singular_vectors():
    """h = 2 Tr Gᵀ W_L ⋯ W_1 with G = yᵀx/N is at most 2 s₁(G) L^{-L/2} on the unit sphere, for rank 1."""
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(30, 4, generator=generator, dtype=torch.float64)
    y = x @ torch.diag(torch.tensor([2.0, 1.5, 0.3, 0.1])).double()
    with torch.no_grad():
        found = escape_direction(starts((4, 5, 5, 4), IDENTITY), x, y, steps=600)
        value = float(alignment(Parameters.of(found), x, y)[0])
    largest = float(torch.linalg.matrix_norm(y.T @ x / 30, 2))
    assert value == pytest.approx(2 * largest * 3 ** (-1.5), rel=1e-4)
    assert min(gaps(found)) > 100


def test_the_smoke_scale(tmp_path):
    record = reproduce(SADDLES, scale="smoke", folder=tmp_path)
    (row,) = measurements(record)
    assert len(row["escape"]) == 3
    losses = [moment["loss"] for moment in row["moments"]]
    assert len(losses) == 5
    assert losses[-1] < losses[0]
    assert [drawing.name for drawing in SADDLES.drawings(record)] == ["escape-3", "loss-3", "rank-3"]


def results(escape=(2.0, 2.0, 2.0, 2.0), ranks=(6, 1, 2, 3), losses=(1.0, 0.9, 0.5, 0.1)):
    moments = [
        {"step": step, "loss": loss, "rank": rank, "gaps": []}
        for step, (loss, rank) in enumerate(zip(losses, ranks, strict=True))
    ]
    return [{"depth": 4, "seed": 0, "escape": list(escape), "moments": moments}]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True]),
        ({"escape": (2.0, 1.1, 2.0, 2.0)}, [False, True, True]),
        ({"escape": (1.0, 1.19, 1.32, 1.42)}, [True, True, True]),
        ({"ranks": (6, 2, 2, 3)}, [True, False, True]),
        ({"ranks": (6, 1, 2, 1)}, [True, True, False]),
        ({"losses": (1.0, 1.0, 1.0, 0.99)}, [True, None, None]),
    ],
)
def test_each_verdict_can_turn(changed, expected):
    assert [claim.agrees for claim in SADDLES.claims(SETTINGS, results(**changed))] == expected
