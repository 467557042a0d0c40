"""Rank recovery at a small size, its verdicts on constructed results, and its numbers against other ways to them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from cases import random_layers, through
from isthmus.experiments import measurements, reproduce
from isthmus.experiments.jacot2023.layer_account import account, counts, middle, ratios
from isthmus.experiments.jacot2023.rank_recovery import EXPERIMENT
from isthmus.experiments.jacot2023.rank_recovery.depth_one import linear_account, ridge_regression
from isthmus.experiments.jacot2023.rank_recovery.figures import drawings
from isthmus.experiments.jacot2023.teacher_networks import (
    BUILT,
    GROWN,
    RANDOM,
    Task,
    build_rank_one,
    lowest,
    train_candidates,
)
from isthmus.networks import RELU
from isthmus.training import TrainingConfig, fit

SETTINGS = replace(EXPERIMENT.full, rank=2, depth=7, ranks=(1, 2), depths=(1, 2, 7, 20), side=6)
TASK = Task(rank=2, rows=40, side=5, width=12, ridge=0.05, seed=100, steps=60, rounds=1)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return reproduce(EXPERIMENT, scale="smoke", folder=tmp_path_factory.mktemp("records"))


def test_every_cell_of_the_smoke_scale_has_numbers(record):
    assert all("numbers" in row for row in record["results"])
    deepest = record["results"][0]["numbers"]["networks"]
    assert [network["start"] for network in deepest] == [RANDOM, GROWN, BUILT]
    for row in measurements(record):
        assert row["networks"][row["best"]]["objective"] == min(each["objective"] for each in row["networks"])
        for each in row["networks"]:
            cost = each["error"] + record["settings"]["ridge"] * each["norm_per_depth"]
            assert each["objective"] == pytest.approx(cost, rel=1e-9)


def test_the_claims_of_a_record_are_those_of_its_numbers(record):
    settings = EXPERIMENT.restored(record["settings"])
    again = [claim.record() for claim in EXPERIMENT.claims(settings, measurements(record))]
    assert again == record["claims"]
    assert len(again) == 9


def test_the_figures_hold_the_numbers(record):
    found = {drawing.name: drawing for drawing in drawings(record)}
    assert list(found) == ["weights", "activations", "impact", "depths", "ranks"]
    settings, rows = record["settings"], measurements(record)
    shown = next(r for r in rows if r["rank"] == settings["rank"] and r["depth"] == settings["depth"])
    first = next(t for t in found["weights"].figure.data if t.mode == "lines+markers")
    assert list(first.x) == [1, 2, 3, 4, 5]
    assert list(first.y) == [values[0] for values in shown["weights"]]
    assert list(found["impact"].figure.data[0].y) == shown["impact"]
    assert sum(len(trace.x) for trace in found["depths"].figure.data) == sum(
        len(row["networks"]) for row in rows if row["rank"] == settings["rank"]
    )
    discs = [text for trace in found["ranks"].figure.data if trace.text for text in trace.text]
    assert sum(map(int, discs)) == sum(row["depth"] == settings["depth"] for row in rows)


def test_a_record_without_numbers_is_judged_and_drawn_empty():
    assert {claim.agrees for claim in EXPERIMENT.claims(EXPERIMENT.full, [])} == {None}
    record = {"settings": {"rank": 4, "depth": 13}, "results": [{"cell": {"depth": 13}, "error": "diverged"}]}
    assert drawings(record) == []


def network(jacobian, bottleneck, objective, start=RANDOM, norm=6.0):
    return {"start": start, "objective": objective, "error": 0.0, "norm_per_depth": norm} | {
        "jacobian_rank": jacobian,
        "bottleneck_rank": bottleneck,
    }


def layers(count, depth, impact, *, size=10):
    spectrum = [1.0] * count + [0.001] * (size - count)
    many = [spectrum] * depth
    return {"weights": many, "activations": many, "centred": many, "impact": [0.5, *[impact] * (depth - 3), 0.5]}


def results(*, shown_count=3, impact=0.001, shallow=4, deep=1, linear=6, found=2):
    """Five seeds of constructed results for SETTINGS (k = 2, L = 7)."""
    rows = []
    for seed in range(5):
        rows.append({"depth": 20, "rank": 2, "seed": seed, "best": 2})
        rows[-1]["networks"] = [network(0, 0, 9.0), network(2, 2, 0.3, GROWN), network(deep, deep, 0.2, BUILT)]
        for k in (1, 2):
            rank = k if k == 1 else found
            rows.append({"depth": 7, "rank": k, "seed": seed, "best": 0, "networks": [network(rank, rank, 0.5)]})
        rows[-1] |= layers(shown_count, 7, impact)
        rows.append({"depth": 2, "rank": 2, "seed": seed, "best": 0, "networks": [network(shallow, shallow, 5.0)]})
        rows.append({"depth": 1, "rank": 2, "seed": seed, "best": 0})
        rows[-1]["networks"] = [network(4, 4, 5.0, "closed form") | {"exact_rank": linear}]
    return rows


def verdicts(found):
    return [claim.agrees for claim in EXPERIMENT.claims(SETTINGS, found)]


def test_results_as_the_slides_say_agree_and_the_norm_is_not_judged():
    assert verdicts(results()) == [True, True, True, None, True, True, True, True, True]


@pytest.mark.parametrize(
    ("changed", "disagreeing"),
    [
        ({"shown_count": 4}, {0, 1}),  # more than k + 1 large singular values
        ({"impact": 0.02}, {2}),
        ({"found": 1}, {4, 8}),  # the rank is missed at the slides' depth
        ({"linear": 5}, {5}),
        ({"shallow": 2}, {6}),
        ({"deep": 2}, {7, 8}),
    ],
)
def test_each_verdict_can_turn(changed, disagreeing):
    found = verdicts(results(**changed))
    assert {index for index, agrees in enumerate(found) if agrees is False} == disagreeing


def test_one_seed_of_five_is_too_many_for_the_panels_but_not_for_a_majority():
    rows = results()
    shown = [row for row in rows if "impact" in row]
    shown[0]["impact"] = [0.5] * 6
    shown[0]["networks"] = [network(1, 1, 0.5)]
    found = verdicts(rows)
    assert found[2] is False
    assert found[4] is True


def test_the_middle_third():
    assert list(middle(13)) == [5, 6, 7, 8, 9]
    assert list(middle(3)) == [2]
    assert list(middle(30)) == list(range(10, 22))
    for depth in range(3, 60):
        layers_of = list(middle(depth))
        assert layers_of[0] + layers_of[-1] == depth + 1


def test_counts_and_ratios_by_hand():
    spectra = [[9.0], [4.0, 2.0, 0.4], [5.0, 0.51], [9.0, 9.0, 9.0], [1.0, 1.0]]  # the middle of 5: 2, 3, 4
    assert counts(spectra) == [2, 2, 3]  # 0.4 is not above a tenth of 4
    assert ratios(spectra, 3, 2) == [0.2, 0.0, 1.0]
    assert ratios(spectra, 3, 1) == [0.1, 0.0, 1.0]


def test_the_account_against_numpy():
    network = random_layers((6, 9, 8, 7, 5), RELU, seed=3)
    x = torch.randn(30, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    found = account(network, x)
    a = x.numpy()
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        z = a @ w.numpy().T + b.numpy()
        a = np.maximum(z, 0) if layer < 3 else z
        assert found["weights"][layer] == pytest.approx(roots(w.numpy()), rel=1e-4)
        assert found["activations"][layer] == pytest.approx(roots(a), rel=1e-4)
        assert found["centred"][layer] == pytest.approx(roots(a - a.mean(0)), rel=1e-4)
        if layer < 3:
            assert found["impact"][layer] == pytest.approx(np.sqrt(np.sum((z - a) ** 2) / np.sum(z**2)), rel=1e-4)
    assert len(found["impact"]) == 3
    norm = sum((t.numpy() ** 2).sum() for t in (*network.weights, *network.biases)) / 4
    assert found["norm_per_depth"] == pytest.approx(norm)


def roots(matrix):
    """Singular values from the characteristic values of the smaller Gram matrix."""
    gram = matrix.T @ matrix if matrix.shape[0] > matrix.shape[1] else matrix @ matrix.T
    return np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0))


def test_the_ranks_of_a_function_through_two_numbers():
    found = account(through(2, seed=1), torch.randn(80, 9, generator=torch.Generator().manual_seed(1)).double())
    assert (found["jacobian_rank"], found["bottleneck_rank"]) == (2, 2)


def test_ridge_regression_is_least_squares_with_the_penalty_as_rows():
    rng = np.random.default_rng(5)
    x, y, ridge = rng.standard_normal((30, 4)), rng.standard_normal((30, 3)), 0.3
    inputs = np.vstack([np.column_stack([x, np.ones(30)]), np.sqrt(30 * ridge) * np.eye(5)])
    solution = np.linalg.lstsq(inputs, np.vstack([y, np.zeros((5, 3))]), rcond=None)[0].T
    matrix, bias = ridge_regression(torch.tensor(x), torch.tensor(y), ridge)
    np.testing.assert_allclose(matrix, solution[:, :-1], rtol=1e-9)
    np.testing.assert_allclose(bias, solution[:, -1], rtol=1e-9)


def test_ridge_regression_is_what_training_at_depth_1_comes_to():
    objective = TASK.objective("cpu")
    found = linear_account(objective.x, objective.y, TASK.ridge)
    alone = fit(objective.x, objective.y, config=TrainingConfig(depth=1, ridge=TASK.ridge, standardize="none"))
    assert found["objective"] == pytest.approx(alone.value, rel=1e-4)
    values = np.linalg.svd(alone.network.weights[0].numpy())[1]
    assert found["jacobian_rank"] == (values > 0.1 * values[0]).sum()
    assert found["exact_rank"] == 5


def test_the_starts_have_the_depth_and_the_cost_that_they_say():
    candidates = [*train_candidates(TASK, 6, "cpu", grown_from=4), build_rank_one(TASK, 6)]
    assert [candidate.start for candidate in candidates] == [RANDOM, GROWN, BUILT]
    objective = TASK.objective("cpu")
    x, y = objective.x.double().numpy(), objective.y.double().numpy()
    for candidate in candidates:
        assert candidate.network.depth == 6
        a, norm = x, 0.0
        for layer, (w, b) in enumerate(zip(candidate.network.weights, candidate.network.biases, strict=True)):
            a = a @ w.double().numpy().T + b.double().numpy()
            a = np.maximum(a, 0) if layer < 5 else a
            norm += float((w.double() ** 2).sum() + (b.double() ** 2).sum())
        cost = np.square(a - y).sum(1).mean() + TASK.ridge / 6 * norm
        assert candidate.objective == pytest.approx(cost, rel=1e-5)
    assert lowest(candidates).objective == min(candidate.objective for candidate in candidates)
    assert len(train_candidates(TASK, 4, "cpu", grown_from=4)) == 1


def test_the_interpolant_is_of_rank_1_and_meets_the_data():
    found = build_rank_one(TASK, 6)
    objective = TASK.objective("cpu")
    torch.testing.assert_close(found.network(objective.x), objective.y.double(), rtol=0, atol=1e-6)
    measured_one = account(found.network, objective.x)
    assert (measured_one["jacobian_rank"], measured_one["bottleneck_rank"]) == (1, 1)


def test_cells_come_deepest_first_and_once_each():
    found = [tuple(cell.items()) for cell in EXPERIMENT.cells(EXPERIMENT.full)]
    assert len(found) == len(set(found)) == 60 + 10 + 6 * len(EXPERIMENT.full.few)
    depths = [dict(cell)["depth"] for cell in found]
    assert all(after <= before for before, after in pairwise(depths))
