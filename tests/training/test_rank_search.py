"""The search over the rank, with what a random start misses, its limits, and Ctrl-C."""

import numpy as np
import pytest

from brief import shorten_searches
from isthmus.errors import OptionError
from isthmus.training import (
    Schedule,
    TrainingConfig,
    search_rank,
)

SHORT = Schedule(steps=100, rounds=1, evaluations=30)


def pairs(n=80, d=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, np.maximum(x @ rng.standard_normal((d, 3)), 0)


def curve(n=100):
    t = np.linspace(-1, 1, n)
    return np.stack([1.2 * t, 0.6 * np.sin(np.pi * t)], 1)


@pytest.mark.parametrize("is_brief", [True, pytest.param(False, marks=pytest.mark.exhaustive)])
def test_the_search_finds_rank_1_where_the_random_start_keeps_2(is_brief, monkeypatch):
    """At depth 24 the rank-1 autoencoder of a curve is much cheaper, and a random start does not find it."""
    rows, width = 100, 30
    if is_brief:
        shorten_searches(monkeypatch, steps=100, evaluations=100)
        rows, width = 40, 16
    config = TrainingConfig(depth=24, width=width, ridge=24e-4, standardize="none")
    found = search_rank(curve(rows), config=config, task="autoencoder")
    values = {c.rank: c.value for c in found.candidates}
    assert found.rank == 1
    assert values[1] < 0.9 * values[2]
    assert found.random_rank == 2
    assert "rank 1 is" in found.warning
    assert found.best.network.depth == 24


@pytest.mark.parametrize(
    ("options", "most", "message"),
    [
        ({"depth": 1}, None, "depth is 1"),
        ({"depth": 3}, 0, "most is 0"),
        ({"depth": 3, "ridge": -1.0}, None, "ridge is -1"),
    ],
)
def test_a_search_has_limits(options, most, message):
    x, y = pairs()
    with pytest.raises(OptionError, match=message):
        search_rank(x, y, most=most, config=TrainingConfig(width=4, **options))


def interrupt_at(fraction):
    def report(done, state):
        if done >= fraction:
            raise KeyboardInterrupt

    return report


def test_an_interrupted_search_returns_what_it_found():
    found = search_rank(
        curve(40),
        config=TrainingConfig(depth=4, width=10, ridge=0.004, standardize="none", schedule=SHORT),
        task="autoencoder",
        report=interrupt_at(0.6),
    )
    assert not found.is_complete
    assert found.candidates
    assert found.best.value <= found.random_value
