"""The descent on the cross-entropy, what is read off its networks, the verdicts on made-up results, the smoke scale."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from cases import random_layers
from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.jacot2023.inverted_s_classification.margin_descent import (
    FarMargin,
    descend,
    least_margin,
    norm_at_unit_margin,
)
from isthmus.experiments.jacot2023.inverted_s_classification.settings import LOWEST, RANDOM
from isthmus.experiments.jacot2023.inverted_s_classification.territories import reading, thin_line
from isthmus.networks import RELU, FullyConnected
from oracles.random_classifiers import random_classifier
from oracles.tripoint_grid import grid_tripoints

INVERTED_S = experiment_named("inverted-s-classification")


def test_the_loss_is_torchs_and_its_gradient_autograds():
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(2, 30, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, 4, (30,), generator=generator)
    value, gradient = FarMargin().gradient(outputs.detach(), targets)
    expected = [torch.nn.functional.cross_entropy(some, targets, reduction="sum") for some in outputs]
    assert value.tolist() == pytest.approx([float(each.detach()) for each in expected], rel=1e-12)
    (by_autograd,) = torch.autograd.grad(sum(expected), outputs)
    assert torch.allclose(gradient, by_autograd, atol=1e-14)


@pytest.mark.parametrize("margin", [5.0, 40.0, 80.0])
def test_far_below_rounding_of_one_the_loss_is_still_right(margin):
    outputs, targets = torch.tensor([[margin, 0.0, 0.0]]), torch.tensor([0])
    value, gradient = FarMargin().gradient(outputs, targets)
    small = 2 * np.exp(-margin)  # log(1 + ε) = ε − ε²/2 and ε / (1 + ε) = ε − ε²
    assert float(value) == pytest.approx(np.log1p(small), rel=1e-5)
    assert gradient[0].tolist() == pytest.approx(
        [-small / (1 + small), small / 2 / (1 + small), small / 2 / (1 + small)], rel=1e-5
    )


def test_one_linear_layer_goes_to_the_hard_margin():
    # Two points on the axis: the max-margin direction is known, and gradient descent turns towards it.
    x, y = torch.tensor([[1.0, 3.0], [-1.0, 3.0]]).double(), torch.tensor([0, 1])
    start = FullyConnected((torch.tensor([[0.1, 0.5], [0.2, -0.3]]).double(),), (torch.zeros(2).double(),))
    network, path = descend(start, x, y, enough=1e-12, steps=5000, kept=(0.5, 1e-3, 1e-6))
    difference = network.weights[0][0] - network.weights[0][1]
    assert abs(float(difference[1] / difference[0])) < 0.1
    assert path[-1].loss <= 1e-12
    assert [moment.loss for moment in path] == sorted((moment.loss for moment in path), reverse=True)
    assert path[-1].norm_per_depth > path[0].norm_per_depth
    assert path[-1].unit_norm < next(m.unit_norm for m in path if m.unit_norm is not None)


def test_the_descent_gives_the_loss_of_its_network():
    x, y = torch.randn(40, 2, generator=torch.Generator().manual_seed(1)).double(), torch.arange(40) % 3
    network, path = descend(random_layers((2, 16, 3), RELU, 1), x, y, enough=1e-6, steps=60, kept=())
    assert [moment.step for moment in path] == [0, 60]
    assert path[-1].loss == pytest.approx(float(torch.nn.functional.cross_entropy(network(x), y)), rel=1e-9)
    assert path[-1].loss < path[0].loss
    assert path[-1].norm_per_depth == pytest.approx(network.norm_per_depth)


def test_the_margin_is_the_least_over_rows_and_other_classes():
    network = random_layers((2, 9, 4), RELU, 5)
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(2)).double()
    y = network(x).argmax(1)
    outputs = network(x).tolist()
    gaps = [row[c] - max(v for k, v in enumerate(row) if k != c) for row, c in zip(outputs, y.tolist(), strict=True)]
    assert min(gaps) > 0
    assert least_margin(network, x, y) == pytest.approx(min(gaps))
    assert least_margin(network, x, (y + 1) % 4) < 0


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_without_biases_the_norm_at_unit_margin_is_the_normalised_margin(depth):
    network = random_layers((2, *[8] * (depth - 1), 3), RELU, depth)
    bare = FullyConnected(network.weights, tuple(torch.zeros_like(b) for b in network.biases))
    # Larger by a factor of 3 in each layer: f and its margin by 3^L, the same classifier.
    larger = FullyConnected(tuple(3 * w for w in bare.weights), bare.biases)
    one, other = norm_at_unit_margin(bare, 0.2), norm_at_unit_margin(larger, 0.2 * 3**depth)
    assert one == pytest.approx(other, rel=1e-9)
    assert one <= bare.norm_per_depth * 0.2 ** (-2 / depth) * (1 + 1e-9)


def test_with_biases_it_is_the_norm_of_a_network_of_margin_one():
    network = random_layers((2, 7, 7, 4), RELU, 3)
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(2)).double()
    margin = least_margin(network, x, network(x).argmax(1))
    # f / γ by the last layer alone.
    last = FullyConnected(
        (*network.weights[:-1], network.weights[-1] / margin), (*network.biases[:-1], network.biases[-1] / margin)
    )
    assert least_margin(last, x, network(x).argmax(1)) == pytest.approx(1.0)
    # Rebalancing ends at the same norm whatever scales it starts from: the problem is convex in their logarithms.
    assert norm_at_unit_margin(last, 1.0) == pytest.approx(norm_at_unit_margin(network, margin), rel=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_a_reading_counts_the_tripoints_of_an_adaptive_grid(seed):
    network = random_classifier(seed, hidden=(16, 16), classes=4)
    x = np.random.default_rng(seed).uniform(-0.5, 0.5, (40, 2))
    y = network(torch.from_numpy(x)).argmax(1).numpy()
    y[:3] = (y[:3] + 1) % 4
    numbers, _ = reading(network, x, y, box=1.0, far=2.0)
    grid = grid_tripoints(network)
    assert grid.is_clear()
    assert numbers["tripoints"] == len(grid.tripoints)
    points = np.array([t.point for t in grid.tripoints]).reshape(-1, 2)
    assert numbers["tripoints_near"] == sum((x.min(0) <= p).all() and (p <= x.max(0)).all() for p in points)
    assert numbers["tripoints_far"] >= numbers["tripoints"]
    assert numbers["misclassified"] == 3
    assert numbers["unit_norm"] is None


def test_a_thinned_line_stays_within_the_tolerance():
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    kept = thin_line(circle, 1e-3)
    assert 20 < len(kept) < 200
    middles = (kept + np.roll(kept, -1, axis=0)) / 2
    assert np.abs(np.linalg.norm(middles, axis=1) - 1).max() < 2e-3
    square = np.array([[0, 0], [0.5, 0], [1, 0], [1, 1], [0.3, 1], [0, 1]], float)
    assert thin_line(square, 1e-6).tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_the_smoke_scale_runs_and_is_drawn(tmp_path):
    record = reproduce(INVERTED_S, scale="smoke", folder=tmp_path)
    assert not [row for row in record["results"] if "error" in row]
    assert len(record["claims"]) == 11
    starts = {}
    for cell in measurements(record):
        for row in cell["networks"]:
            starts[cell["depth"], cell["seed"], row["ridge"], row["start"]] = row["objective"]
    for (depth, seed, ridge, start), value in starts.items():
        assert start == RANDOM or value <= starts[depth, seed, ridge, RANDOM]
    drawings = {drawing.name: drawing.figure for drawing in INVERTED_S.drawings(record)}
    assert set(drawings) == {"panels", "map", "histogram"}
    assert len(drawings["panels"].layout.shapes) >= 8
    assert all(len(trace.x) for name in ("map", "histogram") for trace in drawings[name].data)


def _network(ridge, start, tripoints, **change):
    base = {
        "ridge": ridge,
        "start": start,
        "tripoints": tripoints,
        "tripoints_near": 0,
        "tripoints_far": tripoints,
        "present": 4,
    }
    return base | {"rank": 1 + (tripoints > 0), "unit_norm": 5.0, "norm_per_depth": 6.0} | change


def _path(units):
    first = {"norm_per_depth": 10.0, "unit_norm": None}
    return [first, *({"norm_per_depth": 11.0 + i, "unit_norm": unit} for i, unit in enumerate(units))]


def _results(shallow=2, deep=0, *, ridged=None, lowest=None, units=(9.0, 7.0), **change):
    """Results in which all seeds have these numbers of tripoints, without ℓ2 and with."""
    rows = []
    for depth, count in ((2, shallow), (4, deep)):
        with_ridge = count if ridged is None else ridged
        minima = {2: shallow, 4: deep} if lowest is None else lowest
        for seed in (0, 1):
            rows.append(
                {
                    "depth": depth,
                    "seed": seed,
                    "networks": [_network(0.0, RANDOM, count, **change)],
                    "path": _path(units),
                }
            )
            found = [_network(q, RANDOM, with_ridge, **change) for q in (0.01, 0.03)]
            found += [_network(q, LOWEST, minima[depth], **change) for q in (0.01, 0.03)]
            rows.append({"depth": depth, "seed": seed, "networks": found})
    return rows


@pytest.mark.parametrize(
    ("results", "verdicts"),
    [
        (_results(), [True] * 11),
        (_results(shallow=0), [False, True] * 3 + [True, True, True, False, False]),
        (_results(deep=1), [True, False] * 3 + [True, True, None, False, False]),
        (_results(ridged=0), [True, True, False, True, True, True, False, True, True, True, True]),
        (_results(ridged=3), [True, True, True, False, True, True, False, True, True, True, True]),
        (_results(lowest={2: 0, 4: 2}), [True, True, True, True, False, False, True, True, True, False, False]),
        (_results(units=(7.0, 9.0)), [True] * 7 + [False, True, True, True]),
        (_results(rank=1), [True] * 8 + [False, True, True]),
        (_results(present=1), [True, False] * 3 + [True, True, True, False, True]),  # a constant has none either
    ],
)
def test_it_would_say_so_if_the_claims_did_not_hold(results, verdicts):
    settings = replace(INVERTED_S.smoke, depths=(2, 4), map_depths=(2, 4), ridges=(0.01, 0.03))
    assert [claim.agrees for claim in INVERTED_S.claims(settings, results)] == verdicts


def test_cells_that_failed_leave_a_claim_undecided():
    settings = replace(INVERTED_S.smoke, depths=(2, 4), map_depths=(2, 4), ridges=(0.01, 0.03))
    shallow = [row for row in _results() if row["depth"] == 2]
    verdicts = [claim.agrees for claim in INVERTED_S.claims(settings, shallow)]
    assert verdicts == [True, None, True, None, True, None, None, True, None, None, None]
    assert [claim.agrees for claim in INVERTED_S.claims(settings, [])] == [None] * 11
    assert asdict(settings)["depths"] == (2, 4)
