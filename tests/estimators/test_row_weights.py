"""A weight is a number of repetitions, bit for bit, and the order of the rows is nothing."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, TimeSeriesSplit

from estimators.data import QUICK, blobs, through_one_number
from isthmus.errors import NonFiniteError, OptionError, ShapeError
from isthmus.estimators import RankAutoencoder, RankClassifier, RankRegressor

COUNTS = np.random.default_rng(0).integers(0, 4, 60)


def fitted_twice(kind):
    x, y = blobs(60) if kind is RankClassifier else through_one_number(60)
    order = np.random.default_rng(1).permutation(60)
    weighted = kind(**QUICK).fit(x[order], y[order], sample_weight=COUNTS[order])
    return weighted, kind(**QUICK).fit(x.repeat(COUNTS, 0), y.repeat(COUNTS, 0)), x, y


@pytest.mark.parametrize("kind", [RankRegressor, RankClassifier, RankAutoencoder])
def test_weighted_rows_are_repeated_rows(kind):
    weighted, repeated, x, _ = fitted_twice(kind)
    np.testing.assert_array_equal(weighted.encode(x), repeated.encode(x))
    np.testing.assert_array_equal(weighted.decode(weighted.encode(x)), repeated.decode(repeated.encode(x)))
    np.testing.assert_array_equal(weighted.error_curve_, repeated.error_curve_)
    assert weighted.rank_probabilities_ == repeated.rank_probabilities_


def test_splits_are_of_the_rows_as_they_are_passed():
    """cv as in scikit-learn: a splitter, or its splits; rows of no weight have their place in them, and no other."""
    x, y = blobs(60)
    names, counts = np.array(["fig", "apple", "pear"])[y], COUNTS.copy()
    names[:2], counts[:2] = "of no weight", 0
    settings = {**QUICK, "cv": KFold(3)}
    splitter = RankClassifier(**settings).fit(x, names, sample_weight=counts)
    splits = RankClassifier(**{**settings, "cv": list(KFold(3).split(x))}).fit(x, names, sample_weight=counts)
    of_each = [np.array([part for at in held for part in [at] * counts[at]]) for _, held in KFold(3).split(x)]
    repeated = np.concatenate(of_each)  # each row as often as it counts, part by part
    ends = np.cumsum([len(part) for part in of_each])
    parts = [np.arange(end - len(part), end) for part, end in zip(of_each, ends, strict=True)]
    rows = [(np.setdiff1d(np.arange(len(repeated)), part), part) for part in parts]
    copies = RankClassifier(**{**settings, "cv": rows}).fit(x[repeated], names[repeated])
    for other in (splits, copies):
        np.testing.assert_array_equal(other.encode(x), splitter.encode(x))
        assert other.rank_probabilities_ == splitter.rank_probabilities_
    assert splitter.selection_.evidence.rows == np.count_nonzero(counts)
    np.testing.assert_array_equal(splitter.classes_, ["apple", "fig", "pear"])
    with pytest.raises(ValueError, match="Expected `cv` as an integer, a cross-validation object"):
        RankRegressor(**{**QUICK, "cv": "five"}).fit(x, x)
    with pytest.raises(OptionError, match="cv is 'split 0' but must be all rows"):
        RankRegressor(**{**QUICK, "cv": TimeSeriesSplit(3)}).fit(x, x)


def test_weights_matter():
    x, y = through_one_number(60)
    light, heavy = (RankRegressor(**QUICK).fit(x, y, sample_weight=v) for v in (None, np.where(x[:, 0] > 0, 9.0, 1.0)))
    right = x[:, 0] > 0
    errors = [((f.predict(x) - y)[right] ** 2).mean() for f in (light, heavy)]
    assert errors[1] != errors[0]


def test_a_class_of_no_weight_does_not_exist():
    x, index = blobs()
    fitted = RankClassifier(**QUICK).fit(x, index, sample_weight=index != 1)
    np.testing.assert_array_equal(fitted.classes_, [0, 2])


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(59), ShapeError, "one weight a row"),
        (-np.ones(60), OptionError, r"sample_weight\[0\] is -1.0 but must be at least 0"),
        (np.full(60, np.nan), NonFiniteError, "sample_weight holds NaN"),
        (np.zeros(60), OptionError, "positive for some rows"),
    ],
)
@pytest.mark.parametrize("kind", [RankRegressor, RankClassifier, RankAutoencoder])
def test_weights_that_are_none_are_refused(kind, weights, error, message):
    x, y = blobs(60)
    with pytest.raises(error, match=message):
        kind(**QUICK).fit(x, y, sample_weight=weights)
