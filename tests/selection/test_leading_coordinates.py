"""Wide inputs are read in the leading coordinates that predict, and the answer is told of all columns."""

import numpy as np
import pytest
import torch

from isthmus.data import Sample
from isthmus.selection import SelectionConfig, select_rank
from isthmus.selection.cache import SelectionCache
from isthmus.selection.folds import folds_of
from isthmus.selection.leading_coordinates import keep_leading_coordinates
from isthmus.selection.scaling import ScaledProblem
from selection.quick import SCHEDULE

CONFIG = SelectionConfig(depth=3, ridge=0.01, width=12, schedule=SCHEDULE, standardize="global")


def wide(task="regression", at=0, n=240, columns=300):
    """Outputs of one principal coordinate of the inputs; `at` says which, the longest first."""
    rng = np.random.default_rng(0)
    lengths = np.concatenate([np.full(5, 3.0), np.full(95, 1.0), np.full(columns - 100, 1e-9)])
    z = rng.standard_normal((n, columns))
    x = (z * lengths) @ np.linalg.qr(rng.standard_normal((columns, columns)))[0]
    if task == "classification":
        return x, (z[:, at] > 0.0).astype(np.int64)
    return x, np.stack([np.abs(z[:, at]), z[:, at]], 1)


def problem(x, y, task):
    sample = Sample.merged(x, y, np.ones(len(x)), task)
    folds, cache = folds_of(sample, 3, 0), SelectionCache()
    whole = ScaledProblem.of(sample, folds, CONFIG, "global", seed=0, cache=cache)
    kept = keep_leading_coordinates(whole, sample, folds, CONFIG, seed=0, cache=cache, report=lambda *_: None)
    return whole, kept


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_coordinates_that_trail_are_left_out_and_it_is_said(task):
    whole, kept = problem(*wide(task), task)
    assert whole.sample.x.shape[1] == 100
    assert kept.sample.x.shape[1] == 10
    np.testing.assert_allclose(kept.sample.x, whole.sample.x[:, :10], rtol=1e-9, atol=1e-9)
    assert "in their 10 leading principal coordinates of 100" in kept.reason


def test_a_coordinate_that_trails_and_predicts_is_kept():
    whole, kept = problem(*wide(at=97), "regression")
    assert kept is whole


def test_an_autoencoder_keeps_all():
    x = wide()[0]
    whole, kept = problem(x, x, "autoencoder")
    assert kept is whole


def test_the_answer_is_of_the_columns():
    x, y = wide()
    found = select_rank(x, y, config=CONFIG, cv=3)
    assert "leading principal coordinates" in found.hyperparameters.reason
    assert (found.rank, found.network.network.d_in) == (1, 300)
    rows = torch.from_numpy(x)
    left = (
        float((found.decode(found.encode(rows)) - torch.from_numpy(y)).square().sum()) / np.square(y - y.mean(0)).sum()
    )
    assert left < 0.3
