"""Convolutional autoencoders at a small size, and verdicts on constructed results."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isthmus.experiments import experiment_named, measurements, reproduce
from isthmus.experiments.followups.convolutional_bottleneck import experiment
from isthmus.experiments.followups.convolutional_bottleneck.claims import middle_norm, networks, waves

FREQUENCIES = experiment_named("convolutional-bottleneck")
SETTINGS = replace(FREQUENCIES.full, depths=(6,), weight_decays=(0.1,))


def test_the_smoke_scale(tmp_path, monkeypatch):
    """On noise: reading MNIST takes longer than training does."""
    images = torch.rand(20, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(experiment, "zeros", lambda count: images[:count])
    settings = replace(FREQUENCIES.smoke, depths=(6, 8), steps=8)
    record = reproduce(FREQUENCIES, settings=settings, folder=tmp_path)
    deeper, row = networks(measurements(record))
    assert [(each["depth"], len(each["ranks"])) for each in (deeper, row)] == [(8, 8), (6, 6)]
    assert row["grids"] == [[6, 6], [3, 3], [3, 3], [3, 3], [6, 6], [12, 12]]
    assert row["rank"] == min(row["ranks"]) == row["ranks"][row["narrowest"] - 1]
    assert row["dimensions"][0] == 3 * 6 * 6
    kept, gone = row["weights_kept"]
    assert kept > gone >= 0.0
    assert row["schatten"] <= row["norm_per_depth"] == pytest.approx(sum(row["norms"]) / 6, rel=1e-4)
    assert [drawing.name for drawing in FREQUENCIES.drawings(record)] == ["ranks", "norms", "degrees"]


@pytest.mark.parametrize("depth", [2, 60])
def test_what_is_zero_adds_nothing_at_any_depth(depth):
    """A mean of all pixels by a convolution, times 3: one singular value, and rounding in place of the others."""
    mean = torch.nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    with torch.no_grad():
        mean.weight.fill_(3.0 / 9.0)
    x = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    last = torch.nn.Conv2d(1, 1, 1)
    with torch.no_grad():
        last.weight.fill_(2.0)
    found = experiment.schatten(torch.nn.Sequential(mean, torch.nn.ReLU(), last), x, depth)
    assert found == pytest.approx(6.0 ** (2 / depth))


def test_waves_of_a_grid():
    assert waves((4, 4)) == [1, 2, 4, 2, 1]
    assert waves((1, 3)) == [1, 1]
    assert sum(waves((5, 5))) == 13


def result(**changed):
    values = {"schatten": 3.0, "norm_per_depth": 30.0, "rank": 12, "by_degree": [3, 4, 1], "middle": 15.0}
    values |= {"weights_rank": 13}
    values |= {"weights_by_degree": [5, 6], "weights_kept": [0.9, 0.02]} | changed
    network = {
        "depth": 6,
        "error": 1.0,
        "variance": 4.0,
        "narrowest": 3,
        "dimensions": [768, 192, 192, 192, 768, 256],
        "grids": [[8, 8], [4, 4], [4, 4], [4, 4], [8, 8], [16, 16]],
        "norms": [99.0, 99.0, values["middle"], values["middle"], 99.0, 99.0],
        **{name: value for name, value in values.items() if name != "middle"},
    }
    return {"weight_decay": 0.1, "seed": 0, "networks": [network]}


@pytest.mark.parametrize(
    ("changed", "differing"),
    [
        ({}, []),
        ({"schatten": 31.0}, [0]),
        ({"rank": 48, "middle": 18.0}, [1]),
        ({"weights_kept": [0.4, 0.02]}, [2]),
        ({"weights_kept": [0.9, 0.2]}, [2]),
        ({"by_degree": [1, 2, 4, 2, 1]}, [3, 4]),
        ({"by_degree": [3, 4]}, [4]),
        ({"by_degree": [3, 4], "weights_by_degree": [3, 4, 1]}, []),
        ({"middle": 19.0}, [5]),
    ],
)
def test_each_verdict_can_turn(changed, differing):
    verdicts = [claim.agrees for claim in FREQUENCIES.claims(SETTINGS, [result(**changed)])]
    assert verdicts == [index not in differing for index in range(6)]


def test_the_zeros_are_cut_and_averaged(monkeypatch):
    """Each pixel is the mean of four, none of them of the margin."""
    images = np.random.default_rng(0).random((4, 28 * 28))
    labels = np.array([0, 3, 0, 0])
    monkeypatch.setattr(experiment, "load_dataset", lambda *_, **__: SimpleNamespace(x=images, y=labels))
    found = experiment.zeros(2)
    assert found.shape == (2, 1, 12, 12)
    whole = images[2].reshape(28, 28)
    assert float(found[1, 0, 0, 0]) == pytest.approx(whole[2:4, 2:4].mean(), rel=1e-6)
    assert float(found[1, 0, 11, 5]) == pytest.approx(whole[24:26, 12:14].mean(), rel=1e-6)


def test_the_middle_is_where_the_sides_stay():
    assert middle_norm(result(middle=7.0)["networks"][0]) == 7.0


def test_nothing_is_judged_from_nothing():
    assert {claim.agrees for claim in FREQUENCIES.claims(SETTINGS, [])} == {None}
    assert FREQUENCIES.drawings({"settings": {}, "results": []}) == []
