"""Searches, paths and grids that were killed go on where they were and end at the same numbers."""

import pytest
import safetensors.torch
import torch

from conftest import random_layers
from isthmus.errors import FileFormatError
from isthmus.networks import Activation
from isthmus.training import (
    Schedule,
    TrainingConfig,
    fit,
    fit_many,
    ridge_path,
    search_rank,
)
from isthmus.training import loop as loop_module
from isthmus.training.objective import Objective
from isthmus.training.stages import Stages

PLAN = Schedule(steps=50, rounds=1, evaluations=20, reduce_norm_every=10)
X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = X[:, :2].relu() @ torch.tensor([[1.0, -0.5, 0.3], [0.2, 1.0, -1.0]], dtype=torch.float64)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def killed_at(fraction):
    def report(done, state):
        if done >= fraction:
            raise Killed

    return report


def evaluations(monkeypatch, work):
    """The result of `work` and how many gradients it took."""
    count = 0
    original = Objective.gradient

    def counted(self, *args):
        nonlocal count
        count += 1
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Objective, "gradient", counted)
        return work(), count


def search(**options):
    return search_rank(X, Y, config=TrainingConfig(depth=4, width=6, ridge=0.05, schedule=PLAN), most=1, **options)


def deep_search(**options):
    return search_rank(X, Y, config=TrainingConfig(depth=13, width=4, ridge=0.05, schedule=PLAN), most=1, **options)


@pytest.mark.parametrize(("work", "at"), [(search, 0.1), (search, 0.6), (search, 0.99), (deep_search, 0.6)])
def test_a_killed_search_ends_at_the_same_networks(tmp_path, monkeypatch, work, at):
    path = tmp_path / "search.safetensors"
    whole, full = evaluations(monkeypatch, work)
    with pytest.raises(Killed):
        work(checkpoint=path, key="a", report=killed_at(at))
    resumed, rest = evaluations(monkeypatch, lambda: work(checkpoint=path, key="a"))
    assert [c.rank for c in resumed.candidates] == [c.rank for c in whole.candidates]
    assert [c.start for c in resumed.candidates] == [c.start for c in whole.candidates]
    assert [c.value for c in resumed.candidates] == pytest.approx([c.value for c in whole.candidates], rel=1e-6)
    assert resumed.random_value == pytest.approx(whole.random_value, rel=1e-6)
    assert resumed.is_complete
    assert rest < full if at > 0.2 else rest == full
    again, nothing = evaluations(monkeypatch, lambda: work(checkpoint=path, key="a"))
    assert nothing == 0
    assert again.best.value == resumed.best.value


@pytest.mark.parametrize("at", [0.1, 0.3, 0.6, 0.8])
def test_a_killed_path_ends_at_the_same_points(tmp_path, monkeypatch, at):
    path = tmp_path / "path.safetensors"
    options = {"ridges": [0.01, 0.1, 0.3], "depth": 3, "width": 8, "schedule": PLAN, "warm": PLAN}
    whole, full = evaluations(monkeypatch, lambda: ridge_path(X, Y, **options))
    with pytest.raises(Killed):
        ridge_path(X, Y, checkpoint=path, key="a", report=killed_at(at), **options)
    resumed, rest = evaluations(monkeypatch, lambda: ridge_path(X, Y, checkpoint=path, key="a", **options))
    for way in ("rising", "falling"):
        assert [getattr(p, way) for p in resumed] == pytest.approx([getattr(p, way) for p in whole], rel=1e-6)
    assert rest < full if at > 0.2 else rest == full
    # Another key is another computation.
    assert evaluations(monkeypatch, lambda: ridge_path(X, Y, checkpoint=path, key="b", **options))[1] == full


@pytest.mark.parametrize("at", [0.2, 0.6, 0.9])
def test_a_killed_grid_ends_at_the_same_networks(tmp_path, monkeypatch, at):
    path = tmp_path / "grid.safetensors"
    options = {"ridges": [0.01, 0.3], "seeds": [0, 1], "depth": 3, "width": 8, "schedule": PLAN, "key": "a"}
    whole = fit_many(X, Y, **options)
    monkeypatch.setattr(loop_module, "_SAVE_EVERY", -1.0)
    with pytest.raises(Killed):
        fit_many(X, Y, checkpoint=path, report=killed_at(at), **options)
    resumed, rest = evaluations(monkeypatch, lambda: fit_many(X, Y, checkpoint=path, **options))
    assert rest < 50 + 4 * 20
    for row, expected in zip(resumed, whole, strict=True):
        assert [f.value for f in row] == pytest.approx([f.value for f in expected], rel=1e-6)
        assert [f.ridge for f in row] == [f.ridge for f in expected]


def test_stages_keep_every_network_as_it_is(tmp_path):
    path = tmp_path / "stages.safetensors"
    networks = {
        "first": random_layers((2, 3, 1), Activation(0.1), 0),
        "second, deeper": random_layers((2, 4, 3, 1), Activation(-1.0), 1, dtype=torch.float32),
    }
    stages = Stages(path, key="a", device="cpu")
    for name, network in networks.items():
        stages.network(name, lambda network=network: network)

    def refused():
        raise AssertionError("a stage that is done is not done again")

    again = Stages(path, key="a", device="cpu")
    for name, network in networks.items():
        found = again.network(name, refused)
        assert found.activation == network.activation
        for mine, other in zip((*found.weights, *found.biases), (*network.weights, *network.biases), strict=True):
            assert mine.dtype == other.dtype
            assert torch.equal(mine, other)


def test_a_damaged_file_says_how_to_start_afresh(tmp_path, monkeypatch):
    path = tmp_path / "stages.safetensors"
    options = {"ridges": [0.1], "depth": 2, "width": 3, "schedule": PLAN, "checkpoint": path}
    path.write_bytes(b"no tensors")
    with pytest.raises(FileFormatError, match="Delete it to start from the beginning"):
        ridge_path(X, Y, **options)
    metadata = {"format": "isthmus-stages", "key": "", "negative_slopes": '{"0: 0.1": 0.0}'}
    safetensors.torch.save_file({"other": torch.zeros(1)}, path, metadata)
    with pytest.raises(FileFormatError, match="does not fit together"):
        ridge_path(X, Y, **options)
    path.unlink()
    monkeypatch.setattr(loop_module, "_SAVE_EVERY", -1.0)
    fit(X, Y, config=TrainingConfig(depth=2, width=3, schedule=PLAN), checkpoint=path)
    with pytest.raises(FileFormatError, match="not a checkpoint of a computation in stages"):
        ridge_path(X, Y, **options)
