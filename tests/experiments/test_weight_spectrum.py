"""The weight spectrum at a small size, its verdicts on constructed results, its numbers by hand."""

from dataclasses import replace

import pytest

from isthmus.experiments import measurements, reproduce
from isthmus.experiments.jacot2023.weight_spectrum.experiment import EXPERIMENT, distance
from isthmus.experiments.jacot2023.weight_spectrum.figures import drawings

SETTINGS = replace(EXPERIMENT.full, rank=2, depths=(5, 10, 20), seeds=(0, 1))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return reproduce(EXPERIMENT, scale="smoke", folder=tmp_path_factory.mktemp("records"))


def test_the_smoke_scale(record):
    rows = measurements(record)
    assert len(rows) == len(record["results"]) == 3
    for row in rows:
        depth = row["depth"]
        assert len(row["weights"]) == depth
        assert len(row["impact"]) == depth - 1
        assert set(row["objectives"]) == ({"random", "grown"} if depth > 6 else {"random"})
        assert row["objectives"][row["start"]] == min(row["objectives"].values())
        assert row["linear_share"] == pytest.approx(sum(i < 0.01 for i in row["impact"]) / (depth - 1))
    settings = EXPERIMENT.restored(record["settings"])
    assert [claim.record() for claim in EXPERIMENT.claims(settings, rows)] == record["claims"]


def test_the_figures_hold_the_numbers(record):
    found = {drawing.name: drawing for drawing in drawings(record)}
    assert list(found) == ["weights-3", "weights-6", "weights-8", "gaps", "sharpening"]
    rows = {row["depth"]: row for row in measurements(record)}
    for depth, row in rows.items():
        first = found[f"weights-{depth}"].figure.data[0]
        assert list(first.y) == [values[0] for values in row["weights"]]
    near, linear = found["sharpening"].figure.data
    assert dict(zip(near.x, near.y, strict=True)) == {depth: row["distance"] for depth, row in rows.items()}
    assert dict(zip(linear.x, linear.y, strict=True)) == {depth: row["linear_share"] for depth, row in rows.items()}
    assert len(found["gaps"].figure.data) == 2


def test_a_record_without_numbers_is_judged_and_drawn_empty():
    assert {claim.agrees for claim in EXPERIMENT.claims(EXPERIMENT.full, [])} == {None}
    assert drawings({"settings": {"rank": 4}, "results": []}) == []


def results(**changed):
    """Two seeds at three depths, all as the slides say; `changed` gives other values over the depths."""
    values = {"large": (3, 3, 2), "after_k_plus_1": (0.2, 0.01, 0.0), "distance": (1.0, 0.5, 0.2)}
    values |= {"linear_share": (0.1, 0.5, 0.8), "after_k": (0.9, 0.95, 0.5)} | changed
    return [
        {"depth": depth, "seed": seed, "bottleneck_rank": 2}
        | {name: [of[at]] if name == "large" else of[at] for name, of in values.items()}
        for at, depth in enumerate(SETTINGS.depths)
        for seed in SETTINGS.seeds
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True] * 5),
        ({"large": (9, 9, 3)}, [False, True, True, True, True]),
        ({"large": (9, 3, 3)}, [True] * 5),
        ({"after_k_plus_1": (0.2, 0.01, 0.3)}, [True, False, True, True, True]),
        ({"after_k": (0.9, 0.5, 0.95)}, [True, True, False, True, True]),
        ({"distance": (1.0, 1.2, 0.2)}, [True, True, True, False, True]),
        ({"linear_share": (0.1, 0.5, 0.4)}, [True, True, True, True, False]),
    ],
)
def test_each_verdict_can_turn(changed, expected):
    assert [claim.agrees for claim in EXPERIMENT.claims(SETTINGS, results(**changed))] == expected


def test_one_depth_alone_shows_no_trend():
    found = [claim.agrees for claim in EXPERIMENT.claims(SETTINGS, results()[:2])]
    assert found == [True, None, None, None, None]


def test_the_distance_by_hand():
    spectra = [[9.0, 9.0], [1.5, 0.5, 7.0], [1.0, 0.0], [1.25, 1.25], [9.0]]  # the middle of 5 layers: 2, 3, 4
    assert distance(spectra, 2) == pytest.approx((0.5 + 0.5 + 0.0 + 1.0 + 0.25 + 0.25) / 6)
    assert distance([[9.0], [1.5], [9.0]], 2) == 0.5
