"""The window of linear networks, whose minima of each rank are known in closed form; bad data; Ctrl-C."""

import numpy as np
import pytest
import torch

from brief import shorten_searches
from cases import random_layers
from isthmus.costs import depth_window, window_search
from isthmus.errors import (
    ConstantOutputError,
    NonFiniteError,
    OptionError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import IDENTITY, FullyConnected
from isthmus.training import Schedule, TrainingConfig

SINGULAR, RIDGE = (2.0, 1.2, 0.5), 0.3


def least(rank, depth):
    """Σ_{i ≤ r} min_t (s_i − t)² + λ t^{2/L} + Σ_{i > r} s_i², on a fine grid of t: rank r for whitened inputs."""
    t = np.linspace(1e-5, 2.5, 100_001)
    kept = sum(float(((s - t) ** 2 + RIDGE * t ** (2.0 / depth)).min()) for s in SINGULAR[:rank])
    return kept + sum(s * s for s in SINGULAR[rank:])


def whitened(n=30, seed=0):
    """Rows of mean zero and unit covariance."""
    draws = np.random.default_rng(seed).standard_normal((n, 3))
    return np.linalg.qr(np.concatenate([np.ones((n, 1)), draws], 1))[0][:, 1:] * n**0.5


def linear_window(**options):
    x = whitened()
    config = TrainingConfig(
        width=4, ridge=RIDGE, n_init=1, activation=IDENTITY, standardize="none", schedule=Schedule(steps=300)
    )
    return depth_window(x, x * np.array(SINGULAR), config=config, tolerance=Tolerance(0.05), **options)


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    shorten_searches(monkeypatch, steps=60, evaluations=40, rounds=2)


@pytest.fixture(scope="module", params=["brief", pytest.param("whole", marks=pytest.mark.exhaustive)])
def linear(request):
    """Rank 3 is the best up to some depth, as λ t^{2/L} is small there; rank 2 beyond."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_search, "_FOLLOWED", (36,))
        if request.param == "brief":
            shorten_searches(patch, steps=60, evaluations=40, rounds=2)
        return linear_window()


def test_objectives_are_those_of_the_closed_form(linear):
    """Of the networks of the best two ranks at the depths searched; and none of any rank is below the minimum."""
    for rank, depth in ((3, 3), (3, 6), (2, 6), (2, 12), (3, 12)):
        assert linear.objective(rank, depth) == pytest.approx(least(rank, depth), rel=2e-3)
    assert linear.objective(0, 30) == pytest.approx(sum(s * s for s in SINGULAR), rel=1e-5)
    for line in linear.lines:
        if line.rank > 0:
            assert line.value(line.depth, RIDGE) > least(line.rank, line.depth) * (1 - 1e-4)


def test_the_window_is_that_of_the_closed_form(linear):
    depths = range(3, 200)
    best = [min(range(4), key=lambda rank: least(rank, depth)) for depth in depths]
    assert best[0] == 3
    shallowest = depths[best.index(2)]
    assert set(best[best.index(2) :]) == {2}
    assert (linear.rank, linear.deepest) == (2, None)
    # Where the two are within 0.3 % of each other a search may miss one of them, and neighbours stand in.
    assert abs(linear.shallowest - shallowest) <= 1
    assert linear.found
    assert linear.is_complete
    assert linear.reasons[0] == "Rank 2 has the lowest objective at depth 12."
    assert linear.reasons[1].startswith(f"At depth {linear.shallowest - 1} rank 3 is cheaper: objective ")
    assert linear.reasons[2].startswith("No network of smaller rank that was found is cheaper at any larger depth")
    assert {linear.shallowest - 1, linear.shallowest} <= set(linear.searched)


def test_the_window_is_the_same_to_the_last_bit_on_two_workers(monkeypatch):
    monkeypatch.setattr(window_search, "_FOLLOWED", (36,))
    alone, together = linear_window(), linear_window(n_jobs=2)
    assert together.lines == alone.lines
    assert together.reasons == alone.reasons
    with pytest.raises(OptionError, match="n_jobs is 0"):
        linear_window(n_jobs=0)


def test_a_network_that_is_known_competes(monkeypatch):
    """The linear minimum itself, at L = 3, given from outside: no search finds a cheaper one there."""
    t = torch.linspace(1e-5, 2.5, 100_001, dtype=torch.float64)
    kept = torch.stack([t[((s - t) ** 2 + RIDGE * t ** (2.0 / 3.0)).argmin()] for s in SINGULAR])
    known = FullyConnected((torch.diag(kept ** (1.0 / 3.0)),) * 3, (torch.zeros(3).double(),) * 3, IDENTITY)
    monkeypatch.setattr(window_search, "_DEPTHS", (3,))
    monkeypatch.setattr(window_search, "_FOLLOWED", (6,))
    found = linear_window(known=[known], rank=3)
    assert any(line.squared_norm == pytest.approx(known.squared_norm, rel=1e-12) for line in found.lines)
    assert found.objective(3, 3) == pytest.approx(least(3, 3), rel=1e-6)
    assert found.reasons[0] == "Rank 3 was given."
    with pytest.raises(ShapeError, match="maps 2 numbers to 2, but the data map 3 to 3"):
        linear_window(known=[random_layers((2, 2), IDENTITY, seed=0)])


def test_ctrl_c_leaves_what_was_found(monkeypatch):
    """The second search is interrupted: the window is that of the first, and says so."""
    search, calls = window_search.search_rank, []

    def interrupted(*given, **options):
        calls.append(options["config"].depth)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return search(*given, **options)

    monkeypatch.setattr(window_search, "search_rank", interrupted)
    stop = 2
    found = linear_window()
    assert (calls, found.searched, found.is_complete) == ([3, 6], (3,), False)
    assert found.reasons[0] == "Rank 3 has the lowest objective at depth 3."
    assert "interrupted" in found.reasons[-1]
    stop = 3
    with pytest.raises(KeyboardInterrupt):  # before anything was found
        linear_window()


def test_inputs_with_two_outputs_are_told(monkeypatch):
    monkeypatch.setattr(window_search, "_DEPTHS", (3,))
    monkeypatch.setattr(window_search, "_FOLLOWED", (6,))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 2))
    x[7], x[8] = x[3], x[4]
    y = np.stack([x[:, 0], x[:, 1]], 1)
    y[7] += 1.0  # row 8 repeats row 4 with the same output: still a function
    found = depth_window(x, y, config=TrainingConfig(width=4, ridge=0.05, n_init=1))
    assert "1 row repeats inputs with other outputs, so no function fits the data" in found.reasons[-1]


def test_what_has_no_window_is_refused_before_work_starts(monkeypatch):
    monkeypatch.setattr(window_search, "search_rank", None)
    x = np.random.default_rng(0).standard_normal((10, 3))
    with pytest.raises(TooFewRowsError, match="x has 1 row; at least 2 are needed"):
        depth_window(x[:1], x[:1])
    for rank in (0, 4):
        with pytest.raises(OptionError, match=rf"rank is {rank} but must be between 1 and 3, .* inputs \(3\)"):
            depth_window(x, x, rank=rank)
    with pytest.raises(OptionError, match=r"between 1 and 2, .* rows \(2\)"):
        depth_window(x[:2], x[:2], rank=3)
    with pytest.raises(ConstantOutputError, match="its rank is 0"):
        depth_window(x, np.ones((10, 2)))
    with pytest.raises(OptionError, match="ridge is 0 but must be positive: without it no depth prefers a rank"):
        depth_window(x, x, config=TrainingConfig(ridge=0))
    with pytest.raises(OptionError, match="ridge is -1 but must be a finite number"):
        depth_window(x, x, config=TrainingConfig(ridge=-1))
    with pytest.raises(ShapeError, match="x has 10 rows but y has 9"):
        depth_window(x, x[:9])
    with pytest.raises(NonFiniteError, match="y holds NaN"):
        depth_window(x, np.where(np.arange(30).reshape(10, 3) == 4, np.nan, x))
    with pytest.raises(ShapeError, match="y is missing"):
        depth_window(x)


def test_a_classification_starts_from_the_class_frequencies(monkeypatch):
    """Rank 0: the entropy of (3/4, 1/4), and the logits ± log(3)/2 as biases."""
    monkeypatch.setattr(window_search, "_DEPTHS", (3,))
    monkeypatch.setattr(window_search, "_FOLLOWED", (6,))
    x = np.concatenate([np.linspace(-2, -1, 15), np.linspace(1, 2, 5)])[:, None]
    found = depth_window(
        x, np.array([0] * 15 + [1] * 5), config=TrainingConfig(width=3, ridge=0.05, n_init=1), task="classification"
    )
    constant = found.line(0, 3)
    assert constant.error == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), rel=1e-6)
    assert constant.squared_norm == pytest.approx(np.log(3.0) ** 2 / 2.0)
