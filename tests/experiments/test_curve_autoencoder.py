"""Distances to the curve against minimisation over t, the judgement on results made up for it, and the smoke scale."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from isthmus.experiments import experiment_named, reproduce
from isthmus.experiments.jacot2023.curve_autoencoder.curve_distance import distances
from isthmus.experiments.jacot2023.curve_autoencoder.experiment import random_points
from isthmus.experiments.jacot2023.curve_autoencoder.settings import LOWEST, RANDOM

CURVE = experiment_named("curve-autoencoder")


def _by_minimisation(point):
    """Over t, from every twentieth of its range."""

    def squared(t):
        return (point[0] - 1.2 * t) ** 2 + (point[1] - 0.6 * np.sin(np.pi * t)) ** 2

    ends = np.linspace(-1.0, 1.0, 41)
    return (
        min(
            minimize_scalar(squared, bounds=pair, method="bounded", options={"xatol": 1e-12}).fun
            for pair in pairwise(ends)
        )
        ** 0.5
    )


def test_distances_are_those_of_a_minimisation_over_t():
    points = np.random.default_rng(3).uniform((-2.0, -1.0), (2.0, 1.0), (200, 2))
    assert distances(points) == pytest.approx([_by_minimisation(point) for point in points], abs=2e-6)


def test_distances_in_closed_form():
    on_it = np.array([[1.2 * t, 0.6 * np.sin(np.pi * t)] for t in (-1.0, -0.333, 0.0, 0.12345, 0.7, 1.0)])
    assert distances(on_it) == pytest.approx(0.0, abs=1e-6)
    # Over the crest and far beyond an end the nearest points are the crest and the end.
    assert distances(np.array([[0.6, 0.9], [1.2 + 3e3, 0.0]])) == pytest.approx([0.3, 3e3], rel=1e-6)


def test_random_points_are_in_the_box_with_its_margin():
    settings = replace(CURVE.smoke, points=5000, margin=0.5)
    points = random_points(np.array([[0.0, 1.0], [2.0, 2.0]]), settings, 4)
    assert points.min(0) == pytest.approx([-1.0, 0.5], abs=0.01)
    assert points.max(0) == pytest.approx([3.0, 2.5], abs=0.01)


def test_the_smoke_scale_runs_and_is_drawn(tmp_path):
    record = reproduce(CURVE, scale="smoke", folder=tmp_path)
    assert not [row for row in record["results"] if "error" in row]
    assert len(record["claims"]) == 7
    for row in record["results"]:
        numbers = row["numbers"]
        assert numbers[LOWEST]["objective"] <= numbers[RANDOM]["objective"]
        moved = distances(np.array(numbers[RANDOM]["to"])).mean()
        assert moved == pytest.approx(numbers[RANDOM]["after"], rel=0.8)  # of the points that are kept
    for drawing in CURVE.drawings(record):
        assert all(len(trace.x) == len(trace.y) > 0 for trace in drawing.figure.data)


def _results(**change):
    def kind(after, rank):
        return {"after": after, "rank": rank, "projection_error": 0.02, "norm_per_depth": 1.0}

    rows = [
        {"depth": 2, "seed": 0, "before": 0.4, RANDOM: kind(0.39, 2), LOWEST: kind(0.39, 2)},
        {"depth": 50, "seed": 0, "before": 0.4, RANDOM: kind(0.01, 1), LOWEST: kind(0.01, 1)},
    ]
    for (depth, start), values in change.pop("change", {}).items():
        next(row for row in rows if row["depth"] == depth)[start] |= values
    return rows


@pytest.mark.parametrize(
    ("change", "verdicts"),
    [
        ({}, [True] * 7),
        ({(50, RANDOM): {"after": 0.2, "rank": 2}}, [False, True, False, True, True, True, True]),
        ({(2, RANDOM): {"after": 0.1}}, [True, False, True, True, True, True, True]),
        ({(50, LOWEST): {"after": 0.05}}, [True, True, True, False, True, True, True]),
        ({(2, LOWEST): {"rank": 1, "after": 0.02}}, [True, True, True, True, False, False, True]),
        ({(50, LOWEST): {"projection_error": 0.3}}, [True] * 6 + [False]),
    ],
)
def test_it_would_say_so_if_the_claims_did_not_hold(change, verdicts):
    settings = replace(CURVE.smoke, depths=(2, 50))
    assert [claim.agrees for claim in CURVE.claims(settings, _results(change=change))] == verdicts


def test_cells_that_failed_leave_a_claim_undecided():
    settings = replace(CURVE.smoke, depths=(2, 50))
    verdicts = [claim.agrees for claim in CURVE.claims(settings, _results()[:1])]
    assert verdicts == [None, True, None, None, True, None, None]
    assert [claim.agrees for claim in CURVE.claims(settings, [])] == [None] * 7
