"""A selection of wide rows is that of the coordinates they span, told of the columns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.data import Sample
from isthmus.selection import SelectionConfig, select_rank, select_rank_of
from isthmus.selection.spanned_sample import SpannedSample
from selection.quick import SCHEDULE

CONFIG = SelectionConfig(depth=3, ridge=0.01, width=12, schedule=SCHEDULE)


def wide(task, n=70, columns=90, seed=0):
    """Rows in more columns than rows, through one number."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-1.0, 1.0, n)
    x = np.outer(t, rng.standard_normal(columns)) + 0.02 * rng.standard_normal((n, columns))
    if task == "classification":
        return x, (t > 0.0).astype(np.int64)
    if task == "autoencoder":
        return x, None
    y = np.stack([np.abs(t), t], 1)
    return x, y @ rng.standard_normal((2, columns)) if task == "wide outputs" else y


@pytest.mark.parametrize("task", ["regression", "wide outputs", "classification", "autoencoder"])
@pytest.mark.parametrize("scaling", ["columns", "global"])
def test_all_that_is_told_is_of_the_columns(task, scaling):
    x, y = wide(task)
    kind = "regression" if task == "wide outputs" else task
    config = SelectionConfig(depth=3, ridge=0.01, width=12, schedule=SCHEDULE, standardize=scaling)
    found = select_rank(x, y, task=kind, config=config, cv=3)
    assert found.rank == 1 or (task, scaling) == (
        "autoencoder",
        "columns",
    )  # where faint columns are as large as others
    network, rows = found.network, torch.from_numpy(x)
    assert network.network.d_in == 90
    # The network, the objective it was trained on and the two halves agree, in the units of the columns.
    objective = network.objective
    np.testing.assert_allclose(objective.value(network.network), network.value, rtol=1e-4)
    outputs = network(rows.double())
    z = found.encode(rows)
    assert z.shape == (70, found.rank)
    np.testing.assert_allclose(z.var(0, correction=0).numpy(), 1.0, rtol=1e-3)
    halves = found.decode(z)
    assert halves.shape == outputs.shape
    assert float((halves - outputs).norm() / (outputs - outputs.mean(0)).norm()) < 0.2
    if y is not None and kind == "regression":
        np.testing.assert_allclose(found.constant.numpy(), y.mean(0), atol=1e-6)
    # Nothing is read outside the span.
    outside = torch.linalg.svd(network.inputs.forward(rows))[2][-5:].sum(0) * network.inputs.scale
    assert float((found.encode(rows + outside) - z).abs().max()) < 1e-4


def test_it_is_the_selection_of_the_coordinates():
    x, y = wide("regression")
    inside = SpannedSample.of(Sample.merged(x, y, np.ones(70), "regression"), "columns")
    assert inside.sample.x.shape == (70, 69)
    np.testing.assert_allclose(inside.sample.y.std(0), 1.0)
    np.testing.assert_allclose(inside.sample.x @ inside.sample.x.T, _gram(inside.whole.x), atol=1e-6)
    config = SelectionConfig(depth=3, ridge=0.01, width=12, schedule=SCHEDULE, standardize="none")
    parts = np.arange(70) % 3
    ours = select_rank_of(inside.whole, replace(CONFIG, standardize="columns"), cv=parts, seed=0)
    theirs = select_rank_of(inside.sample, config, cv=parts, seed=0)
    assert ours.evidence == theirs.evidence
    assert (ours.rank, ours.interval) == (theirs.rank, theirs.interval)


def _gram(rows):
    standard = (rows - rows.mean(0)) / rows.std(0)
    return standard @ standard.T


@pytest.mark.parametrize("columns", [3, 63])
def test_narrow_rows_stay_as_they_are(columns):
    x, y = wide("regression", n=30, columns=columns)
    assert SpannedSample.of(Sample.merged(x, y, np.ones(30), "regression"), "columns") is None
