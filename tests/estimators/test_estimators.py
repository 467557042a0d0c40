"""The rank that is decided, the halves that meet there, and data of which there is little to learn."""

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import isthmus
from cases import through
from estimators.data import QUICK, blobs, through_one_number
from isthmus.errors import (
    ColumnError,
    NonFiniteError,
    OptionError,
    ShapeError,
    TooFewRowsError,
    UnknownActivationError,
)
from isthmus.estimators import RankAutoencoder, RankClassifier, RankRegressor
from isthmus.training import Schedule

LONGER = Schedule(steps=300, rounds=1, evaluations=60)
MORE = {**QUICK, "depth": 6, "ridge": 0.018, "width": 20, "schedule": LONGER, "cv": 3, "random_state": 100}


@pytest.fixture(scope="module")
def recovered():
    import torch

    teacher = through(2, seed=3, d=6)
    x = torch.randn(500, 6, generator=torch.Generator().manual_seed(100), dtype=torch.float64)
    x, y = x.numpy(), teacher(x).numpy()
    return RankRegressor(**MORE).fit(x[:400], y[:400]), x[400:], y[400:]


def test_the_rank_of_a_teacher_is_recovered(recovered):
    fitted, x, y = recovered
    lower, upper = fitted.rank_interval_
    assert lower <= fitted.rank_ == 2 <= upper
    assert fitted.score(x, y) > 0.9
    assert len(fitted.error_curve_) > 2
    assert fitted.error_curve_[1] > fitted.error_curve_[2]
    assert fitted.rank_probabilities_[2] > 0.5
    assert sum(fitted.rank_probabilities_.values()) == pytest.approx(1.0)
    assert 300 <= fitted.n_iter_ <= 300 + 60


def test_predictions_pass_through_the_halves(recovered):
    fitted, x, _ = recovered
    z = fitted.encode(x)
    assert z.shape == (100, 2)
    np.testing.assert_array_equal(fitted.decode(z), fitted.predict(x))
    np.testing.assert_array_equal(fitted.transform(x), z)
    by_hand = fitted.factorization_.decode(fitted.factorization_.encode(x))
    np.testing.assert_allclose(fitted.predict(x), by_hand.numpy(), rtol=1e-12)
    # finite differences: the function changes along two directions only
    step = 1e-6 * np.eye(6)
    jacobian = (fitted.predict(x[0] + step) - fitted.predict(x[0] - step)) / 2e-6
    s = np.linalg.svd(jacobian, compute_uv=False)
    assert s[2] < 1e-6 * s[0]
    with pytest.raises(ShapeError, match="3 columns but the network takes 2"):
        fitted.decode(np.zeros((1, 3)))


def test_one_output_or_several_come_out_as_they_went_in():
    x, y = through_one_number()
    flat, column = (RankRegressor(**QUICK).fit(x, t) for t in (y[:, 0], y[:, :1]))
    assert flat.predict(x).shape == (160,)
    np.testing.assert_array_equal(column.predict(x), flat.predict(x)[:, None])
    assert flat.score(x, y[:, 0]) > 0.8


def test_a_nonlinear_curve_is_one_number_to_the_autoencoder():
    rng = np.random.default_rng(100)
    t = rng.uniform(-1, 1, (300, 1))
    x = np.concatenate([t, np.abs(t), 2 * t, 1 - np.abs(t)], 1)
    fitted = RankAutoencoder(**MORE).fit(x)
    assert fitted.rank_ == 1
    assert fitted.inverse_transform(fitted.transform(x)).shape == x.shape
    share = 1 - ((fitted.decode(fitted.encode(x)) - x) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert fitted.score(x) == pytest.approx(share, rel=1e-9)
    assert share > 0.95


@pytest.mark.parametrize(
    "names", [np.array(["pear", "apple", "fig"]), np.array([7, -2, 100]), np.array(["b", "a", "c"], object)]
)
def test_classes_are_sorted_and_probabilities_in_their_order(names):
    x, index = blobs()
    fitted = RankClassifier(**QUICK).fit(x, names[index])
    np.testing.assert_array_equal(fitted.classes_, np.sort(names))
    assert fitted.classes_.dtype == names.dtype
    probabilities = fitted.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(1), 1.0)
    assert fitted.score(x, names[index]) == 1.0
    np.testing.assert_array_equal(fitted.classes_[probabilities.argmax(1)], names[index])


def test_where_the_evidence_was_not_weighed_there_are_no_probabilities():
    fitted = RankRegressor(**{**QUICK, "depth": 4}).fit(*through_one_number(60))
    assert fitted.rank_probabilities_ is None
    assert fitted.rank_ == 1
    assert fitted.rank_interval_ == fitted.selection_.interval


def test_nothing_to_predict_is_rank_0():
    x, y = through_one_number(60)
    zeros = RankRegressor(**QUICK).fit(x, np.zeros(60))
    assert (zeros.rank_, zeros.rank_interval_, zeros.rank_probabilities_, zeros.n_iter_) == (0, (0, 0), {0: 1.0}, 0)
    assert zeros.factorization_ is None
    np.testing.assert_array_equal(zeros.predict(x), np.zeros(60))
    np.testing.assert_array_equal(zeros.error_curve_, [0.0])
    assert zeros.transform(x).shape == (60, 0)
    np.testing.assert_array_equal(zeros.decode(np.empty((3, 0))), np.zeros(3))
    with pytest.raises(ShapeError, match="the rank is 0"):
        zeros.decode(np.zeros((3, 1)))
    weights = np.arange(60.0)
    blind = RankRegressor(**QUICK).fit(np.ones((60, 2)), y, sample_weight=weights)
    np.testing.assert_allclose(blind.predict([[5.0, 6.0]]), [np.average(y, axis=0, weights=weights)], rtol=1e-12)
    np.testing.assert_allclose(blind.error_curve_, [2.0])  # two outputs of variance 1
    same = RankAutoencoder(**QUICK).set_output(transform="pandas").fit(np.ones((5, 3)))
    assert same.transform(np.ones((5, 3))).shape == (5, 0)
    np.testing.assert_array_equal(same.inverse_transform(np.empty((2, 0))), np.ones((2, 3)))


def test_noise_is_rank_0_and_predicts_the_mean_of_the_rows_trained_on():
    rng = np.random.default_rng(100)
    x, y = rng.standard_normal((60, 3)), rng.standard_normal(60)
    fitted = RankRegressor(**QUICK).fit(x, y)
    assert fitted.rank_ == 0
    assert np.ptp(fitted.predict(x)) == 0.0
    assert abs(fitted.predict(x)[0] - y.mean()) < 3 / 48**0.5


def test_one_class_and_classes_that_cannot_be_told_apart():
    x, _ = blobs()
    one = RankClassifier(**QUICK).fit(x, np.full(90, "only"))
    assert (one.rank_, list(one.classes_)) == (0, ["only"])
    np.testing.assert_array_equal(one.predict(x[:3]), ["only"] * 3)
    np.testing.assert_allclose(one.predict_proba(x[:1]), [[1.0]])
    mixed = RankClassifier(**QUICK).fit(np.ones((8, 2)), [1, 1, 1, 0, 1, 1, 0, 1])
    np.testing.assert_allclose(mixed.predict_proba([[1.0, 1.0]]), [[0.25, 0.75]])
    entropy = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    np.testing.assert_allclose(mixed.error_curve_, [entropy])


def test_a_class_of_one_row_is_trained_on():
    x, index = blobs(30)
    index[0] = 7
    fitted = RankClassifier(**QUICK).fit(x, index)
    np.testing.assert_array_equal(fitted.classes_, [0, 1, 2, 7])
    assert fitted.predict_proba(x).shape == (30, 4)


def test_constant_and_repeated_columns_do_no_harm():
    x, y = through_one_number(80)
    wide = np.concatenate([x, x, np.ones((80, 1))], 1)
    fitted = RankRegressor(**QUICK).fit(wide, np.concatenate([y, np.full((80, 1), 3.0)], 1))
    assert fitted.rank_ == 1
    np.testing.assert_allclose(fitted.predict(wide)[:, 2], 3.0, atol=0.05)


X, Y = through_one_number(40)


@pytest.mark.parametrize(
    ("estimator", "data", "error", "message"),
    [
        (RankRegressor, (X[:1], Y[:1]), ValueError, "1 sample"),
        (RankRegressor, (X[:3], Y[:3]), TooFewRowsError, "3 rows; at least 4 are needed. Provide more data"),
        (RankClassifier, (X[:5], np.arange(5)), TooFewRowsError, "one of each class set aside for training"),
        (RankRegressor, (np.where(X > 1, np.nan, X), Y), NonFiniteError, "X holds NaN or infinity"),
        (RankRegressor, (X, np.where(Y > 1, np.inf, Y)), NonFiniteError, "y holds NaN or infinity"),
        (RankRegressor, (X.astype(str), Y), None, ""),
        (RankRegressor, (np.full((9, 2), "long"), Y[:9]), ColumnError, "holds the text 'long'"),
        (RankRegressor, (X, None), ValueError, "requires y to be passed"),
        (RankClassifier, (X, Y[:, 0]), ValueError, "Unknown label type"),
        (RankRegressor, (X, Y[:-1]), ValueError, "inconsistent numbers of samples"),
    ],
)
def test_bad_data_are_refused(estimator, data, error, message):
    if error is None:
        assert estimator(**QUICK).fit(*data).rank_ == 1  # numbers written as texts are numbers to scikit-learn
        return
    with pytest.raises(error, match=message):
        estimator(**QUICK).fit(*data)


def test_a_missing_entry_is_found_by_the_name_of_its_column():
    table = pd.DataFrame(X, columns=["length", "mass", "time", "charge"])
    fitted = RankRegressor(**QUICK).fit(table, Y)
    table.loc[5, "time"] = np.nan
    for use in (lambda: RankRegressor(**QUICK).fit(table, Y), lambda: fitted.predict(table)):
        with pytest.raises(NonFiniteError, match="row 5, column 'time'"):
            use()


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"depth": 0}, OptionError, "depth is 0"),
        ({"n_init": 0}, OptionError, "n_init is 0"),
        ({"tolerance": 2.0}, OptionError, "tolerance is 2.0"),
        ({"cv": 1}, OptionError, "cv is 1"),
        ({"standardize": "rows"}, OptionError, "columns, global or none"),
        ({"activation": "tanh"}, UnknownActivationError, "tanh"),
        ({"cv": 21}, OptionError, "cv is 21 but must be between 2 and 20: two different inputs for each part"),
        ({"ridge": -1.0}, OptionError, "ridge is -1.0"),
        ({"ridge": []}, OptionError, "a number or a list of some"),
    ],
)
def test_options_out_of_range_are_refused_when_fitting(option, error, message):
    with pytest.raises(error, match=message):
        RankRegressor(**{**QUICK, **option}).fit(X, Y)


def test_scikit_learn_is_imported_by_who_asks_and_its_absence_named():
    assert isthmus.RankRegressor is RankRegressor
    assert "RankClassifier" in dir(isthmus)
    script = (
        "import sys, isthmus; assert 'sklearn' not in sys.modules; sys.modules['sklearn'] = None\n"
        "try: isthmus.RankRegressor\n"
        "except isthmus.IsthmusError as missing: print(missing)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "scikit-learn, which is not installed. Run: pip install 'isthmus[sklearn]'" in done.stdout


def test_an_interrupt_ends_the_fit_and_leaves_the_one_before(monkeypatch):
    x, y = through_one_number(60)
    fitted = RankRegressor(**QUICK).fit(x, y)
    before, begun = fitted.predict(x), []

    def interrupted(*rows, **settings):
        begun.append(len(rows[0]))
        return dataclasses.replace(isthmus.fit(*rows, **settings), stopped="interrupted")

    monkeypatch.setattr("isthmus.selection.cache.fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(x, -y)
    assert len(begun) == 1
    np.testing.assert_array_equal(fitted.predict(x), before)
