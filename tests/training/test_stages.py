"""Searches that were killed go on where they were and end at the same numbers."""

import pytest
import safetensors.torch
import torch

from brief import shorten_searches
from cases import random_layers, thinned
from isthmus.errors import FileFormatError
from isthmus.networks import Activation
from isthmus.training import (
    Schedule,
    TrainingConfig,
    fit,
    search_rank,
)
from isthmus.training import loop as loop_module
from isthmus.training.objective import Objective
from isthmus.training.stages import Stages

SCHEDULE = Schedule(steps=50, rounds=1, evaluations=20, reduce_norm_every=10)
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
    return search_rank(X, Y, config=TrainingConfig(depth=4, width=6, ridge=0.05, schedule=SCHEDULE), most=1, **options)


def deep_search(**options):
    return search_rank(X, Y, config=TrainingConfig(depth=13, width=4, ridge=0.05, schedule=SCHEDULE), most=1, **options)


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    shorten_searches(monkeypatch, steps=40, evaluations=20)


@thinned("work, at", [(search, 0.1), (search, 0.6), (search, 0.99), (deep_search, 0.6)], keep=3)
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


def test_another_key_is_another_search(tmp_path, monkeypatch):
    path = tmp_path / "search.safetensors"
    _, full = evaluations(monkeypatch, lambda: search(checkpoint=path, key="a"))
    assert evaluations(monkeypatch, lambda: search(checkpoint=path, key="b"))[1] == full


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
    config = TrainingConfig(depth=2, width=3, schedule=SCHEDULE)
    path.write_bytes(b"no tensors")
    with pytest.raises(FileFormatError, match="Delete it to start from the beginning"):
        search_rank(X, Y, config=config, checkpoint=path)
    metadata = {"format": "isthmus-stages", "key": "", "negative_slopes": '{"0: 0.1": 0.0}'}
    safetensors.torch.save_file({"other": torch.zeros(1)}, path, metadata)
    with pytest.raises(FileFormatError, match="does not fit together"):
        search_rank(X, Y, config=config, checkpoint=path)
    path.unlink()
    monkeypatch.setattr(loop_module, "_SAVE_EVERY", -1.0)
    fit(X, Y, config=config, checkpoint=path)
    with pytest.raises(FileFormatError, match="not a checkpoint of a computation in stages"):
        search_rank(X, Y, config=config, checkpoint=path)
