"""Theorem 2 replayed: linear fits and paths against closed forms, verdicts on constructed results, the smoke scale."""

import numpy as np
import pytest

from isthmus.experiments import measurements, reproduce
from isthmus.experiments.jacot2023.sample_size.claims import (
    deep_end,
    judge,
    late_slopes,
    predicted_rank,
    rank_one_bound,
)
from isthmus.experiments.jacot2023.sample_size.experiment import EXPERIMENT, linear_ranks
from isthmus.experiments.jacot2023.sample_size.figures import drawings

WINDOW = {"part": "window", "n": 25, "seed": 0, "found": 2, "ranges": [[3, 3, 5], [2, 6, 37], [1, 38, -1]]}


def test_a_linear_fit_has_the_rank_of_the_cross_moments():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((40, 5))
    assert linear_ranks(x, x @ rng.standard_normal((5, 2)) @ rng.standard_normal((2, 4)), 0.0) == [2, 2]
    assert linear_ranks(x, np.abs(x), 0.1)[0] == 5
    # Ridge regression by augmented least squares shares no formula with the normal equations.
    y = x @ np.diag([1.0, 0.5, 0.2, 1e-3, 1e-9])
    u = x - x.mean(0)
    longer = np.vstack([u, np.sqrt(0.1 * len(u)) * np.eye(5)])
    matrix = np.linalg.lstsq(longer, np.vstack([y - y.mean(0), np.zeros((5, 5))]), rcond=None)[0]
    s = np.linalg.svd(matrix, compute_uv=False)
    assert linear_ranks(x, y, 0.1) == [(s > 1e-6 * s[0]).sum(), (s > 0.1 * s[0]).sum()]


def test_windows_are_read_at_any_depth():
    assert [predicted_rank(WINDOW, depth) for depth in (2, 3, 5, 6, 37, 38, 10**6)] == [None, 3, 3, 2, 2, 1, 1]
    assert deep_end(2, WINDOW) == 37
    assert deep_end(1, WINDOW) is None
    assert deep_end(4, WINDOW) == 0


def paths(k, seed, *, power, constants=(10.0, 20.0, 30.0, 40.0)):
    sizes = (50, 200, 800, 3200)
    lengths = [(1.0 + 0.01 * seed) * n**power for n in sizes]
    return {
        "part": "paths",
        "rank": k,
        "seed": seed,
        "path": [
            {"n": n, "upper": 1.01 * a, "lower": a, "diameter": 2.0, "constant": c, "depth": 30}
            for n, a, c in zip(sizes, lengths, constants, strict=True)
        ],
    }


def test_slopes_are_those_of_power_laws_and_judged_by_1_minus_1_over_k():
    rows = [paths(k, seed, power=1 - 1 / k) for k in (1, 2, 4) for seed in (0, 1)]
    found = late_slopes(rows, "lower")
    assert [found[k][0] for k in (1, 2, 4)] == pytest.approx([0.0, 0.5, 0.75], abs=1e-12)
    assert [claim.agrees for claim in judge(2, rows)[:3]] == [True, True, True]
    assert judge(2, [paths(2, 0, power=0.3)])[0].agrees is False
    assert judge(2, [paths(2, 0, power=0.75)])[0].agrees is True  # the source bounds it from below
    assert judge(2, [paths(2, 0, power=0.5, constants=(10, 20, 15, 40))])[2].agrees is False


def test_the_bound_of_theorem_2():
    each = paths(2, 0, power=0.5)["path"][1]
    assert rank_one_bound(each, 2) == pytest.approx(200**0.5 / 2)
    assert rank_one_bound(each, 10) == pytest.approx((200**0.5 / 2) ** 0.2)
    cheap = paths(2, 0, power=0.5, constants=(-29.0, -29.0, -29.0, -29.0))
    assert judge(2, [cheap])[1].agrees is False  # a rank-1 network below the bound


def trained(n, ranks, *, seed=0):
    depths = (3, 12, 48)
    searches = [
        {"part": "search", "n": n, "seed": seed, "depth": depth, "found": rank}
        for depth, rank in zip(depths, ranks, strict=True)
    ]
    steps = [{"depth": depth, "found": rank} for depth, rank in zip(depths, ranks, strict=True)]
    return [*searches, {"part": "random", "n": n, "seed": seed, "path": steps, "linear": [6, 3]}]


def test_ranks_are_judged_by_sizes_and_windows():
    few, many = trained(25, (3, 2, 1)), trained(100, (2, 2, 2))
    large = {**WINDOW, "n": 100, "ranges": [[2, 3, -1]]}
    assert [claim.agrees for claim in judge(2, [*few, *many, WINDOW, large])] == [None] * 3 + [True] * 3
    same = [*few, *trained(100, (3, 2, 1)), WINDOW, {**WINDOW, "n": 100}]
    assert judge(2, same)[3].agrees is False
    assert judge(2, [*few, *many, WINDOW, {**large, "ranges": [[4, 3, -1]]}])[4].agrees is False
    assert judge(2, [*many, large])[5].agrees is False
    assert [claim.agrees for claim in judge(2, [])] == [None] * 6


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return reproduce(EXPERIMENT, scale="smoke", folder=tmp_path_factory.mktemp("size"))


def test_the_smoke_scale_runs_and_is_drawn(record):
    rows = measurements(record)
    assert len(rows) == len(record["results"]) == len(EXPERIMENT.cells(EXPERIMENT.smoke))
    assert record["claims"] == [claim.record() for claim in EXPERIMENT.claims(EXPERIMENT.smoke, rows)]
    for row in (row for row in rows if row["part"] == "paths"):
        assert all(each["lower"] <= each["upper"] * (1 + 1e-9) for each in row["path"])
        assert [each["lower"] for each in row["path"]] == sorted(each["lower"] for each in row["path"])
    search = next(row for row in rows if row["part"] == "search")
    assert search["objective"] == min(value for _, value in search["objectives"])
    assert [len(drawing.figure.data) > 0 for drawing in drawings(record)] == [True] * 3
