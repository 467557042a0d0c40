"""Layers and their certificates at a small size, and verdicts on constructed results."""

from dataclasses import replace

import pytest

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.followups.layer_certificates.claims import in_the_middle

LAYERS = experiment_named("layer-certificates")
SETTINGS = replace(LAYERS.full, ranks=(2, 3), depths=(5, 10), seeds=(0,))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    settings = replace(LAYERS.smoke, ranks=(2,))
    return reproduce(LAYERS, settings=settings, folder=tmp_path_factory.mktemp("records"))


def test_a_network_of_every_depth_and_its_interpolant(record):
    (row,) = measurements(record)
    assert [(n["start"], n["depth"]) for n in row["networks"]] == [
        ("random", 5),
        ("built", 5),
        ("grown", 8),
        ("built", 8),
    ]
    for network in row["networks"]:
        assert network["squares"] <= network["excess"]
        assert len(network["distances"]) == network["depth"] == len(network["cost_of_identity"]) + 1
        squares = network["certificate_rank"] * sum(each**2 for each in network["distances"])
        assert squares == pytest.approx(network["squares"], rel=1e-3)
    names = [drawing.name for drawing in LAYERS.drawings(record)]
    assert names == [
        *(f"{what}-{depth}" for what in ("distances", "cost-of-identity", "energies") for depth in (5, 8)),
        "kernel",
    ]


def network(rank, depth, start, **changed):
    values = {"squares": 3.0, "excess": 4.0, "certified_share": 0.8, "kernel_per_depth": 5.0} | changed
    if start == "built":
        values["kernel_per_depth"] = changed.get("kernel_per_depth", 500.0)
    distance = 1.0 / depth if "distance" not in changed else changed["distance"]
    cost = float(rank) if "cost" not in changed else rank + changed["cost"]
    return values | {
        "start": start,
        "depth": depth,
        "distances": [distance] * depth,
        "cost_of_identity": [cost] * (depth - 1),
        "energies": [cost] * (depth - 1),
    }


def results(*, built=None, **changed):
    return [
        {
            "rank": rank,
            "seed": 0,
            "networks": [
                each
                for depth in SETTINGS.depths
                for each in (network(rank, depth, "random", **changed), network(rank, depth, "built", **(built or {})))
            ],
        }
        for rank in SETTINGS.ranks
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True, True, None, True]),
        ({"squares": 4.1}, [False, True, True, True, None, True]),
        ({"certified_share": 0.4}, [True, False, True, True, None, True]),
        ({"distance": 0.1}, [True, True, False, True, None, True]),
        ({"cost": 1.0}, [True, True, True, False, None, True]),
        ({"built": {"kernel_per_depth": 4.0}}, [True, True, True, True, None, False]),
    ],
)
def test_each_verdict_can_turn(changed, expected):
    assert [claim.agrees for claim in LAYERS.claims(SETTINGS, results(**changed))] == expected


def test_nothing_is_judged_from_nothing():
    assert {claim.agrees for claim in LAYERS.claims(SETTINGS, [])} == {None}
    assert LAYERS.drawings({"settings": {}, "results": []}) == []


def test_the_middle_third():
    assert in_the_middle([9.0, 9.0, 9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 9.0, 9.0, 9.0]) == 3.0
