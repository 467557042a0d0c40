"""Hyperparameters that built-in data carry."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from isthmus.data import dataset_from_arrays, load_dataset

X = np.random.default_rng(0).standard_normal((60, 3))


def test_the_teacher_carries_the_setting_of_the_paper():
    data = load_dataset("teacher")
    assert data.defaults == {"depth": 13, "width": 100, "ridge": 0.05}
    y = data.y[data.split.train].astype(float)
    constant = np.square(y - y.mean(0)).sum(1).mean()
    assert data.defaults["ridge"] == pytest.approx(constant / 1000, rel=1e-5)
    assert load_dataset("teacher:d_out=7").defaults["ridge"] == 0.007
    assert load_dataset("teacher:d=20,d_out=50", test=0).defaults == data.defaults


@pytest.mark.parametrize("load", [lambda: load_dataset("curve"), lambda: load_dataset("inverted-s"),
                                  lambda: dataset_from_arrays(X)])  # fmt: skip
def test_other_data_carry_none(load):
    assert load().defaults == {}


def test_defaults_cannot_be_changed_and_travel_to_other_processes():
    given = {"depth": 3}
    data = replace(dataset_from_arrays(X), defaults=given)
    given["depth"] = 4
    assert data.defaults == {"depth": 3}
    with pytest.raises(TypeError, match="item assignment"):
        data.defaults["depth"] = 5
    again = pickle.loads(pickle.dumps(data))  # noqa: S301
    assert again.defaults == {"depth": 3}
    assert np.array_equal(again.x, X)
    assert repr(data.defaults) == "Defaults({'depth': 3})"
