"""Autoencoders of digits: distances by hand, autoencoders of known answers, and verdicts that follow the numbers."""

import base64
import io
import struct
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from isthmus.experiments import measurements, reproduce
from isthmus.experiments.jacot2023.mnist_autoencoder.claims import judge
from isthmus.experiments.jacot2023.mnist_autoencoder.denoising import noise_like, recovery
from isthmus.experiments.jacot2023.mnist_autoencoder.error_curve import error_over_k
from isthmus.experiments.jacot2023.mnist_autoencoder.experiment import EXPERIMENT, shallow_width, work
from isthmus.experiments.jacot2023.mnist_autoencoder.figures import drawings
from isthmus.experiments.jacot2023.mnist_autoencoder.hard_bottleneck import bottleneck_autoencoder
from isthmus.experiments.jacot2023.mnist_autoencoder.ridge_autoencoders import (
    autoencoder,
    deep_autoencoder,
    grown_autoencoder,
)
from isthmus.experiments.jacot2023.mnist_autoencoder.settings import AVERAGED, SUMMED
from isthmus.factorization import linear_baseline
from isthmus.selection import restrict_to_ranks
from isthmus.training import Schedule

METHODS = ("noisy", "deep", "shallow", "pca", "bottleneck", "narrow")
SMALL = replace(EXPERIMENT.smoke, rows=60, held_out=12, width=6, noise=(0.2, 0.4), shown=0.4, steps=10, epochs=2)


def test_distances_are_those_of_loops_over_the_pixels():
    rng = np.random.default_rng(0)
    clean, noise = rng.random((5, 6)), rng.standard_normal((5, 6))
    matrix = rng.standard_normal((6, 6))
    found = recovery(lambda x: x @ torch.from_numpy(matrix), torch.from_numpy(clean), torch.from_numpy(noise), (0.3,))
    errors, sizes, passed, sent, nearer = [], [], [], [], 0
    for x, n in zip(clean, noise, strict=True):
        noisy = [a + 0.3 * b for a, b in zip(x, n, strict=True)]
        output = [sum(noisy[i] * matrix[i, j] for i in range(6)) for j in range(6)]
        errors += [(o - a) ** 2 for o, a in zip(output, x, strict=True)]
        sizes += [a**2 for a in x]
        passed += [(0.3 * sum(n[i] * matrix[i, j] for i in range(6))) ** 2 for j in range(6)]
        sent += [(0.3 * b) ** 2 for b in n]
        nearer += sum(errors[-6:]) < sum(sent[-6:])
    assert found["psnr"] == pytest.approx([-10 * np.log10(sum(errors) / 30)], rel=1e-4)
    assert found["relative_error"] == pytest.approx([(sum(errors) / sum(sizes)) ** 0.5], rel=1e-4)
    assert found["passed"] == pytest.approx([sum(passed) / sum(sent)], rel=1e-4)
    assert found["nearer"] == [nearer / 5]
    assert found["clean_error"] == pytest.approx(
        np.linalg.norm(clean @ matrix - clean) / np.linalg.norm(clean), rel=1e-4
    )


def test_the_identity_takes_no_noise_away_and_a_projection_all_but_k_of_d():
    clean = torch.rand(400, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    noise = noise_like(clean, 2)
    same = recovery(lambda x: x, clean, noise, (0.1, 0.5))
    assert same["psnr"] == pytest.approx([20.0, -20 * np.log10(0.5)], abs=0.1)  # −20 log10 σ on average
    assert same["passed"] == [1.0, 1.0]
    assert same["clean_error"] == 0.0
    basis = np.linalg.qr(np.random.default_rng(3).standard_normal((40, 8)))[0]
    kept = torch.from_numpy(basis @ basis.T)
    assert recovery(lambda x: x @ kept, clean, noise, (0.3,))["passed"] == pytest.approx([8 / 40], rel=0.05)


@pytest.mark.parametrize(("d", "width", "depth"), [(784, 128, 7), (64, 20, 4), (10, 30, 12)])
def test_the_shallow_autoencoder_has_as_many_parameters(d, width, depth):
    shapes = [d, *[width] * (depth - 1), d]
    deep = sum(torch.nn.Linear(a, b).weight.numel() + b for a, b in pairwise(shapes))

    def size(w):
        return sum(p.numel() for layer in (torch.nn.Linear(d, w), torch.nn.Linear(w, d)) for p in layer.parameters())

    found = shallow_width(d, deep)
    assert abs(size(found) - deep) == min(abs(size(w) - deep) for w in range(1, 2 * found + 2))


def test_the_hard_bottleneck_passes_k_numbers_and_learns_a_plane():
    g = torch.Generator().manual_seed(4)
    x = torch.rand(256, 2, generator=g) @ torch.rand(2, 12, generator=g)
    trained, stopped = (
        bottleneck_autoencoder(x, x[:64], depth=5, width=24, rank=2, epochs=epochs, seed=0) for epochs in (150, 0)
    )
    assert trained.parameter_count == 12 * 24 + 24 + 24 * 2 + 2 + (2 * 24 + 24) + (24 * 24 + 24) + 24 * 12 + 12
    assert float((trained(x) - x).square().sum() / (x - x.mean(0)).square().sum()) < 0.05
    assert float((stopped(x) - x).square().sum() / (x - x.mean(0)).square().sum()) > 0.5
    jacobian = torch.autograd.functional.jacobian(trained, x[0][None]).reshape(12, 12)
    values = torch.linalg.svdvals(jacobian)
    assert float(values[1]) > 1e-2
    assert float(values[2]) < 1e-5
    assert trained(x).equal(bottleneck_autoencoder(x, x[:64], depth=5, width=24, rank=2, epochs=150, seed=0)(x))


def objective_by_hand(network, x, weight):
    a, parameters = x.double().numpy(), 0.0
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        w, b = w.double().numpy(), b.double().numpy()
        a = a @ w.T + b
        a = np.maximum(a, 0) if layer < network.depth else a
        parameters += (w**2).sum() + (b**2).sum()
    return ((a - x.double().numpy()) ** 2).sum() / len(x) + weight * parameters


def test_of_two_starts_the_deep_autoencoder_is_the_one_of_lower_objective():
    g = torch.Generator().manual_seed(6)
    x = torch.rand(60, 5, generator=g) @ torch.rand(5, 300, generator=g)  # wide: trained in the span of its rows
    options = {
        "depth": 4,
        "width": 12,
        "weight": 0.01,
        "schedule": Schedule(steps=60, rounds=1, ridge_factor=1.0),
        "seed": 0,
    }
    best, starts = deep_autoencoder(x, **options)
    assert set(starts) == {"random", "grown"}
    assert best.value == min(starts.values())
    grown = grown_autoencoder(x, **options)
    assert grown.value == starts["grown"]
    assert best.network.depth == grown.network.depth == 4
    assert max(grown.network.widths[1:-1]) <= 12
    # The ridge is the weight on ‖w‖², whatever the depth.
    for fitted in (best, grown, autoencoder(x, **{**options, "depth": 2})):
        assert fitted.value == pytest.approx(objective_by_hand(fitted.network, x, 0.01), rel=1e-4)


def test_through_all_coordinates_nothing_is_lost_and_through_none_all_but_the_mean():
    """Rows of a plane: PCA needs two numbers, a projection on as many coordinates as there are changes nothing."""
    g = torch.Generator().manual_seed(8)
    x = torch.rand(60, 2, generator=g) @ torch.rand(2, 7, generator=g)
    options = {"depth": 3, "width": 6, "weight": 1e-4, "seed": 0}
    deep = autoencoder(x, **options, schedule=Schedule(steps=200, rounds=2, ridge_factor=1.0))
    restricted = restrict_to_ranks(deep.network, deep.objective, most=9)
    curve = error_over_k(deep, restricted, linear_baseline(x, x), x)
    variance = float(x.double().var(0, correction=0).mean())
    assert [entry["k"] for entry in curve] == list(range(len(restricted) + 1))
    assert [curve[0]["projected"], curve[0]["pca"]] == pytest.approx([variance, variance], rel=1e-5)
    assert curve[0]["refitted"] is None
    assert curve[1]["pca"] > 1e-3 * variance
    assert curve[2]["pca"] < 1e-9 * variance
    whole = float((deep(x).double() - x.double()).square().mean())
    assert {entry["whole"] for entry in curve} == {whole}
    assert curve[-1]["projected"] == pytest.approx(whole, rel=1e-3)
    for entry, each in zip(curve[1:], restricted, strict=True):
        assert int(torch.linalg.matrix_rank(each.network.weights[each.layer].double(), rtol=1e-5)) <= entry["k"]
        assert entry["refitted"] * 7 == pytest.approx(deep.objective.error(each.network), rel=1e-4)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return reproduce(EXPERIMENT, scale="smoke", folder=tmp_path_factory.mktemp("mnist"))


def test_the_smoke_scale_runs_and_its_numbers_fit_together(record):
    settings, rows = EXPERIMENT.smoke, measurements(record)
    assert len(rows) == len(record["results"]) == 2
    for row in rows:
        weight = settings.ridge * (64 if row["reading"] == AVERAGED else 1)
        for name, depth in (("deep", settings.depth), ("shallow", 2)):
            net = row["networks"][name]
            # The objective is the error plus λ‖w‖²: one factor at all depths.
            assert net["objective"] == pytest.approx(net["error"] + weight * depth * net["norm_per_depth"], rel=1e-9)
            assert net["parameters"] <= row["parameters_at_start"][name]
            sizes = net["widths"]
            assert len(sizes) == depth + 1
            assert net["parameters"] == sum(a * b + b for a, b in pairwise(sizes))
        assert row["networks"]["deep"]["objective"] == min(row["starts"].values())
        assert set(row["held_out"]) == set(row["training"]) == set(METHODS)
        assert row["held_out"]["noisy"]["psnr"] == pytest.approx([-20 * np.log10(s) for s in settings.noise], abs=0.2)
        assert row["k"] == row["networks"]["deep"]["bottleneck_rank"]
        curve = row["curve"]
        assert [entry["k"] for entry in curve] == list(range(len(curve)))
        assert len(curve) > row["k"] + 1
        errors = [entry["pca"] for entry in curve]
        assert errors == sorted(errors, reverse=True)
        # Two ways to the same errors: of the curve, and of the methods at the clean digits.
        at_k, held_out = curve[row["k"]], row["held_out"]
        for name, method in (("refitted", "narrow"), ("whole", "deep")):
            ratio = held_out[method]["clean_error"] / held_out["pca"]["clean_error"]
            assert at_k[name] / at_k["pca"] == pytest.approx(ratio**2, rel=1e-3)
    assert [bool(row["pictures"]) for row in rows] == [row["reading"] == AVERAGED for row in rows]
    assert record["claims"] == [c.record() for c in judge(settings, rows)]


def test_the_drawings_show_the_record(record):
    found = {drawing.name: drawing for drawing in drawings(record)}
    assert set(found) == {
        "pictures",
        *(f"distance-{reading}-{part}" for reading in (AVERAGED, SUMMED) for part in ("held", "training")),
        "curve-averaged",
        "curve-summed",
    }
    (address,) = (image.source for image in found["pictures"].figure.layout.images)
    png = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    canvas = np.asarray(png)[:, :, 0] / 255 * 100
    assert canvas.shape == (6 * 9 - 1, EXPERIMENT.smoke.digits * 9 - 1)
    row = next(row for row in measurements(record) if row["reading"] == AVERAGED)
    for place, line in ((canvas[:8, :8], "noisy"), (canvas[-8:, :8], "clean")):
        assert place.ravel() == pytest.approx(np.clip(row["pictures"][line][0], 0, 100), abs=0.2)
    lines = {trace.name: list(trace.y) for trace in found["distance-averaged-held"].figure.data}
    assert lines["shallow"] == row["held_out"]["shallow"]["psnr"]
    for drawing in found.values():
        assert all(len(trace.y) for trace in drawing.figure.data)


def write_idx(folder, part, images):
    labels = np.arange(len(images), dtype=np.uint8) % 10
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (folder / f"{part}-{kind}-ubyte").write_bytes(header + array.tobytes())


def test_local_idx_files_take_the_place_of_the_5000_digits(tmp_path):
    rng = np.random.default_rng(5)
    write_idx(tmp_path, "train", rng.integers(0, 256, (80, 6, 5), dtype=np.uint8))
    test = rng.integers(0, 256, (15, 6, 5), dtype=np.uint8)
    write_idx(tmp_path, "t10k", test)
    settings = replace(SMALL, data=f"mnist:path={tmp_path}")
    found = work(settings, {"reading": AVERAGED, "seed": 0}, "cpu")
    assert found["pixels"] == 30
    assert found["pictures"]["shape"] == (6, 5)
    # The test images of the folder are the held-out ones.
    percent = np.rint(100 * (test[: settings.digits].reshape(-1, 30) / np.float32(255))).astype(int)
    assert found["pictures"]["clean"] == percent.tolist()


def row(reading, seed, *, deep=15.0, shallow=14.0, noisy=10.0, pca=13.0, bottleneck=14.5, passed=0.01, ranks=(8, 20)):
    levels = {"noisy": noisy, "deep": deep, "shallow": shallow, "pca": pca, "bottleneck": bottleneck, "narrow": 14.0}
    part = {
        name: {"psnr": [20.0, value], "passed": [passed, passed], "nearer": [0.0, 1.0]}
        for name, value in levels.items()
    }
    networks = {name: {"bottleneck_rank": rank} for name, rank in zip(("deep", "shallow"), ranks, strict=True)}
    found = {
        "starts": {"random": 9.0, "grown": 8.0},
        "held_out": part,
        "training": part,
        "networks": networks,
        "pixels": 784,
    }
    return {"reading": reading, "seed": seed, "k": 8, **found}


def verdicts(rows):
    return [claim.agrees for claim in judge(SMALL, rows)]


def test_verdicts_follow_the_numbers():
    good = [row(AVERAGED, seed) for seed in (0, 1)] + [row(SUMMED, 0)]
    assert verdicts(good) == [True] * 7
    bad = {"deep": 9.0, "passed": 0.5, "ranks": (30, 20)}
    assert verdicts([row(reading, seed, **bad) for reading in (AVERAGED, SUMMED) for seed in (0, 1)]) == [False] * 7
    mixed = [row(AVERAGED, 0), row(AVERAGED, 1, **bad), row(SUMMED, 0), row(SUMMED, 1, **bad)]
    assert verdicts(mixed) == [None] * 7
    assert verdicts([]) == [None] * 7


@pytest.mark.parametrize(
    ("change", "which"),
    [
        ({"shallow": 16.0}, 1),
        ({"passed": 0.03}, 2),
        ({"ranks": (20, 20)}, 3),
        ({"pca": 15.5}, 4),
        ({"bottleneck": 16.0}, 5),
    ],
)
def test_each_verdict_has_its_own_reason(change, which):
    found = verdicts([row(AVERAGED, 0, **change), row(SUMMED, 0)])
    assert found == [index != which for index in range(7)]
