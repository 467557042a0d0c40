"""Theorem 1 replayed: the construction against numpy, verdicts on constructed results, and the smoke scale."""

import numpy as np
import pytest
import torch

from isthmus.experiments import measurements, reproduce
from isthmus.experiments.jacot2023.infinite_depth import EXPERIMENT
from isthmus.experiments.jacot2023.infinite_depth.figures import drawings
from isthmus.experiments.jacot2023.infinite_depth.rank_axioms import axiom_claims, axiom_work
from isthmus.experiments.jacot2023.infinite_depth.three_parts import (
    TRIPOD,
    construction,
    construction_claims,
    halves,
    reach,
    steep_claim,
    through_negative,
)
from isthmus.networks import RELU, Activation
from isthmus.networks.catalogue import catalogue


def evaluated(network, x):
    """The network layer by layer in numpy, and the sum of the squares of its weights and biases."""
    a, size, slope = x.numpy(), 0.0, network.activation.negative_slope
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        a = a @ w.numpy().T + b.numpy()
        size += float((w.numpy() ** 2).sum() + (b.numpy() ** 2).sum())
        if layer < network.depth:
            a = np.where(a > 0, a, slope * a)
    return a, size


@pytest.mark.parametrize("slope", [0.0, 3.0])
@pytest.mark.parametrize("rank", [1, 3])
def test_the_construction_against_numpy(rank, slope):
    """‖w‖² is that of the two halves, shifted by hand, and k (or k/9) for each layer between."""
    depth, (g, h) = 60, halves(rank, 5, Activation(slope) if slope else RELU)
    low, high = reach(g)
    shift = (-low).clamp_min(0) if not slope else -high.clamp_min(0)
    # h(z − s): its first bias takes W s away; behind a steep middle z comes multiplied by the slope.
    first = h.biases[0].numpy() - h.weights[0].numpy() @ shift.numpy()
    sizes = evaluated(g, torch.zeros(1, 3).double())[1] + evaluated(h, torch.zeros(1, rank).double())[1]
    sizes += ((g.biases[-1] + shift).square() - g.biases[-1].square()).sum().item()
    sizes += float((first**2).sum() - (h.biases[0].numpy() ** 2).sum())
    if slope:
        sizes -= float((h.weights[0].numpy() ** 2).sum()) * (1 - 1 / slope**2)
    expected = sizes + rank * (depth - 4) / max(1.0, slope) ** 2
    found = construction((depth,), rank, 5, rows=30, slope=slope)["path"][0]
    assert found["norm"] == pytest.approx(expected, rel=1e-12)
    assert found["formula"] == pytest.approx(expected, rel=1e-12)
    assert found["gap"] < 1e-12
    if slope:
        dense = through_negative(g, h, depth, high).dense()
        x = 2 * torch.rand(40, 3, generator=torch.Generator().manual_seed(0)).double() - 1
        np.testing.assert_allclose(evaluated(dense, x)[0], evaluated(h, torch.from_numpy(evaluated(g, x)[0]))[0])


def test_bounds_of_the_outputs_hold_on_a_grid():
    g, _ = halves(2, 7, RELU)
    low, high = reach(g)
    x = torch.cartesian_prod(*[torch.linspace(-1, 1, 15).double()] * 3)
    values, _ = evaluated(g, x)
    assert (values >= low.numpy()).all()
    assert (values <= high.numpy()).all()


def test_the_tripods_own_numbers():
    """Identity of the plane shifted by 1, then the tripod: counted by hand."""
    found = construction((10, 100), 2, TRIPOD, rows=20)["path"]
    # 2 + 2 for the identity and its shift; weights 1+4+1+4+1 and 1+1+1+1+1; biases (−1.5, −2.75, 1.25).
    ends = 4 + 11 + 5 + 1.5**2 + 2.75**2 + 1.25**2
    assert [each["norm"] for each in found] == pytest.approx([ends + 2 * (10 - 3), ends + 2 * (100 - 3)])


def row(depth=1000, *, rank=2, norm=None, gap=0.0):
    norm = rank * depth + 5.0 if norm is None else norm
    each = {"depth": depth, "norm": norm, "formula": rank * depth + 5.0, "norm_per_depth": norm / depth, "gap": gap}
    return {"part": "construction", "rank": rank, "seed": 0, "path": [each], "jacobian_rank": rank}


def test_a_wrong_function_or_norm_is_not_agreed_with():
    assert [c.agrees for c in construction_claims([row()])] == [True, True]
    assert construction_claims([row(gap=1e-3)])[0].agrees is False
    assert construction_claims([row(norm=2006.0)])[0].agrees is False
    drifting = row() | {"path": [*row(100)["path"], *row(1000, norm=2010.0)["path"]]}
    assert construction_claims([drifting])[1].agrees is False
    assert steep_claim([row()]).agrees is True
    assert steep_claim([row(norm=300.0)]).agrees is False
    assert steep_claim([row(norm=300.0, gap=1.0)]).agrees is True
    assert [c.agrees for c in (*construction_claims([]), steep_claim([]))] == [None, None, None]


def bracket(lower, upper, *, ranks=(1, 2), limit=None):
    ends = {"lower": lower, "upper": upper}
    return {
        "part": "bracket",
        "function": "f",
        "jacobian_rank": ranks[0],
        "bottleneck_rank": ranks[1],
        "negative_slope": 0.0,
        "path": [{"depth": 100, **ends}],
        "limit": limit or {"lower": float(ranks[0]), "upper": float(ranks[1])},
    }


def test_brackets_are_judged_by_the_ranks():
    def sandwiched(*rows):
        return EXPERIMENT.claims(EXPERIMENT.smoke, rows)[2].agrees

    assert sandwiched(bracket(1.01, 2.02)) is True
    assert sandwiched(bracket(2.02, 1.01)) is False  # empty
    assert sandwiched(bracket(1.0, 3.0, limit={"lower": 1.0, "upper": 3.0})) is None  # no network of k = 2 was found
    assert sandwiched(bracket(0.5, 0.6, limit={"lower": 0.5, "upper": 0.5})) is False
    assert sandwiched() is None


def test_axioms_are_judged_by_their_brackets():
    def verdicts(whole, parts):
        rows = [{"part": part, "whole": whole, "parts": parts} for part in ("composition", "sum")]
        return [claim.agrees for claim in axiom_claims(rows)]

    assert verdicts([1.0, 1.0], [[1.0, 1.0], [2.0, 2.0]]) == [True, True, None]
    assert verdicts([1.0, 2.0], [[1.0, 1.0], [1.0, 2.0]]) == [None, True, None]
    assert verdicts([4.0, 4.0], [[1.0, 1.0], [2.0, 2.0]]) == [False, False, None]
    assert axiom_claims([{"part": "affine", "rank": 1, "whole": [1.0, 2.0]}])[2].agrees is False


def test_a_sum_that_folds_back_has_the_rank_of_its_catalogue_proof():
    entries = {entry.name: entry for entry in catalogue(0)}
    name = "rank 2 in a triangle of area 1/64"
    found = axiom_work({"part": "sum", "f": name, "g": name})
    assert found["parts"] == [[entries[name].cost] * 2] * 2
    assert found["whole"] == [2.0, 2.0]  # 2f


def test_a_cheap_network_that_computes_the_tripod_would_contradict_the_conjecture():
    def conjecture(cost, missed):
        path = [{"depth": 8, "norm_per_depth": cost, "missed": missed}]
        trained = {"part": "trained tripod", "seed": 0, "path": path, "slope": 1.5}
        return EXPERIMENT.claims(EXPERIMENT.smoke, [trained])[-1].agrees

    assert [conjecture(*case) for case in ((2.1, 1e-5), (1.2, 1e-5), (1.2, 0.5))] == [None, False, None]


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return reproduce(EXPERIMENT, scale="smoke", folder=tmp_path_factory.mktemp("infinite"))


def test_the_smoke_scale_runs_and_is_drawn(record):
    rows = measurements(record)
    assert len(rows) == len(record["results"]) == len(EXPERIMENT.cells(EXPERIMENT.smoke))
    assert record["claims"] == [claim.record() for claim in EXPERIMENT.claims(EXPERIMENT.smoke, rows)]
    agreed = [claim["agrees"] for claim in record["claims"]]
    assert agreed == [True, True, True, False, None, True, True, None]
    assert [len(drawing.figure.data) > 0 for drawing in drawings(record)] == [True] * 3
    trained = next(r for r in rows if r["part"] == "trained tripod")
    last, before = trained["path"][-1], trained["path"][-2]
    grown = last["depth"] * last["norm_per_depth"] - before["depth"] * before["norm_per_depth"]
    assert trained["slope"] == pytest.approx(grown / (last["depth"] - before["depth"]), rel=1e-6)
