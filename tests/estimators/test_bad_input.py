"""Data that cannot be used as they are: what is refused says where and what to do, the rest is learned from."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from estimators.data import KINDS, NAMES, QUICK, SCHEDULE, blobs, through_one_number
from isthmus.errors import (
    ColumnError,
    NonFiniteError,
    ScaleError,
    TooFewRowsError,
)
from isthmus.estimators import RankClassifier, RankRegressor

SETTINGS = {**QUICK, "depth": 2, "schedule": replace(SCHEDULE, steps=30, evaluations=5)}
X, Y = through_one_number(60)
LABELS = np.array(["fig", "pear"])[(Y[:, 1] > 0).astype(int)]
TABLE = pd.DataFrame(X, columns=NAMES)


def targets(kind):
    return LABELS if kind is RankClassifier else Y


def fit(kind, x, y=None):
    return kind(**SETTINGS).fit(x, targets(kind) if y is None else y)


def with_entry(data, row, column, value):
    changed = data.copy()
    changed[row, column] = value
    return changed


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(kind):
    return fit(kind, TABLE)


# Entries of X


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found_by_row_and_column(kind, fitted, value):
    bad = with_entry(X, 5, 2, value)
    with pytest.raises(NonFiniteError, match=r"^X holds NaN or infinity \(first at row 5, column 2\)\. Remove or fill"):
        fit(kind, bad)
    for use in (lambda t: fit(kind, t), fitted.transform):
        with pytest.raises(NonFiniteError, match=r"row 5, column 'time'\)\. Remove or fill"):
            use(pd.DataFrame(bad, columns=NAMES))


@pytest.mark.parametrize("missing", [None, pd.NA, np.nan])
def test_what_is_missing_from_a_table_of_objects_is_found(kind, missing):
    table = TABLE.astype(object) if missing is not pd.NA else TABLE.convert_dtypes()
    table.loc[3, "mass"] = missing
    with pytest.raises(NonFiniteError, match="row 3, column 'mass'"):
        fit(kind, table)


def test_texts_are_found_by_column_with_a_remedy(kind, fitted):
    cases = {
        "one entry": (with_entry(TABLE.astype(object).to_numpy(), 3, 1, "red"), r"'red' \(row 3\)"),
        "a column": (TABLE.assign(mass="blue"), r"'blue' \(row 0\)"),
        "categories": (TABLE.assign(mass=pd.Categorical(["u", "v"] * 30)), r"'u' \(row 0\)"),
    }
    for data, entry in cases.values():
        table = pd.DataFrame(data, columns=NAMES)
        message = f"^Column 'mass' holds the text {entry}. Encode it as numbers, for example with .*OneHotEncoder"
        for use in (lambda t: fit(kind, t), fitted.transform):
            with pytest.raises(ColumnError, match=message):
                use(table)
        assert len(table) == 60
    for texts in (np.full((60, 2), "long"), np.full((60, 2), b"long"), [["1", "long"]] * 60):
        with pytest.raises(ColumnError, match=r"^Column 'X\[:, [01]\]' holds the text .*long.* \(row 0\)"):
            fit(kind, texts)


@pytest.mark.parametrize(
    "when", [pd.Timestamp("2020-02-03"), datetime(2020, 2, 3, tzinfo=UTC), np.datetime64("2020-02-03")]
)
def test_dates_among_numbers_are_found_by_column(kind, when):
    with pytest.raises(ColumnError, match=r"^Column 'day' holds the date '2020-02-03.*Express it as a number, .*days"):
        fit(kind, TABLE.assign(day=when))


@pytest.mark.parametrize("value", [1e300, -1e300])
def test_what_is_too_large_to_square_is_found_by_row_and_column(kind, fitted, value):
    bad = pd.DataFrame(with_entry(X, 4, 1, value), columns=NAMES)
    message = r"^X \(row 4, column 'mass'\) reaches 1e\+300 in magnitude.*double precision. Mend or remove such entries"
    for use in (lambda t: fit(kind, t), fitted.transform):
        with pytest.raises(ScaleError, match=message):
            use(bad)
    with pytest.raises(ScaleError, match=r"^X \(row 4, column 1\)"):
        fit(kind, bad.to_numpy())


def test_what_is_too_small_to_square_is_found_by_column(kind, fitted):
    with pytest.raises(ColumnError, match=r"^Column 'mass' varies by .*e-300 in all.*Express it in a smaller unit"):
        fit(kind, TABLE.assign(mass=1e-300 * TABLE["mass"]))
    with pytest.raises(ColumnError, match=r"^Column 'X\[:, 0\]' varies by"):
        fit(kind, 1e-300 * X)
    assert fitted.transform(0.0 * TABLE + 1e-300).shape == (60, fitted.rank_)  # one row or many: no spread is needed


@pytest.mark.parametrize("unit", [2.0**460, 2.0**-460])
def test_units_far_from_one_change_nothing(kind, unit):
    plain, scaled = fit(kind, X), fit(kind, unit * X)
    assert scaled.rank_ == plain.rank_ > 0
    np.testing.assert_array_equal(scaled.encode(unit * X), plain.encode(X))
    np.testing.assert_array_equal(scaled.attribution_.effects, plain.attribution_.effects)


# Shapes and kinds of X: scikit-learn's own words


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (sparse.csr_array(X), TypeError, r"Sparse data was passed for X.*Use '\.toarray\(\)'"),
        (X.reshape(60, 2, 2), ValueError, "Found array with dim 3"),
        (X[:, 0], ValueError, r"(?s)Expected 2D array, got 1D array.*reshape\(-1, 1\)"),
        (X + 1j, ValueError, "Complex data not supported"),
        (X[:, :0], ValueError, r"Found array with 0 feature\(s\)"),
        ([[1.0, 2.0], [3.0]] * 30, ValueError, "inhomogeneous shape"),
        (pd.DataFrame(X, columns=["a", 1, 2, 3]), TypeError, "convert them all to strings"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(kind, data, error, message):
    with pytest.raises(error, match=message):
        fit(kind, data)


def test_columns_must_be_those_of_the_fit(fitted):
    cases = [
        (TABLE.rename(columns={"mass": "weight"}), "(?s)feature names should match.*unseen at fit time:\n- weight"),
        (TABLE.assign(spin=1.0), "(?s)unseen at fit time:\n- spin"),
        (TABLE[["length", "mass"]], "(?s)yet now missing:\n- charge\n- time"),
        (TABLE[NAMES[::-1]], "same order as they were in fit"),
    ]
    for data, message in cases:
        with pytest.raises(ValueError, match=message):
            fitted.transform(data)
    with (
        pytest.raises(ValueError, match=r"X has 3 features, but Rank.* is expecting 4 features"),
        pytest.warns(UserWarning, match="does not have valid feature names"),
    ):
        fitted.transform(X[:, :3])


def test_the_dtype_of_whole_numbers_does_not_matter(kind):
    whole = np.round(10 * X[:, :2])
    plain = fit(kind, whole).encode(whole)
    for same in (whole.astype(np.int8), whole.astype(object), pd.DataFrame(whole).astype("Int16").to_numpy()):
        np.testing.assert_array_equal(fit(kind, same).encode(same), plain)
    assert fit(kind, whole > 0).encode(whole > 0).shape[0] == 60


def test_constant_and_repeated_columns_are_columns_without_effect_or_with_half_of_it(kind):
    wide = pd.DataFrame(np.c_[X, X[:, 0], np.full(60, 7.0)], columns=[*NAMES, "again", "same"])
    found = fit(kind, wide)
    assert found.rank_ >= 1
    assert np.isfinite(found.encode(wide)).all()
    assert float(found.attribution_.effects[:, 5].abs().max()) < 1e-12


# y


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_target_is_found_by_row_and_column(value):
    bad = with_entry(Y, 7, 1, value)
    with pytest.raises(NonFiniteError, match=r"^y holds NaN or infinity \(first at row 7, column 1\)\. Remove or fill"):
        fit(RankRegressor, X, bad)
    with pytest.raises(NonFiniteError, match=r"^y .*row 7, column 'price'\)"):
        fit(RankRegressor, X, pd.DataFrame(bad, columns=["size", "price"]))
    with pytest.raises(NonFiniteError, match=r"^y .*row 7, column 'price'\)"):
        fit(RankRegressor, X, pd.Series(bad[:, 1], name="price"))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_label_is_found_by_row(missing):
    labels = LABELS.astype(object)
    labels[7] = missing
    with pytest.raises(NonFiniteError, match=r"^y holds NaN or infinity \(first at row 7, column 0\)"):
        fit(RankClassifier, X, labels)
    with pytest.raises(NonFiniteError, match=r"^y .*row 7, column 'fruit'\)"):
        fit(RankClassifier, X, pd.Series(labels, name="fruit", dtype="string"))


def test_a_target_of_texts_is_for_the_classifier():
    with pytest.raises(ColumnError, match=r"^Column 'y' holds the text '(fig|pear)' \(row 0\)\. .*use RankClassifier"):
        fit(RankRegressor, X, LABELS)
    with pytest.raises(ColumnError, match=r"^Column 'fruit' holds the text"):
        fit(RankRegressor, X, pd.Series(LABELS, name="fruit"))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        fit(RankClassifier, X, Y[:, 0])
    with pytest.raises(ValueError, match="Unknown label type"):
        fit(RankClassifier, X, np.array([1, "a"] * 30, object))


def test_targets_beyond_double_precision_are_found():
    with pytest.raises(ScaleError, match=r"^y \(row \d+, column 'price'\) reaches .*e\+300"):
        fit(RankRegressor, X, pd.Series(1e300 * Y[:, 0], name="price"))
    with pytest.raises(ColumnError, match=r"^Column 'y' varies by .*e-300 in all"):
        fit(RankRegressor, X, 1e-300 * Y[:, 0])
    # what is constant varies by nothing, however small or large
    for constant in (0.0, 1e-300, 1e140):
        zero = fit(RankRegressor, X, np.full(60, constant))
        assert zero.rank_ == 0
        np.testing.assert_allclose(zero.predict(X), constant, rtol=1e-12)


@pytest.mark.parametrize("kind", [RankRegressor, RankClassifier])
def test_targets_of_another_shape_are_refused(kind):
    labels = LABELS if kind is RankClassifier else Y
    cases = [
        (labels[:-1], r"inconsistent numbers of samples: \[60, 59\]"),
        (np.zeros((60, 2, 2)), "Found array with dim 3"),
        (labels[:0], r"Found array with 0 sample\(s\)|inconsistent numbers of samples"),
    ]
    for y, message in cases:
        with pytest.raises(ValueError, match=message):
            kind(**SETTINGS).fit(X, y)
    with pytest.raises(ValueError, match="should be a 1d array"):
        RankClassifier(**SETTINGS).fit(X, np.zeros((60, 2), int))


# How much there is


def test_few_rows_are_learned_from_and_too_few_refused(kind):
    for n in (4, 5, 10, 19):
        y = np.arange(n) % 2 if kind is RankClassifier else Y[:n]
        found = kind(**{**SETTINGS, "cv": None}).fit(X[:n], y)
        lower, upper = found.rank_interval_
        assert lower <= found.rank_ <= upper
        assert np.isfinite(found.decode(found.encode(X[:n]))).all()
    with pytest.raises(
        TooFewRowsError, match=r"equal inputs counted once, has 3 rows; at least 4 are needed\. Provide"
    ):
        fit(kind, np.repeat(X[:3], 20, 0), np.arange(60) % 3 if kind is RankClassifier else np.repeat(Y[:3], 20, 0))
    for n in (0, 1):
        with pytest.raises(ValueError, match=rf"Found array with {n} sample\(s\).*minimum of 2 is required by Rank"):
            fit(kind, X[:n], targets(kind)[:n])


def test_a_class_of_one_row_is_kept_and_one_class_is_rank_0():
    x, index = blobs(60)
    index = index.copy()
    index[0] = 7
    found = fit(RankClassifier, x, index)
    assert found.predict_proba(x).shape == (60, 4)
    one = fit(RankClassifier, x, np.full(60, "only"))
    assert (one.rank_, one.class_order_, one.attribution_) == (0, None, None)
    np.testing.assert_array_equal(one.predict(x), np.full(60, "only"))


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize("n", [6, 60])
def test_as_many_classes_as_rows_leave_none_to_hold_out(n):
    message = (
        r"one of each class set aside for training, has 0 rows.*Provide more rows of each class, merge classes, or"
    )
    with pytest.raises(TooFewRowsError, match=message):
        fit(RankClassifier, X[:n], np.arange(n))


def test_coordinates_that_are_none_are_refused(fitted):
    with pytest.raises(ValueError, match="Input Z contains NaN"):
        fitted.decode(np.full((2, fitted.rank_), np.nan))
    with pytest.raises(ValueError, match=rf"z has {fitted.rank_ + 1} columns but the network takes {fitted.rank_}"):
        fitted.decode(np.zeros((2, fitted.rank_ + 1)))
