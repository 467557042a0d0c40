"""Leaky ResNets at a small size, and verdicts on constructed results."""

from dataclasses import replace

import pytest

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.followups.leaky_resnets.claims import drift, middle_third

LEAKY = experiment_named("leaky-resnets")
SETTINGS = replace(LEAKY.full, effective_depths=(1.0, 8.0), ranks=(1, 2))


def test_the_smoke_scale(tmp_path):
    record = reproduce(LEAKY, settings=replace(LEAKY.smoke, descent=20), folder=tmp_path)
    rows = measurements(record)
    assert [row["effective_depth"] for row in rows] == [4.0, 1.0]
    for row in rows:
        assert len(row["time"]) == len(row["energy"]) == 8
        assert row["energy"] == pytest.approx(
            [c - k for c, k in zip(row["cost_of_identity"], row["kinetic_energy"], strict=True)], abs=1e-2
        )
        assert row["time"][0] == 0.0
        assert sum(row["step"]) == pytest.approx(row["effective_depth"], rel=1e-4)  # written with five digits
    names = [drawing.name for drawing in LEAKY.drawings(record)]
    assert names == ["cost-of-identity-1", "energy-1", "plateau", "cost"]


def result(depth, rank, **changed):
    values = {"energy": 1.0, "slope": 1.0, "mean_energy": 1.0, "plateau": float(rank)}
    values |= {
        "kinetic": 0.9 if depth < 2 else 0.1,
        "equal": 1.2,
        "adapted": 1.1,
        "objective": 1.0,
        "last_energy": 1.0,
    } | changed
    times = [depth * step / 6 for step in range(6)]
    return {
        "effective_depth": depth,
        "rank": rank,
        "seed": 0,
        "rank_found": rank,
        "time": times,
        "energy": [5.0, 5.0, values["energy"], values["energy"], values["last_energy"], 5.0],
        "cost_of_identity": [9.0, 9.0, *[values["plateau"]] * 3, 9.0],
        "kinetic_energy": [9.0, 9.0, *[values["kinetic"]] * 3, 9.0],
        **{name: values[name] for name in ("slope", "mean_energy", "equal", "adapted", "objective")},
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True, True, True]),
        ({"last_energy": 1.2}, [False, True, True, True, True]),
        ({"slope": 0.8}, [True, False, True, True, True]),
        ({"plateau": 2.9}, [True, True, False, True, True]),
        ({"kinetic": 0.9}, [True, True, True, False, True]),
        ({"adapted": 1.3}, [True, True, True, True, False]),
    ],
)
def test_each_verdict_can_turn(changed, expected):
    rows = [result(depth, rank, **changed) for depth in (1.0, 8.0) for rank in (1, 2)]
    assert [claim.agrees for claim in LEAKY.claims(SETTINGS, rows)] == expected


def test_nothing_is_judged_from_nothing():
    assert {claim.agrees for claim in LEAKY.claims(SETTINGS, [])} == {None}
    assert LEAKY.drawings({"settings": {}, "results": []}) == []


def test_the_middle_third():
    row = result(6.0, 1, energy=2.0, last_energy=3.0)
    assert middle_third(row, "energy") == [2.0, 2.0, 3.0]  # at times 2, 3 and 4 of 6
    assert drift(row) == 0.5
    assert middle_third({"effective_depth": 6.0, "time": [0.0, 5.0], "energy": [1.0, 7.0]}, "energy") == [7.0]
