"""Classifiers along their training at a small size, and verdicts on constructed results."""

from dataclasses import replace

import pytest
import torch

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.followups.neural_collapse.descent import LinearEnd
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.networks import RELU
from isthmus.training import Parameters, random_network

COLLAPSE = experiment_named("neural-collapse")
SETTINGS = replace(COLLAPSE.full, depths=(3,))


def test_the_smoke_scale(tmp_path):
    record = reproduce(COLLAPSE, scale="smoke", folder=tmp_path)
    rows = measurements(record)
    kinds = [(row["linear_layers"], row["loss"]) for row in rows]
    assert kinds == [(m, loss) for m in (1, 2) for loss in ("squared", "cross-entropy")]
    for row in rows:
        assert [moment["step"] for moment in row["moments"]] == [0, 4, 15, 60, 80]
        assert row["moments"][-1]["objective"] < row["moments"][0]["objective"]
        for moment in row["moments"]:
            assert len(moment["nc1"]) == len(moment["bound"]) == 3
            assert moment["collapsed_rank"] <= min(3, moment["logit_rank"])
    assert [drawing.name for drawing in COLLAPSE.drawings(record)] == [
        f"{kind}-{loss}-{m}" for m, loss in kinds for kind in ("nc1", "logits")
    ]


@pytest.mark.parametrize("likelihood", [GAUSSIAN, CATEGORICAL])
@pytest.mark.parametrize("linear", [1, 2, 4])
def test_the_descents_gradient_is_that_of_its_network(likelihood, linear):
    """By differences of the objective as the definition has it, of the chain that is handed on."""
    generator = torch.Generator().manual_seed(linear)
    x, labels = torch.randn(9, 2, generator=generator).double(), torch.arange(9) % 3
    y = torch.nn.functional.one_hot(labels, 3).double() if likelihood is GAUSSIAN else labels
    objective = LinearEnd(x, y, likelihood, 0.3, linear)
    at = Parameters.of(random_network((2, 5, 5, 5, 3), RELU, generator, dtype=torch.float64))
    out = at.like(torch.zeros_like(at.vector))

    def value():
        chain, a = objective.chain(at), x
        for index, layer in enumerate(chain.layers):
            a = a @ layer.weight.T + layer.bias
            a = a.clamp_min(0.0) if index < 4 - linear else a
        torch.testing.assert_close(chain(x), a)
        losses = (a - y).square().sum(1) if likelihood is GAUSSIAN else -a.log_softmax(1)[range(9), y]
        return float(losses.mean() + 0.3 / 4 * at.vector.square().sum())

    assert float(objective.gradient(at, out)) == pytest.approx(value(), rel=1e-12)
    for index in (0, 7, 30, 55, 90):
        ends = []
        for step in (1e-6, -2e-6):
            at.vector[0, index] += step
            ends.append(value())
        at.vector[0, index] += 1e-6
        assert float(out.vector[0, index]) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)


def result(linear=2, loss="squared", seed=0, **changed):
    values = {"nc1": 0.01, "nc3": 0.95, "distance": 0.5, "logit_rank": 3, "collapsed_rank": 3}
    values |= {"imbalance": 0.01, "nc2": 0.9 + 0.01 * linear} | changed
    moment = {"step": 9, "objective": 1.0, "error": 0.0, "nc1": [9.0, 1.0, values["nc1"]], "logit_nc1": 0.02}
    moment |= {"distance_from_rank": [0.1, values["distance"]], "bound": [0.2, 0.6]}
    moment |= {name: values[name] for name in ("nc2", "nc3", "logit_rank", "collapsed_rank", "imbalance")}
    row = {"depth": 6, "linear_layers": linear, "loss": loss, "seed": seed, "classes": 4}
    return row | {"moments": [moment | {"nc1": [9.0, 9.0, 9.0]}, moment]}


@pytest.mark.parametrize(
    ("changed", "differing"),
    [
        ({}, []),
        ({"imbalance": 0.1}, [0]),
        ({"nc1": 0.2}, [1]),
        ({"nc1": 0.2, "loss": "cross-entropy"}, [2]),
        ({"nc1": 0.2, "linear": 1}, [2]),
        ({"nc3": 0.5}, [3]),
        ({"nc3": 0.5, "linear": 1}, []),
        ({"nc2": 0.5}, [3, 4]),
        ({"nc2": 0.905}, [4]),
        ({"distance": 0.7}, [5]),
        ({"logit_rank": 4}, [6]),
        ({"logit_rank": 2, "collapsed_rank": 2}, [6]),
    ],
)
def test_each_verdict_can_turn(changed, differing):
    kinds = [(1, "squared"), (2, "squared"), (2, "cross-entropy")]
    kind = {"linear": 2, "loss": "squared"} | changed
    rows = [result(m, loss) for m, loss in kinds if (m, loss) != (kind["linear"], kind["loss"])]
    verdicts = [claim.agrees for claim in COLLAPSE.claims(SETTINGS, [*rows, result(**kind)])]
    assert verdicts == [index not in differing for index in range(7)]


def test_nothing_is_judged_from_nothing():
    assert {claim.agrees for claim in COLLAPSE.claims(SETTINGS, [])} == {None}
    assert COLLAPSE.drawings({"settings": {}, "results": []}) == []
