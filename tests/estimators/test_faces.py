"""What a fitted estimator says of its coordinates: the columns they read, and the classes along a single one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import isthmus
from estimators.data import KINDS, NAMES, QUICK, SCHEDULE, blobs, fitted_on_table, table, through_one_number
from isthmus.errors import FileFormatError
from isthmus.estimators import RankAutoencoder, RankClassifier, RankRegressor

LABELS = np.array(["mild", "none", "severe", "moderate"])  # along the spiral; sorted otherwise


def spiral(n=600, seed=0):
    """Four classes one after the other along a spiral in the plane, each overlapping with the next: t, x and label.

    Without the overlap a steep encoder may arrange the classes in any order. With it, the rows between two classes are
    of both in changing shares, and only an encoder that keeps these two side by side can give the shares.
    """
    rng = np.random.default_rng(seed)
    t = rng.uniform(0.0, 4.0, n)
    place = np.clip(np.floor(t + 0.4 * rng.standard_normal(n)), 0, 3).astype(int)
    angle = 0.5 + 1.1 * t
    return t, np.stack([angle * np.cos(angle), angle * np.sin(angle)], 1), LABELS[place]


@pytest.mark.parametrize("kind", KINDS)
def test_the_attribution_is_that_of_the_rows(kind, tmp_path):
    fitted, x = fitted_on_table(kind), table(kind)[0].to_numpy()
    found = fitted.attribution_
    assert found.input_names == tuple(NAMES)
    # finite differences of encode, in standard deviations of the columns
    step = 1e-6
    slopes = [
        (fitted.encode(pd.DataFrame(x + step * e, columns=NAMES)) - fitted.encode(pd.DataFrame(x, columns=NAMES)))
        / step
        for e in np.eye(4)
    ]
    expected = np.sqrt(np.stack([(s**2).mean(0) for s in slopes], 1)) * x.std(0)
    np.testing.assert_allclose(found.effects, expected, rtol=1e-3, atol=1e-6)
    assert "<td" in found._repr_html_()
    assert "mass" in found._repr_html_()
    fitted.save(tmp_path / "e")
    loaded = kind.load(tmp_path / "e").attribution_
    assert (loaded.input_names, loaded.effects.tolist()) == (found.input_names, found.effects.tolist())


def test_columns_without_names_are_numbered_and_an_unread_one_is_seen():
    x, y = through_one_number(160)
    fitted = RankRegressor(**QUICK).fit(np.c_[np.zeros(160), x], y)
    assert fitted.attribution_.input_names == ("x0", "x1", "x2", "x3", "x4")
    effects = fitted.attribution_.effects[0]
    assert float(effects[0]) == 0.0
    # y depends on u·x of independent columns of variance 1: the effects go with |u|
    rng = np.random.default_rng(100)
    rng.standard_normal((160, 4))
    u = np.abs(rng.standard_normal(4))
    np.testing.assert_allclose(effects[1:] / effects[1:].norm(), u / np.linalg.norm(u), atol=0.1)


def test_repeated_rows_and_rows_of_no_weight_change_no_attribution():
    x, y = through_one_number(60)
    once = RankRegressor(**QUICK).fit(x, y).attribution_.effects.tolist()
    far = np.r_[x, x[:5], np.full((3, 4), 50.0)], np.r_[y, y[:5], np.zeros((3, 2))]
    weights = np.r_[np.ones(60), np.zeros(8)]
    assert RankRegressor(**QUICK).fit(*far, sample_weight=weights).attribution_.effects.tolist() == once


def test_at_rank_0_there_is_nothing_to_attribute_or_to_order(tmp_path):
    x, _ = blobs()
    one = RankClassifier(**QUICK).fit(x, np.zeros(90))
    for fitted in (one, RankRegressor(**QUICK).fit(x, np.zeros(90)), RankAutoencoder(**QUICK).fit(np.ones((9, 2)))):
        assert fitted.attribution_ is None
    one.save(tmp_path / "e")
    loaded = RankClassifier.load(tmp_path / "e")
    assert (loaded.attribution_, loaded.class_order_, one.class_order_) == (None, None, None)


@pytest.fixture(scope="module", params=[0, 1])
def ordered(request):
    t, x, y = spiral(seed=request.param)
    settings = {
        **QUICK,
        "depth": 6,
        "width": 32,
        "schedule": replace(SCHEDULE, steps=400, evaluations=60),
        "tolerance": 0.3,
        "n_init": 3,
    }
    return RankClassifier(**settings).fit(x, y), t, x, y


def test_classes_along_a_curve_are_found_in_their_order(ordered):
    fitted, t, x, y = ordered
    assert fitted.rank_ == 1
    found = fitted.class_order_
    assert found.order in (tuple(LABELS), tuple(LABELS[::-1]))  # the direction means nothing
    assert (found.classes, found.absent) == (tuple(sorted(LABELS)), ())
    assert found.is_simple
    # two neighbours are equally probable near 1, 2 and 3 along the spiral
    z = fitted.encode(x)[:, 0]
    there = np.interp(found.edges[1:-1], np.sort(z), t[np.argsort(z)])
    np.testing.assert_allclose(np.sort(there), [1.0, 2.0, 3.0], atol=0.4)
    assert found.edges[0] == pytest.approx(z.min(), rel=1e-12)
    assert found.edges[-1] == pytest.approx(z.max(), rel=1e-12)
    medians = [np.median(z[y == label]) for label in found.order]
    assert medians == sorted(medians)


def test_the_intervals_are_where_the_classes_are_predicted(ordered, tmp_path):
    fitted, _, x, _ = ordered
    found = fitted.class_order_
    z = np.linspace(found.edges[0], found.edges[-1], 20_001)
    predicted = fitted.classes_[fitted.decode(z[:, None]).argmax(1)]
    there = np.array(found.labels)[np.searchsorted(found.edges[1:-1], z)]
    is_near = np.abs(z[:, None] - np.array(found.edges)).min(1) < 1e-9
    np.testing.assert_array_equal(predicted[~is_near], there[~is_near])
    at = np.searchsorted(found.edges[1:-1], fitted.encode(x)[:, 0])
    np.testing.assert_array_equal(np.array(found.labels)[at], fitted.predict(x))
    fitted.save(tmp_path / "e")
    assert RankClassifier.load(tmp_path / "e").class_order_ == found


def test_classes_in_a_plane_have_no_order():
    rng = np.random.default_rng(0)
    index = np.arange(400) % 4
    x = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])[index] + rng.standard_normal((400, 2))
    fitted = RankClassifier(**{**QUICK, "width": 16, "tolerance": 0.05}).fit(x, index)
    assert fitted.rank_ == 2
    assert fitted.class_order_ is None


def test_a_file_without_its_latents_is_damaged(tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    fitted_file = tmp_path / "whole"
    fitted_on_table(RankRegressor).save(fitted_file)
    with safe_open(fitted_file, "np") as file:
        metadata = file.metadata()
    tensors = load_file(fitted_file)
    del tensors["latents.effects"]
    save_file(tensors, tmp_path / "e", metadata)
    with pytest.raises(FileFormatError, match="does not fit together"):
        RankRegressor.load(tmp_path / "e")
    renamed = {**metadata, "estimator": metadata["estimator"].replace("n_features_in_", "n_features_on_")}
    save_file(load_file(fitted_file), tmp_path / "e", renamed)
    with pytest.raises(FileFormatError, match=r"does not fit together .*n_features_in_"):
        RankRegressor.load(tmp_path / "e")
    save_file(tensors, tmp_path / "e", {**metadata, "version": "1"})
    with pytest.raises(FileFormatError, match=r"its version is '1'\. Fit again, or use the isthmus that wrote it"):
        RankRegressor.load(tmp_path / "e")


def test_attribution_at_other_rows_is_one_call_away():
    fitted, x = fitted_on_table(RankRegressor), table(RankRegressor)[0].to_numpy()
    same = isthmus.attribution(fitted.factorization_, x)
    np.testing.assert_allclose(same.effects, fitted.attribution_.effects, rtol=1e-12)
