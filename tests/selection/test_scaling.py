"""One scale for all columns or one for each."""

import re

import numpy as np
import pytest

from isthmus.data import Sample
from isthmus.data.splitting import Parts
from isthmus.foundation.progress import silent
from isthmus.selection import SelectionCache, SelectionConfig, select_rank
from isthmus.selection.folds import folds_of
from isthmus.selection.scaling import select_scaling
from selection.quick import SCHEDULE, curve

CONFIG = SelectionConfig(depth=3, ridge=1e-3, width=12, schedule=SCHEDULE)


def scaled(x, y, task="regression", **config):
    sample = Sample.merged(x, x if y is None else y, np.ones(len(x)), task)
    folds = folds_of(sample, 3, 0)
    asked = SelectionConfig(depth=3, ridge=1e-3, width=12, schedule=SCHEDULE, **config)
    return select_scaling(sample, folds, asked, seed=0, cache=SelectionCache(), report=silent)


def in_a_common_unit(n=150):
    """Three columns say all, and forty are the noise of a sensor."""
    rng = np.random.default_rng(3)
    signal = rng.standard_normal((n, 3))
    x = np.hstack([signal, 0.01 * rng.standard_normal((n, 40))])
    return x, np.stack([signal[:, 0] * signal[:, 1], np.abs(signal[:, 2])], 1)


def in_units_of_their_own(n=150):
    """Of two columns that say all, the other's unit is a thousand times as large."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((n, 4))
    y = np.stack([np.abs(x[:, 0]), x[:, 1] + np.abs(x[:, 0])], 1)
    return x * [1e-3, 1.0, 1.0, 1.0], y


def test_faint_columns_of_noise_are_not_blown_up():
    found = scaled(*in_a_common_unit())
    assert found.scaling == "global"
    assert found.config.standardize == "global"
    said = r"One scale for all columns predicts held-out rows better than one each: \d+% less error, ± \d+%\."
    assert re.fullmatch(said, found.reason)


def test_a_small_unit_does_not_hide_a_column():
    found = scaled(*in_units_of_their_own())
    assert found.scaling == "columns"
    assert "does not predict held-out rows better" in found.reason


@pytest.mark.parametrize("task", ["regression", "classification", "autoencoder"])
def test_columns_that_are_alike_are_not_tried_twice(task):
    x, y = curve(90)
    y = (y[:, 0] > 0.5).astype(np.int64) if task == "classification" else None if task == "autoencoder" else y
    found = scaled(x, y, task)
    assert (found.scaling, found.reason, len(found.networks)) == ("columns", "", 0)


@pytest.mark.parametrize("asked", ["columns", "global", "none"])
def test_what_is_asked_for_is_kept(asked):
    found = scaled(*in_a_common_unit(), standardize=asked)
    assert (found.scaling, found.reason, len(found.networks)) == (asked, "", 0)


def test_the_answer_says_what_was_chosen():
    x, y = in_a_common_unit()
    found = select_rank(x, y, config=CONFIG, cv=3)
    assert found.hyperparameters.standardize == "global"
    assert "One scale for all columns predicts held-out rows better" in found.hyperparameters.reason


def test_a_class_that_the_past_has_not_met_moves_no_other_to_its_place():
    """The network of a fold has no output for it; what the others lose is as if it had never been numbered."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((160, 3)) * [1.0, 10.0, 1.0]
    labels = np.where(np.arange(160) < 130, 1 + (x[:, 0] > 0), 0)  # class 0 comes last
    parts = Parts(np.arange(160) // 40 - 1, is_forward=True)

    def chosen(classes):
        sample = Sample.merged(x, classes, np.ones(len(x)), "classification")
        folds = folds_of(sample, given_parts_of(sample, parts, x), 0)
        asked = SelectionConfig(depth=3, ridge=1e-2, width=12, schedule=SCHEDULE)
        return select_scaling(sample, folds, asked, seed=0, cache=SelectionCache(), report=silent).reason

    assert chosen(labels) == chosen(np.where(labels == 0, 3, labels) - 1) != ""


def given_parts_of(sample, parts, x):
    """The parts of the rows in the order of the sample."""
    place = {row.tobytes(): part for row, part in zip(x, parts.of_row, strict=True)}
    return Parts(np.array([place[row.tobytes()] for row in sample.x]), parts.is_forward)
