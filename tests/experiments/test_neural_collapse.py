"""Classifiers along their training at a small size, and verdicts on constructed results."""

from dataclasses import replace

import pytest

from isthmus.experiments import experiment_named, measurements, reproduce

COLLAPSE = experiment_named("neural-collapse")
SETTINGS = replace(COLLAPSE.full, depths=(3,))


def test_the_smoke_scale(tmp_path):
    record = reproduce(COLLAPSE, scale="smoke", folder=tmp_path)
    (row,) = measurements(record)
    assert [moment["step"] for moment in row["moments"]] == [0, 4, 15, 60]
    assert row["moments"][-1]["objective"] < row["moments"][0]["objective"]
    for moment in row["moments"]:
        assert len(moment["nc1"]) == len(moment["bound"]) == 3
        assert moment["collapsed_rank"] <= min(3, moment["logit_rank"])
    assert [drawing.name for drawing in COLLAPSE.drawings(record)] == ["nc1-3", "logits-3"]


def result(**changed):
    values = {"nc1": 0.01, "nc2": 0.95, "nc3": 0.95, "distance": 0.5, "logit_rank": 3, "collapsed_rank": 3} | changed
    moment = {"step": 9, "objective": 1.0, "error": 0.0, "nc1": [9.0, 1.0, values["nc1"]], "imbalance": 0.1}
    moment |= {"distance_from_rank": [0.1, values["distance"]], "bound": [0.2, 0.6]}
    moment |= {name: values[name] for name in ("nc2", "nc3", "logit_rank", "collapsed_rank")}
    return {"depth": 3, "seed": 0, "classes": 4, "moments": [moment | {"nc1": [9.0, 9.0, 9.0]}, moment]}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True] * 4),
        ({"nc1": 0.2}, [False, True, True, True]),
        ({"nc3": 0.5}, [True, False, True, True]),
        ({"nc2": 0.5}, [True, False, True, True]),
        ({"distance": 0.7}, [True, True, False, True]),
        ({"logit_rank": 4}, [True, True, True, False]),
        ({"logit_rank": 2, "collapsed_rank": 2}, [True, True, True, False]),
    ],
)
def test_each_verdict_can_turn(changed, expected):
    assert [claim.agrees for claim in COLLAPSE.claims(SETTINGS, [result(**changed)])] == expected


def test_nothing_is_judged_from_nothing():
    assert {claim.agrees for claim in COLLAPSE.claims(SETTINGS, [])} == {None}
    assert COLLAPSE.drawings({"settings": {}, "results": []}) == []
