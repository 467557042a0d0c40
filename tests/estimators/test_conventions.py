"""scikit-learn's own checks of what it calls an estimator, and its tools at work."""

import pickle
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from estimators.data import QUICK, blobs, through_one_number
from isthmus.errors import PartialFitError
from isthmus.estimators import (
    RankAutoencoder,
    RankClassifier,
    RankRegressor,
    base,
)
from isthmus.training import Schedule

ALL = [RankRegressor(**QUICK), RankClassifier(**QUICK), RankAutoencoder(**QUICK)]
SMALL = {"depth": 3, "width": 16, "schedule": Schedule(steps=40, rounds=0, learning_rate=0.03), "cv": 2}


def targets(estimator):
    x, y = through_one_number(60)
    return x, (y[:, 0] > 0.7).astype(int) if isinstance(estimator, RankClassifier) else y


@parametrize_with_checks([RankRegressor(**SMALL), RankClassifier(**SMALL), RankAutoencoder(**SMALL)])
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
def test_pipelines_clones_and_pickles(estimator):
    x, y = targets(estimator)
    piped = make_pipeline(StandardScaler(), clone(estimator)).fit(x, y)
    assert 0.0 < piped.score(x, y) <= 1.0
    copied = pickle.loads(pickle.dumps(piped))  # noqa: S301 (what joblib and scikit-learn's users do)
    np.testing.assert_array_equal(copied.transform(x), piped.transform(x))
    again = make_pipeline(StandardScaler(), clone(piped[-1])).fit(x, y)
    np.testing.assert_array_equal(again.transform(x), piped.transform(x))
    if isinstance(estimator, RankAutoencoder):
        np.testing.assert_array_equal(copied.inverse_transform(copied.transform(x)).shape, x.shape)


def test_a_grid_is_searched_and_its_best_estimator_kept():
    x, y = through_one_number(90)
    grid = GridSearchCV(RankRegressor(**QUICK), {"depth": [2, 3], "ridge": [None, 1e3]}, cv=2, error_score="raise")
    grid.fit(x, y, sample_weight=np.ones(90))
    assert grid.best_params_["ridge"] is None  # λ = 1000 leaves nothing
    assert grid.best_estimator_.rank_ == 1
    assert cross_val_score(RankClassifier(**QUICK), *blobs(), cv=2).mean() > 0.9


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
def test_tables_go_in_and_come_out(estimator):
    x, y = targets(estimator)
    table = pd.DataFrame(x, columns=["length", "mass", "time", "charge"], index=np.arange(60) + 1000)
    fitted = clone(estimator).set_output(transform="pandas").fit(table, y)
    assert list(fitted.feature_names_in_) == list(table.columns)
    coded = fitted.transform(table)
    names = [f"z{i + 1}" for i in range(fitted.rank_)]
    assert list(coded.columns) == names == list(fitted.get_feature_names_out())
    assert list(coded.index) == list(table.index)
    np.testing.assert_array_equal(coded.to_numpy(), fitted.encode(table))
    plain = clone(estimator).fit(x, y)
    np.testing.assert_array_equal(plain.transform(x), coded.to_numpy())
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(table.rename(columns={"mass": "weight"}))


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
def test_learning_in_parts_is_refused_with_a_reason(estimator):
    assert not hasattr(estimator, "partial_fit")
    with pytest.raises(PartialFitError, match="no partial_fit: its rank is decided on held-out rows of all the data"):
        estimator.partial_fit([[0.0]], [0.0])


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
def test_an_unfitted_estimator_says_so(estimator, tmp_path):
    for use in (estimator.encode, estimator.decode, estimator.transform, lambda x: estimator.save(tmp_path / "e")):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            use(np.zeros((2, 2)))


def test_progress_is_shown_on_request(monkeypatch):
    bars, fractions = [], []

    @contextmanager
    def bar(title, *, shown, logs):
        bars.append((title, shown))
        yield lambda fraction, state: fractions.append(fraction)

    monkeypatch.setattr(base, "progress_bar", bar)
    RankRegressor(**QUICK, verbose=True).fit(*through_one_number(40))
    RankRegressor(**QUICK).fit(*through_one_number(40))
    assert bars == [("RankRegressor", True), ("RankRegressor", False)]
    assert 0.0 <= min(fractions) < 0.85 <= max(fractions) <= 1.0
