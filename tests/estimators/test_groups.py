"""Rows that belong together: `groups` of `fit`, by scikit-learn's conventions."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from estimators.data import KINDS, QUICK, table, through_one_number
from isthmus.errors import NonFiniteError, OptionError, ShapeError
from isthmus.estimators import RankRegressor

PERSONS = np.array(["ann", "bob"])[np.arange(60) % 7 % 2]


def same(fitted, other, x):
    """Whether the evidence from the rows held out is the same, and so is the network of all rows."""
    return np.array_equal(fitted.error_curve_, other.error_curve_) and np.array_equal(fitted.encode(x), other.encode(x))


@pytest.mark.parametrize("kind", KINDS)
def test_groups_are_held_out_whole(kind):
    rows, y = table(kind)
    x = rows.to_numpy()
    fitted = kind(**QUICK).fit(x, y, groups=PERSONS)
    ann, bob = np.flatnonzero(PERSONS == "ann"), np.flatnonzero(PERSONS == "bob")
    by_hand = [
        kind(**{**QUICK, "cv": splits}).fit(x, y) for splits in ([(ann, bob), (bob, ann)], [(bob, ann), (ann, bob)])
    ]
    assert any(same(fitted, each, x) for each in by_hand)  # of two persons there are no other parts, only another order
    assert not same(fitted, kind(**QUICK).fit(x, y), x)


def test_splitters_are_given_the_groups_and_must_keep_them():
    x, y = through_one_number(60)
    places = np.arange(60) % 4
    fitted = RankRegressor(**{**QUICK, "cv": GroupKFold(2)}).fit(x, y, groups=places)
    listed = RankRegressor(**{**QUICK, "cv": list(GroupKFold(2).split(x, groups=places))}).fit(x, y)
    assert same(fitted, listed, x)
    with pytest.raises(OptionError, match="cv is 'a splitter of groups' but must be given them: pass groups= to fit"):
        RankRegressor(**{**QUICK, "cv": GroupKFold(2)}).fit(x, y)
    with pytest.raises(OptionError, match="cv is 'split 0' but must be one that holds out whole groups"):
        RankRegressor(**{**QUICK, "cv": list(KFold(2).split(x))}).fit(x, y, groups=places)


def test_rows_of_weight_zero_have_no_group():
    x, y = through_one_number(60)
    weights, names = np.ones(60), PERSONS.copy()
    weights[50:], names[50:] = 0.0, "nobody"
    assert same(
        RankRegressor(**QUICK).fit(x, y, sample_weight=weights, groups=names),
        RankRegressor(**QUICK).fit(x[:50], y[:50], groups=names[:50]),
        x,
    )


def test_groups_are_routed_as_metadata():
    x, y = through_one_number(60)
    with config_context(enable_metadata_routing=True):
        asking = make_pipeline(StandardScaler(), RankRegressor(**QUICK).set_fit_request(groups=True))
        grid = GridSearchCV(asking, {"rankregressor__ridge": [0.01]}, cv=GroupKFold(2)).fit(
            x, y, groups=np.arange(60) % 4
        )
    scaled = StandardScaler().fit_transform(x)
    assert same(grid.best_estimator_[-1], RankRegressor(**QUICK).fit(scaled, y, groups=np.arange(60) % 4), scaled)


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        (np.zeros(59), ShapeError, r"groups has shape \(59,\); one a row is needed"),
        (np.zeros(60), OptionError, "the number of different groups is 1 but must be at least 2"),
        ([None, *"ab" * 29, "a"], NonFiniteError, "groups holds NaN or infinity .first at row 0"),
        (np.r_[np.arange(59.0), np.nan], NonFiniteError, "first at row 59"),
    ],
)
def test_groups_that_are_none_are_refused(groups, error, message):
    with pytest.raises(error, match=message):
        RankRegressor(**QUICK).fit(*through_one_number(60), groups=groups)
