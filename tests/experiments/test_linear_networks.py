"""The closed-form side of the experiment against a grid, and its judgement on results made up for it."""

from dataclasses import replace

import numpy as np
import pytest

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.jacot2023.linear_networks.closed_form import minimum

LINEAR = experiment_named("linear-networks")


@pytest.mark.parametrize("p", [2.0, 1.0, 2 / 3, 0.4, 0.1])
@pytest.mark.parametrize("truth", [3.0, 0.5, 0.2, 0.05])
@pytest.mark.parametrize("ridge", [0.01, 0.05, 0.5])
def test_the_minimum_in_one_variable_is_that_of_a_fine_grid(truth, ridge, p):
    grid = np.concatenate([[0.0], np.geomspace(1e-9, 2 * truth, 400_001)])
    values = (grid - truth) ** 2 + ridge * grid**p
    s, value = minimum(truth, ridge, p)
    assert value <= values.min() + 1e-12
    assert value == pytest.approx((s - truth) ** 2 + ridge * s**p, abs=1e-15)
    assert value == pytest.approx(values.min(), abs=1e-8)


def test_the_smoke_scale_agrees_and_is_drawn(tmp_path):
    record = reproduce(LINEAR, scale="smoke", folder=tmp_path)
    assert not [row for row in record["results"] if "error" in row]
    assert [claim["agrees"] for claim in record["claims"]] == [True] * 5
    for row in measurements(record):
        assert row["magnitudes"][:6] == pytest.approx(row["closed_form"], abs=1e-3)
    for drawing in LINEAR.drawings(record):
        assert all(len(trace.x) == len(trace.y) > 0 for trace in drawing.figure.data)


def _rows(**change):
    base = {"magnitudes": [1.0], "closed_form": [1.0], "norm_per_depth": 2.0, "quasi_norm": 2.0, "seed": 0}
    base |= {"objective": 1.0, "least_objective": 1.0}
    rows = [
        {**base, "kind": kind, "depth": depth, "rank": 7 - depth}
        for kind in ("fully connected", "diagonal")
        for depth in (1, 3)
    ]
    return [{**row, **change} for row in rows]


@pytest.mark.parametrize(
    ("change", "verdicts"),
    [
        ({}, [True, True, True, True, True]),
        ({"norm_per_depth": 2.01}, [False, True, True, False, True]),
        ({"objective": 1.01}, [True, False, True, True, False]),
        ({"rank": 4}, [True, True, False, True, True]),
    ],
)
def test_it_would_say_so_if_the_claims_did_not_hold(change, verdicts):
    settings = replace(LINEAR.smoke, depths=(1, 3))
    assert [claim.agrees for claim in LINEAR.claims(settings, _rows(**change))] == verdicts
