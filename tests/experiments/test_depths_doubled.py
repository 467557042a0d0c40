"""Propositions 2 and 4 replayed: bounds in closed form, verdicts on constructed results, and the smoke scale."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from isthmus.experiments import measurements, reproduce
from isthmus.experiments.jacot2023.huge_depth.claims import judge, lowest, ratio_slope
from isthmus.experiments.jacot2023.huge_depth.experiment import EXPERIMENT, implied_second
from isthmus.experiments.jacot2023.huge_depth.figures import drawings
from isthmus.networks import IDENTITY, FullyConnected

RIDGE, CONSTANT = 0.1, 11.9


def test_the_bound_on_the_second_singular_value_is_met_by_balanced_linear_networks():
    """A = diag(s₁, s₂) at depth L costs s₁^{2/L} + s₂^{2/L} (closed form): then s₂ is the bound itself."""
    for depth, s in ((4, (3.0, 0.2)), (20, (1.5, 1e-3))):
        layer = torch.diag(torch.tensor(s, dtype=torch.float64) ** (1 / depth))
        network = FullyConnected((layer,) * depth, (torch.zeros(2).double(),) * depth, IDENTITY)
        found = implied_second(np.array([s[0]]), network.norm_per_depth, depth)
        assert found == pytest.approx([s[1]], rel=1e-8)
    assert implied_second(np.array([8.0]), 1.0, 2).tolist() == [0.0]  # s₁ alone costs more than there is


def path(costs, *, ratios=None, implied=(1e-3, 1e-9), objective=None, violations=0):
    depths = [6 * 2**index for index in range(len(costs))]
    return [
        {
            "depth": depth,
            "norm_per_depth": cost,
            "objective": RIDGE * cost if objective is None else objective,
            "second": 1e-9,
            "first": 1.0,
            "implied": bound,
            "implied_by_constant": 1.0,
            "violations": violations,
            "ratio": ratio,
        }
        for depth, cost, ratio, bound in zip(depths, costs, ratios or [0.0] * len(costs), implied, strict=True)
    ]


def row(*paths, task="teacher"):
    named = {f"start {index}": found for index, found in enumerate(paths)}
    return {"task": task, "seed": 0, "constant": CONSTANT, "ridge": RIDGE, "paths": named}


def verdicts(*rows):
    return [claim.agrees for claim in judge(rows)]


def test_verdicts_follow_the_numbers():
    good = path([2.5, 1.5])  # bounds: 3 and 2
    assert verdicts(row(good)) == [True, True, True]
    assert verdicts(row(path([2.5, 2.1]))) == [None, True, None]  # above the interpolant: no minimum, no premise
    assert verdicts(row(path([2.5, 2.1], objective=0.01)))[0] is False  # below it, and yet beyond the bound
    assert verdicts(row(path([2.5, 1.5], violations=1)))[1] is False
    assert verdicts(row(path([2.5, 1.5], implied=(1e-3, 1e-4))))[1] is False  # falls, but not exponentially
    assert verdicts(row(path([2.5, 1.5], ratios=(0.4, 0.4))))[2] is False
    assert verdicts(row(path([2.5, 1.5], ratios=(0.4, 0.4 * 2**-0.3))))[2] is True
    assert verdicts(row(path([2.5, 1.5], implied=(5.0, 3.0))))[1] is None  # not deep enough to say anything
    assert verdicts({**row(good), "constant": 13.0})[2] is None  # L = 12: rank 2 is not excluded
    assert verdicts() == [None, None, None]


def test_the_lowest_objective_is_chosen_at_each_depth():
    both = row(path([2.0, 2.0]), path([2.5, 1.5]))
    assert [each["norm_per_depth"] for each in lowest(both)] == [2.0, 1.5]
    assert [each["start"] for each in lowest(both)] == ["start 0", "start 1"]


def test_the_slope_of_a_power_law_is_its_exponent():
    ratios = [(6 * 2**index) ** -0.25 for index in range(4)]
    steps = path([1.0] * 4, ratios=ratios, implied=[1.0] * 4)
    assert ratio_slope(steps) == pytest.approx(-0.25, abs=1e-12)
    assert ratio_slope(steps[:2]) is None
    assert ratio_slope([*steps[:3], {**steps[3], "ratio": 0.0}]) is None


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return reproduce(EXPERIMENT, scale="smoke", folder=tmp_path_factory.mktemp("huge"))


def test_the_smoke_scale_runs_and_is_drawn(record):
    rows = measurements(record)
    assert len(rows) == len(record["results"]) == 2
    assert record["claims"] == [claim.record() for claim in EXPERIMENT.claims(EXPERIMENT.smoke, rows)]
    for found in rows:
        for steps in found["paths"].values():
            for before, after in pairwise(steps):  # a new layer costs at most as many numbers as there are neurons
                layers = after["depth"] - before["depth"]
                size = before["depth"] * before["norm_per_depth"] + layers * EXPERIMENT.smoke.width
                assert after["objective"] <= before["error"] + found["ridge"] / after["depth"] * size + 1e-6
        for each in (each for steps in found["paths"].values() for each in steps):
            assert each["violations"] == 0
            assert each["objective"] == pytest.approx(each["error"] + found["ridge"] * each["norm_per_depth"])
            assert 0.0 <= each["ratio"] <= 1.0
            assert math.isfinite(each["implied"])
    assert [len(drawing.figure.data) > 0 for drawing in drawings(record)] == [True] * 3
