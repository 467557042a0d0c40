"""Linear layers in front at a small size, the descent by its closed form, and verdicts on constructed results."""

from dataclasses import replace

import pytest
import torch

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.followups.linear_layers.descent import shallow, train, value_and_gradient
from isthmus.training import Parameters

FRONT = experiment_named("linear-layers")
SETTINGS = replace(FRONT.full, layers=(1, 5), shown=(1, 1000))


def test_the_smoke_scale(tmp_path):
    record = reproduce(FRONT, settings=replace(FRONT.smoke, descent=30), folder=tmp_path)
    rows = measurements(record)
    assert [row["layers"] for row in rows] == [3, 1]
    for row in rows:
        assert row["lower"] <= row["upper"] <= row["squared_norm"]
        assert row["sizes"] == sorted(row["sizes"], reverse=True)
    assert [drawing.name for drawing in FRONT.drawings(record)] == ["curve", "spectrum", "error"]


def test_the_gradient_is_a_difference_quotient_and_biases_in_front_are_left_out():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(9, n, generator=generator, dtype=torch.float64) for n in (2, 1))
    at = train(x, y, 3, 4, 0.1, descent=0, seed=1)
    out = at.like(torch.zeros_like(at.vector))
    value_and_gradient(at, out, x, y, 0.1)
    direction = torch.randn(at.vector.shape, generator=generator, dtype=torch.float64)
    for bias in at.like(direction).biases[:-2]:
        bias.zero_()
    values = []
    for step in (-1e-6, 1e-6):
        there = at.like(at.vector + step * direction)
        values.append(float(value_and_gradient(there, there.like(torch.zeros_like(there.vector)), x, y, 0.1)))
    assert (values[1] - values[0]) / 2e-6 == pytest.approx(float((out.vector * direction).sum()), rel=1e-5)
    assert all(not bias.any() for bias in out.biases[:-2])
    f = shallow(at)
    a = x
    for w in at.weights[:-1]:
        a = a @ w[0].T
    expected = (a + at.biases[-2][0]).relu() @ at.weights[-1][0].T + at.biases[-1][0]
    torch.testing.assert_close(f(x), expected)
    assert isinstance(at, Parameters)


def result(layers, **changed):
    values = {"squared_norm": 2.0, "upper": 2.0, "lower": 1.5, "ratio": 0.4 if layers == 1 else 0.1, "end": 2.01}
    values |= {"alignment": 0.9 if layers == 1 else 0.99, "true_error": 0.2 if layers == 1 else 0.1} | changed
    curve = {"upper": [3.0, values["end"]], "lower": [2.0, 2.0], "index_rank": 2}
    kept = ("squared_norm", "upper", "lower", "alignment", "true_error")
    row = {
        "layers": layers,
        "seed": 0,
        "sizes": [1.0, values["ratio"]],
        "index_rank": 1,
        **{n: values[n] for n in kept},
    }
    return row | ({"curve": curve} if layers == 1 else {})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True] * 6),
        ({"lower": 2.1}, [False, True, True, True, True, True]),
        ({"upper": 1.9}, [True, False, True, True, True, True]),
        ({"end": 2.2}, [True, True, False, True, True, True]),
        ({"ratio": 0.4}, [True, True, True, False, True, True]),
        ({"alignment": 0.9}, [True, True, True, True, False, True]),
        ({"true_error": 0.2}, [True, True, True, True, True, False]),
    ],
)
def test_each_verdict_can_turn(changed, expected):
    assert [claim.agrees for claim in FRONT.claims(SETTINGS, [result(1, **changed), result(5, **changed)])] == expected


def test_nothing_is_judged_from_nothing():
    assert {claim.agrees for claim in FRONT.claims(SETTINGS, [])} == {None}
    assert FRONT.drawings({"settings": {}, "results": []}) == []
