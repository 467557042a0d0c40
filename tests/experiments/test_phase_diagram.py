"""The phase diagram at a small size, its descents by autograd, its counts in boxes, verdicts on made-up results."""

import numpy as np
import pytest
import torch

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.jacot2023.phase_diagram.descents import adam, gradient_descent
from isthmus.experiments.jacot2023.phase_diagram.experiment import tripoints_in_boxes
from isthmus.experiments.jacot2023.phase_diagram.settings import TRAININGS
from isthmus.foundation.likelihood import CATEGORICAL
from isthmus.networks import RELU, FullyConnected
from isthmus.training import Objective, random_network

DIAGRAM = experiment_named("phase-diagram")
SETTINGS = DIAGRAM.full


def problem():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20, 2, generator=generator)
    objective = Objective(x, torch.arange(20) % 3, CATEGORICAL, 0.0)
    return random_network((2, 6, 6, 3), RELU, generator), objective


def loss(network, objective, ridge):
    return objective.with_ridge(ridge).value(network)


def test_adam_is_that_of_torch():
    start, objective = problem()
    ridges = (0.0, 0.1)
    found = adam(start, objective, ridges, steps=30, rate=0.01)
    for ridge, network in zip(ridges, found, strict=True):
        w = [t.clone().requires_grad_() for t in start.weights]
        b = [t.clone().requires_grad_() for t in start.biases]
        optimizer = torch.optim.Adam([*w, *b], lr=0.01)
        for step in range(1, 31):
            optimizer.param_groups[0]["lr"] = 0.01 * 0.5 * (1 + np.cos(np.pi * step / 30))
            optimizer.zero_grad()
            a = objective.x
            for layer, (weight, bias) in enumerate(zip(w, b, strict=True)):
                a = (a if layer == 0 else a.relu()) @ weight.T + bias
            value = torch.nn.functional.cross_entropy(a, objective.y)
            (value + ridge / 3 * sum(t.square().sum() for t in (*w, *b))).backward()
            optimizer.step()
        for mine, theirs in zip(network.weights, w, strict=True):
            torch.testing.assert_close(mine, theirs.detach(), rtol=1e-3, atol=1e-4)


def test_gradient_descent_never_rises_and_reaches_a_critical_point():
    start, objective = problem()
    ridges = (0.05, 0.5)
    few = gradient_descent(start, objective, ridges, steps=5, rate=0.03)
    many = gradient_descent(start, objective, ridges, steps=1500, rate=0.03)
    for ridge, early, late in zip(ridges, few, many, strict=True):
        assert loss(late, objective, ridge) < loss(early, objective, ridge) < loss(start, objective, ridge)
    alone = gradient_descent(start, objective, (0.5,), steps=5, rate=0.03)[0]
    torch.testing.assert_close(alone.weights[0], few[1].weights[0])  # every λ goes its own way
    w = [t.clone().requires_grad_() for t in many[1].weights]
    total = 0.5 / 3 * (sum(t.square().sum() for t in w) + sum(b.square().sum() for b in many[1].biases))
    a = objective.x
    for layer, (weight, bias) in enumerate(zip(w, many[1].biases, strict=True)):
        a = (a if layer == 0 else a.relu()) @ weight.T + bias
    total = total + torch.nn.functional.cross_entropy(a, objective.y)
    assert all(float(g.norm()) < 0.02 for g in torch.autograd.grad(total, w))


def test_tripoints_are_counted_in_boxes_around_the_centre():
    """Three linear scores meet in one point, at (0.3, 0): outside of the data's box, inside of larger ones."""
    angles = torch.tensor([0.0, 2.0, 4.0]) * torch.pi / 3
    directions = torch.stack([angles.cos(), angles.sin()], 1).double()
    at = torch.tensor([0.3, 0.0]).double()
    eye = torch.eye(2).double()
    lifted = FullyConnected(
        (torch.cat([eye, -eye]), torch.cat([directions, -directions], 1)),
        (torch.zeros(4).double(), -directions @ at),
        RELU,
    )
    x = np.array([[-0.1, -0.1], [0.1, 0.1]])
    assert tripoints_in_boxes(lifted, x, (1.0, 2.0, 15.0)) == [0, 0, 1]
    assert tripoints_in_boxes(lifted, x + at.numpy(), (1.0, 2.0, 15.0)) == [1, 1, 1]


def test_the_smoke_scale(tmp_path):
    record = reproduce(DIAGRAM, scale="smoke", folder=tmp_path)
    assert not [row for row in record["results"] if "error" in row]
    for row in measurements(record):
        assert row["ridges"] == ([0.0, 0.01] if row["training"] in TRAININGS[:2] else [0.01])
        assert all(counts == sorted(counts) for counts in row["tripoints"])
    lowest, start = (
        {row["depth"]: row["objective"][0] for row in measurements(record) if row["training"] == training}
        for training in ("lowest found", "random start")
    )
    assert all(lowest[depth] <= start[depth] * (1 + 1e-4) for depth in lowest)
    assert len(DIAGRAM.drawings(record)) == 16


def results(*, shallow=(1, 1, 1), deep=(0, 0, 0), ridged=None, rank=2):
    """One seed over all of the grid: tripoints in the three boxes, without and (where told) with ℓ2."""
    found = []
    for training in TRAININGS:
        ridges = list(SETTINGS.ridges) if training in TRAININGS[:2] else list(SETTINGS.ridges[1:])
        for depth in (2, 20):
            counts = [list(shallow if depth == 2 else (deep if r == 0 or ridged is None else ridged)) for r in ridges]
            found.append(
                {"seed": 0, "training": training, "depth": depth, "ridges": ridges, "tripoints": counts}
                | {"rank": [rank] * len(ridges), "objective": [1.0] * len(ridges), "error": [0.0] * len(ridges)}
            )
    return found


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True, True, True, True, True, None]),
        ({"shallow": (0, 1, 1)}, [False, True, True, True, True, True, True, None]),
        ({"deep": (0, 0, 2)}, [True, True, True, True, True, False, True, None]),
        ({"ridged": (1, 1, 1)}, [True, True, True, False, False, False, False, None]),
        ({"rank": 1}, [True, True, True, True, True, True, True, False]),
        ({"rank": 1, "shallow": (0, 0, 0)}, [False, False, False, True, True, True, True, True]),
    ],
)
def test_each_verdict_can_turn(changed, expected):
    assert [claim.agrees for claim in DIAGRAM.claims(SETTINGS, results(**changed))] == expected


def test_networks_that_do_not_classify_are_not_counted():
    rows = [{**row, "error": [0.3] * len(row["ridges"])} for row in results()]
    assert {claim.agrees for claim in DIAGRAM.claims(SETTINGS, rows)} == {None}
