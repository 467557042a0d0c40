"""The dimension beside the rank: a circle has one direction and needs two numbers."""

import numpy as np
import pytest

from isthmus.estimators import RankAutoencoder
from isthmus.estimators.dimension import both_numbers
from isthmus.training import Schedule

SMALL = {"depth": 4, "width": 20, "schedule": Schedule(steps=200, rounds=1, evaluations=40), "cv": 3, "random_state": 0}


def circle(n, seed):
    t = 2 * np.pi * np.random.default_rng(seed).random(n)
    return np.stack([np.cos(t), np.sin(t)], 1)


@pytest.fixture(scope="module")
def of_a_circle():
    return RankAutoencoder(**SMALL).fit(circle(200, 0))


def test_a_circle_has_one_direction_and_two_numbers(of_a_circle):
    assert (of_a_circle.rank_, of_a_circle.dimension_) == (2, 1)
    assert of_a_circle.dimension_interval_ == (1, 1)
    assert of_a_circle.dimension_shares_[1] > 0.9
    said = of_a_circle.explain_dimension(circle(200, 0))
    assert "vary in 1 direction near each point, but 2 numbers were needed" in said
    assert "closed curve" in said
    assert "do not tell which" in said


def test_an_open_curve_has_one_of_each():
    t = np.random.default_rng(0).random(200)
    x = np.stack([t, t**2], 1)
    fitted = RankAutoencoder(**SMALL).fit(x)
    assert fitted.rank_ == fitted.dimension_ == 1
    assert "1 number reconstructs" in fitted.explain_dimension(x)


def test_noise_that_the_bottleneck_stops_is_no_dimension():
    rng = np.random.default_rng(0)
    frame = np.linalg.qr(rng.standard_normal((10, 2)))[0]
    x = circle(400, 0) @ frame.T + 0.02 * rng.standard_normal((400, 10))
    fitted = RankAutoencoder(standardize="global", **SMALL).fit(x)
    assert (fitted.rank_, fitted.dimension_) == (2, 1)


def test_it_is_saved(of_a_circle, tmp_path):
    of_a_circle.save(tmp_path / "e")
    loaded = RankAutoencoder.load(tmp_path / "e")
    for name in ("dimension_", "dimension_interval_", "dimension_shares_"):
        assert getattr(loaded, name) == getattr(of_a_circle, name)
    x = circle(50, 1)
    assert loaded.explain_dimension(x) == of_a_circle.explain_dimension(x)


def test_nothing_to_reconstruct_has_no_dimension():
    x = np.ones((20, 3))
    fitted = RankAutoencoder(**SMALL).fit(x)
    assert (fitted.rank_, fitted.dimension_, fitted.dimension_interval_) == (0, 0, (0, 0))
    assert "0 numbers, 0 directions" in fitted.explain_dimension(x)


def test_rows_of_weight_zero_do_not_exist():
    rng = np.random.default_rng(0)
    cloud, weights = 0.5 * rng.random((200, 2)), np.repeat([1.0, 0.0], 200)
    fitted = RankAutoencoder(**SMALL).fit(np.concatenate([circle(200, 0), cloud]), sample_weight=weights)
    assert fitted.dimension_ == 1
    assert set(fitted.dimension_shares_) == {1}


def test_words_keep_singular_and_plural_apart():
    assert "in 2 directions near each point, but 3 numbers were needed" in both_numbers(3, 2, 0.9)
    assert "90.0% of their variance" in both_numbers(3, 2, 0.9)
    assert "2 numbers reconstruct all of them" in both_numbers(2, 2, 1.0)
