"""A weight is a number of repetitions, bit for bit, and the order of the rows is nothing."""

import numpy as np
import pytest

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
