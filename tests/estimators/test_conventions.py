"""scikit-learn's own checks of what it calls an estimator, and its tools at work."""

import copy
import inspect
import pickle
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from estimators.data import KINDS, QUICK, blobs, fitted_on_table, table, through_one_number
from isthmus.errors import PartialFitError, RenamedAttributeError, RenamedOptionError
from isthmus.estimators import (
    RankAutoencoder,
    RankClassifier,
    RankRegressor,
    base,
)
from isthmus.training import Schedule

ALL = [kind(**QUICK) for kind in KINDS]
SHORT = Schedule(steps=0, rounds=1, evaluations=10)
SMALL = {"depth": 2, "ridge": 0.01, "width": 4, "tolerance": 0.5, "schedule": SHORT, "cv": 2}
PARAMETERS = "depth ridge width activation tolerance n_init standardize schedule cv device n_jobs random_state verbose"


def targets(estimator):
    rows, y = table(type(estimator))
    return rows.to_numpy(), y


@parametrize_with_checks([kind(**SMALL) for kind in KINDS])
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
    grid = GridSearchCV(RankRegressor(**QUICK), {"depth": [2, 3], "ridge": [0.01, 1e3]}, cv=2, error_score="raise")
    grid.fit(x, y, sample_weight=np.ones(90))
    assert grid.best_params_["ridge"] == 0.01  # λ = 1000 leaves nothing
    assert grid.best_estimator_.rank_ == 1
    assert cross_val_score(RankClassifier(**QUICK), *blobs(), cv=2).mean() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_tables_go_in_and_come_out(kind):
    rows, y = table(kind)
    fitted = copy.deepcopy(fitted_on_table(kind)).set_output(transform="pandas")
    assert list(fitted.feature_names_in_) == list(rows.columns)
    coded = fitted.transform(rows)
    names = [f"z{i + 1}" for i in range(fitted.rank_)]
    assert list(coded.columns) == names == list(fitted.get_feature_names_out())
    assert list(coded.index) == list(rows.index)
    np.testing.assert_array_equal(coded.to_numpy(), fitted.encode(rows))
    np.testing.assert_array_equal(kind(**QUICK).fit_transform(rows.to_numpy(), y), coded.to_numpy())
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(rows.rename(columns={"mass": "weight"}))


@pytest.mark.parametrize("kind", KINDS)
def test_copies_keep_everything_and_clones_the_parameters(kind):
    fitted, (rows, _) = fitted_on_table(kind), table(kind)
    for copied in (copy.deepcopy(fitted), copy.copy(fitted), pickle.loads(pickle.dumps(fitted))):  # noqa: S301
        assert copied.get_params() == fitted.get_params()
        assert copied.rank_probabilities_ == fitted.rank_probabilities_
        np.testing.assert_array_equal(copied.encode(rows), fitted.encode(rows))
        assert isinstance(copied.set_output(transform="pandas").transform(rows), pd.DataFrame)
    cloned = clone(fitted)
    assert cloned.get_params() == {**kind().get_params(), **QUICK}
    check_is_fitted(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(cloned)
    assert not hasattr(cloned, "rank_")
    assert pickle.loads(pickle.dumps(cloned)).get_params() == cloned.get_params()  # noqa: S301


@pytest.mark.parametrize("kind", KINDS)
def test_it_shows_itself(kind):
    name = kind.__name__
    assert repr(kind()) == f"{name}()"
    assert repr(kind(depth=3, cv=4)) == f"{name}(cv=4, depth=3)"
    page = fitted_on_table(kind)._repr_html_()
    assert name in page
    assert "n_init" in page
    with config_context(display="text"), pytest.raises(AttributeError, match="only defined when the 'display'"):
        kind()._repr_html_  # noqa: B018 (scikit-learn's own reason, not that of an unknown attribute)


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_the_first_edition_are_refused_with_what_they_are_now(kind):
    now = {"folds": "cv", "starts": "n_init", "steps": r"schedule=Schedule\(steps=…\)", "batch_size": "schedule="}
    for name, new in now.items():
        message = rf"^{kind.__name__} has no parameter '{name}'\. It is now {new}"
        with pytest.raises(RenamedOptionError, match=message):
            kind(**{name: 3})
        with pytest.raises(RenamedOptionError, match=message):
            kind().set_params(**{name: 3})
    with pytest.raises(RenamedOptionError, match=r"has no parameter 'depht'\. See its documentation"):
        kind(depht=3)
    with pytest.raises(ValueError, match="Invalid parameter 'depht' for estimator"):
        kind().set_params(depht=3)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        kind(3)
    assert list(inspect.signature(kind).parameters) == PARAMETERS.split()
    assert sorted(kind().get_params()) == sorted(PARAMETERS.split())
    assert not hasattr(kind(), "decision_")
    with pytest.raises(RenamedAttributeError, match=rf"^{kind.__name__} has no attribute 'decision_'\. It is now 'sel"):
        fitted_on_table(kind).decision_  # noqa: B018
    with pytest.raises(AttributeError, match=f"'{kind.__name__}' object has no attribute 'nothing'"):
        kind().nothing  # noqa: B018


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
