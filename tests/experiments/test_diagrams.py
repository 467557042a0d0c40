"""The diagrams of curve and rank recovery at a small size, verdicts on constructed results, the heat map's cells."""

from dataclasses import replace

import pytest

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.jacot2023.diagram import phase_diagram

CURVE, RECOVERY = experiment_named("curve-diagram"), experiment_named("recovery-diagram")
CURVES = replace(CURVE.full, depths=(2, 12), weight_decays=(1e-4, 1e-2))
RECOVERIES = replace(RECOVERY.full, depths=(2, 6, 24), ridges=(0.02,), sizes=(50, 500))


def test_the_smoke_scales(tmp_path):
    curve = reproduce(CURVE, settings=replace(CURVE.smoke, depths=(2,)), folder=tmp_path)
    (row,) = measurements(curve)
    assert row["lowest found"]["objective"] <= row["random start"]["objective"]
    assert set(row["random start"]) == {"after", "rank", "objective", "norm_per_depth"}
    assert len(CURVE.drawings(curve)) == 4
    recovery = reproduce(RECOVERY, settings=replace(RECOVERY.smoke, depths=(4,)), folder=tmp_path)
    (row,) = measurements(recovery)
    assert row["lowest found"]["objective"] <= row["random start"]["objective"]
    assert [drawing.name for drawing in RECOVERY.drawings(recovery)] == [
        "right-random-start-30",
        "right-lowest-found-30",
    ]


def curves(*, deep=0.02, shallow=0.8, deep_rank=1):
    return [
        {"seed": 0, "depth": depth, "weight_decay": decay, "before": 2.0}
        | {kind: {"after": 2.0 * left, "rank": rank} for kind in ("random start", "lowest found")}
        for depth, left, rank in ((2, shallow, 2), (12, deep, deep_rank))
        for decay in CURVES.weight_decays
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True, True, True]),
        ({"deep": 0.3}, [False, False, True, True, False]),
        ({"shallow": 0.3}, [True, True, False, False, True]),
        ({"deep_rank": 2}, [True, True, True, True, None]),
        ({"shallow": 0.05, "deep_rank": 1}, [True, True, False, False, False]),
    ],
)
def test_each_verdict_of_the_curve_can_turn(changed, expected):
    assert [claim.agrees for claim in CURVE.claims(CURVES, curves(**changed))] == expected


def recoveries(*, middle=3, shallow=6, deep=2, deep_of_many=3):
    rows = []
    for depth, n, rank in ((2, 50, shallow), (2, 500, shallow), (6, 50, middle), (6, 500, middle)):
        rows.append((depth, n, rank))
    rows += [(24, 50, deep), (24, 50, deep), (24, 500, deep_of_many)]
    return [
        {"seed": 0, "depth": depth, "n": n, "ridge": 0.02}
        | {kind: {"jacobian_rank": rank, "bottleneck_rank": rank} for kind in ("random start", "lowest found")}
        for depth, n, rank in rows
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True, True, True]),
        ({"middle": 2}, [False, False, True, True, True]),
        ({"shallow": 3}, [True, True, False, True, True]),
        ({"deep": 3}, [True, True, True, False, False]),
        ({"deep_of_many": 1}, [True, True, True, True, False]),
    ],
)
def test_each_verdict_of_the_recovery_can_turn(changed, expected):
    assert [claim.agrees for claim in RECOVERY.claims(RECOVERIES, recoveries(**changed))] == expected


@pytest.mark.parametrize("experiment", [CURVE, RECOVERY], ids=lambda e: e.name)
def test_nothing_is_judged_from_nothing(experiment):
    assert {claim.agrees for claim in experiment.claims(experiment.full, [])} == {None}
    assert experiment.drawings({"settings": {}, "results": []}) == []


@pytest.mark.parametrize("experiment", [CURVE, RECOVERY], ids=lambda e: e.name)
def test_a_seed_is_finished_before_the_next_one(experiment):
    seeds = [cell["seed"] for cell in experiment.cells(experiment.full)]
    assert seeds == sorted(seeds)
    assert len(set(seeds)) == 20


def test_a_heat_map_of_bars_writes_its_values_where_they_belong():
    rows = [{"a": 1, "b": 2.0, "v": 0.25}, {"a": 1, "b": 2.0, "v": 0.75}, {"a": 3, "b": 4.0, "v": 1.0}]
    figure = phase_diagram(
        rows, ("a", "a", (1, 3)), ("b", (2.0, 4.0)), lambda cell: sum(r["v"] for r in cell) / len(cell), (0, 1)
    )
    known, unknown = figure.data
    assert list(zip(known.x, [base + 0.47 for base in known.base], known.text, strict=True)) == [
        (0, pytest.approx(0.0), "0.5"),
        (1, pytest.approx(1.0), "1"),
    ]
    assert "2 of them" in known.customdata[0]
    assert len(unknown.x) == 2
    assert list(figure.layout.yaxis.ticktext) == ["2", "4"]
