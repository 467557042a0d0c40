"""Where the statements that differ hold: every one is traced, from the numbers of the records, and places can turn."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

from isthmus.experiments import EXPERIMENTS, experiment_named, read_record
from isthmus.experiments.jacot2023.tracing import TRACES, tracing_table
from isthmus.experiments.jacot2023.tracing.trace import Place

ROOT = Path(__file__).parents[2]
DIAGRAMS = {"phase-diagram", "curve-diagram", "recovery-diagram"}
SLIDES = [e.name for e in EXPERIMENTS if ".jacot2023." in e.work.__module__ and e.name not in DIAGRAMS]


def raw(name):
    return json.loads((ROOT / "results" / f"{name}.json").read_text())


def trace_of(claim):
    (found,) = [trace for trace in TRACES if trace.claim == claim]
    return found


def page():
    """{claim: {row: [cells]}} as the committed page has them, without the bold."""
    tables = defaultdict(dict)
    text = (ROOT / "docs" / "reproductions.md").read_text().split("## Where the statements of the slides")[1]
    claim = None
    for line in text.splitlines():
        if line.startswith("### "):
            claim = line.removeprefix("### ").rsplit(" (`", 1)[0]
        elif line.startswith("| ") and not line.startswith("|---"):
            name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            tables[claim][name] = cells
    return tables


def test_every_statement_of_the_slides_that_differs_is_traced_and_no_other():
    differing = {(n, c["claim"]) for n in SLIDES for c in raw(n)["claims"] if c["agrees"] is False}
    assert {(trace.experiment, trace.claim) for trace in TRACES} == differing
    assert set(page()) == {claim for _, claim in differing}


def test_the_page_has_the_shares_of_tripoints_of_the_record():
    counts = defaultdict(list)
    for row in raw("phase-diagram")["results"]:
        numbers = row["numbers"]
        for index, ridge in enumerate(numbers["ridges"]):
            if numbers["error"][index] <= 0.05:
                for box, size in enumerate((1, 2, 15)):
                    place = row["cell"]["training"], ridge, size, row["cell"]["depth"]
                    counts[place].append(numbers["tripoints"][index][box] == 0)
    tables = page()
    seen = 0
    for claim, trainings, has_ridge, are_wanted in (
        ("those of deep networks do not (no ℓ2, gradient descent)", ("gradient descent", "Adam"), False, False),
        ("those of deep networks do not (λ = 0.003, random start)", ("random start",), True, False),
        (
            "class boundaries of shallow networks feature tripoints (λ = 0.003, lowest found)",
            ("lowest found",),
            True,
            True,
        ),
    ):
        depths = [int(name.removeprefix("L = ")) for name in tables[claim][""]]
        for name, cells in tables[claim].items():
            if not name:
                continue
            training, ridge, size = name.split(", ")
            assert training in trainings
            key = training, float(ridge.removeprefix("λ = ")), int(size.removesuffix(" × the box"))
            assert (key[1] > 0) == has_ridge
            for depth, cell in zip(depths, cells, strict=True):
                without = counts.get((*key, depth))
                if without is None:
                    assert cell == ""
                    continue
                share = sum(without) / len(without)
                share = 1 - share if are_wanted else share
                assert cell == (f"**{share:.0%}**" if share > 0.5 else f"{share:.0%}")
                seen += 1
    assert seen > 150


def test_the_page_has_the_distances_and_ranks_of_the_records():
    left, right = defaultdict(list), defaultdict(list)
    for row in raw("curve-diagram")["results"]:
        for kind in ("random start", "lowest found"):
            place = kind, row["cell"]["weight_decay"], row["cell"]["depth"]
            left[place].append(row["numbers"][kind]["after"] / row["numbers"]["before"])
    for row in raw("recovery-diagram")["results"]:
        cell = row["cell"]
        right[cell["ridge"], cell["n"], cell["depth"]].append(row["numbers"]["lowest found"]["bottleneck_rank"] == 3)
    tables = page()
    for kind in ("random start", "lowest found"):
        table = tables[f"deep autoencoders denoise ({kind}, λ = 0.0001 on ‖w‖²)"]
        for decay in (1e-05, 1e-4, 1e-3, 1e-2):
            values = [median(left[kind, decay, depth]) for depth in (2, 3, 6, 12, 25)]
            assert table[f"λ = {decay:g}"] == [f"**{v:.1%}**" if v < 0.1 else f"{v:.1%}" for v in values]
    table = tables["a range of intermediate depths recovers the true rank"]
    for ridge in (0.005, 0.02, 0.08):
        for n in (50, 150, 500):
            values = [sum(at) / len(at) for at in (right[ridge, n, depth] for depth in (2, 3, 6, 12, 24))]
            assert table[f"λ = {ridge:g}, N = {n}"] == [f"**{v:.0%}**" if v > 0.5 else f"{v:.0%}" for v in values]


def phase(*, tripoints, rank=2, error=0.0, training="gradient descent", depth=13, seed=0):
    ridges = [0.0, 0.1] if training in ("gradient descent", "Adam") else [0.1]
    return {
        **{"seed": seed, "training": training, "depth": depth, "ridges": ridges},
        "tripoints": [list(tripoints[min(i, len(tripoints) - 1)]) for i in range(len(ridges))],
        **{name: [value] * len(ridges) for name, value in (("rank", rank), ("objective", 1.0), ("error", error))},
    }


def places(claim, diagram, rows, **changed):
    settings = json.loads(json.dumps(raw(diagram)["settings"])) | changed
    return list(trace_of(claim).places(settings, rows))


def test_a_place_holds_by_more_than_half_of_the_networks_that_classify():
    claim = "those of deep networks do not (no ℓ2, gradient descent)"
    rows = [
        phase(tripoints=[(0, 1, 1)], seed=0),
        phase(tripoints=[(0, 0, 1)], seed=1),
        phase(tripoints=[(1, 1, 1)], seed=2, error=0.3),  # classifies too badly to count
    ]
    assert places(claim, "phase-diagram", rows) == [
        Place("gradient descent, λ = 0, 1 × the box", "L = 13", "100%", True, 2),
        Place("gradient descent, λ = 0, 2 × the box", "L = 13", "50%", False, 2),
        Place("gradient descent, λ = 0, 15 × the box", "L = 13", "0%", False, 2),
    ]


def test_other_statements_about_tripoints_turn():
    change = places("explicit ℓ2 changes little", "phase-diagram", [phase(tripoints=[(0, 1, 0), (0, 0, 0)])])
    assert [(p.value, p.holds) for p in change] == [("0%", True), ("100%", False), ("0%", True)]
    lowest = phase(tripoints=[(0, 0, 0)], rank=1, training="lowest found")
    claim = "cross-entropy regularises implicitly"
    for rank, holds in ((1, True), (2, False)):
        rows = [phase(tripoints=[(0, 0, 0)], rank=rank), lowest]
        (place,) = places(claim, "phase-diagram", rows, ridges=[0.0, 0.1])
        assert (place.group, place.holds) == ("gradient descent", holds)
    claim = "the deeper the fewer: low-rank topology is learned as the depth grows (lowest found)"
    shallow = phase(tripoints=[(0, 1, 1)], depth=9, training="lowest found")
    deep = phase(tripoints=[(1, 1, 0)], depth=13, training="lowest found")
    found = places(claim, "phase-diagram", [shallow, deep])
    assert [(p.value, p.holds) for p in found] == [("100% → 0%", False), ("0% → 0%", True), ("0% → 100%", True)]


def recovery(*, bottleneck, jacobian, depth, n):
    found = {"bottleneck_rank": bottleneck, "jacobian_rank": jacobian}
    return {"seed": 0, "depth": depth, "n": n, "ridge": 0.02, "random start": found, "lowest found": found}


def test_statements_about_ranks_turn():
    rows = [recovery(bottleneck=2, jacobian=2, depth=24, n=50), recovery(bottleneck=3, jacobian=3, depth=24, n=500)]
    claim = "a large amount of training data hinders rank underestimation"
    assert places(claim, "recovery-diagram", rows) == [Place("λ = 0.02", "L = 24", "100% → 0%", True, 1)]
    assert places(claim, "recovery-diagram", [row | {"n": 550 - row["n"]} for row in rows])[0].holds is False
    assert places(claim, "recovery-diagram", [rows[1], rows[1] | {"n": 50}]) == []  # nothing to hinder
    claim = "too deep networks may underestimate the rank, too shallow models overestimate it"
    ends = [
        *rows,
        recovery(bottleneck=3, jacobian=4, depth=2, n=50),
        recovery(bottleneck=4, jacobian=3, depth=2, n=500),
    ]
    found = {(p.group, p.at): p.holds for p in places(claim, "recovery-diagram", ends)}
    assert found == {
        **{("λ = 0.02, N = 50", "L = 2"): True, ("λ = 0.02, N = 500", "L = 2"): False},
        **{("λ = 0.02, N = 50", "L = 24"): True, ("λ = 0.02, N = 500", "L = 24"): False},
    }


@pytest.mark.parametrize("ratio", [0.05, 0.5])
def test_statements_without_a_diagram_turn(ratio):
    rows = [{"depth": 5, "after_k": ratio}]
    claim = "of the middle layers all singular values but the first k vanish"
    assert [p.holds for p in places(claim, "weight-spectrum", rows)] == [ratio < 0.1]
    path = [{"depth": 10, "norm_per_depth": 4.0 * ratio}]
    claim = "Rank_J ≤ R_∞ also where σ is steeper than 1"
    rows = [{"part": "steep", "rank": 1, "path": path}]
    assert [p.holds for p in places(claim, "infinite-depth", rows)] == [4.0 * ratio >= 1]
    digits = {"psnr": [10.0 + ratio], "passed": [ratio]}
    row = {"reading": "summed", "pixels": 100, "k": 10}
    row |= {part: {"deep": digits, "shallow": {"psnr": [10.1]}} for part in ("held_out", "training")}
    claim = "a shallow autoencoder does not denoise, or less than the deep one"
    found = places(claim, "mnist-autoencoder", [row], noise=[0.1])
    assert [p.holds for p in found] == [ratio > 0.1] * 2
    claim = "the deep autoencoder is locally an affine projection on k dimensions"
    assert [p.holds for p in places(claim, "mnist-autoencoder", [row], noise=[0.1])] == [ratio == 0.05]


def test_without_the_records_nothing_is_said():
    assert tracing_table([]) == ""
    record = read_record(ROOT / "results" / "inverted-s-classification.json")
    assert tracing_table([record]) == ""  # its diagram is not there
    empty = read_record(ROOT / "results" / "phase-diagram.json") | {"results": [], "is_complete": False}
    assert "0 of 640 cells, 0 of 20 seeds whole" in tracing_table([record, empty])
    agreeing = record | {"claims": [claim | {"agrees": True} for claim in record["claims"]]}
    assert tracing_table([agreeing, empty]) == ""


def test_the_page_says_on_how_much_it_rests():
    text = (ROOT / "docs" / "reproductions.md").read_text()
    for name in DIAGRAMS:
        record = raw(name)
        cells = experiment_named(name).cells(experiment_named(name).full)
        said = f"`{name}` is not finished: {len(record['results'])} of {len(cells)} cells"
        assert (said in text) == (not record["is_complete"])
