"""What Ctrl-C leaves of a selection: nothing, or an answer that says what is missing."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import isthmus
from cases import random_layers
from isthmus.data.sample import Sample
from isthmus.networks import RELU
from isthmus.selection import SelectionConfig
from isthmus.selection.folds import folds_of
from isthmus.selection.isomap_start import isomap_start
from isthmus.selection.procedure import seed_from
from selection.quick import QUICK, SCHEDULE, Interrupt, corners, curve, selected


@pytest.mark.parametrize("at", [0.0, 0.09, 0.4, 0.47])
def test_before_a_fold_is_done_nothing_is_known(at):
    x, y = curve()
    with pytest.raises(KeyboardInterrupt):
        selected(x, y, report=Interrupt(at))


@pytest.mark.parametrize(("at", "folds"), [(0.52, 1), (0.64, 1), (0.7, 2), (0.82, 2)])
def test_once_a_fold_is_done_what_is_missing_is_said(at, folds):
    x, y = curve()
    found = selected(x, y, report=Interrupt(at))
    assert found.not_done == (f"{3 - folds} of 3 folds",)
    assert (found.evidence.folds, found.evidence.rows) == (folds, 20 * folds)
    assert found.verdict.level != "rely"
    assert found.rank == 1
    assert found.predict(torch.tensor(x)).shape == (60, 2)
    assert asdict(found.evidence) == asdict(selected(x, y, config=replace(QUICK, max_folds=folds)).evidence)


def test_without_the_network_of_all_rows_that_of_the_first_fold_takes_its_place():
    x, y = curve()
    found = selected(x, y)
    cut = selected(x, y, report=Interrupt(0.9))
    assert cut.not_done == ("the network of all rows, whose place that of the first fold takes",)
    assert asdict(cut.evidence) == asdict(found.evidence)
    assert (cut.probabilities, cut.rank) == (found.probabilities, found.rank)
    assert "Not finished: without the network of all rows" in cut.verdict.sentence
    first = folds_of(Sample.merged(x, y, np.ones(60), "regression"), 3, seed_from(0))[0][0]
    assert len(cut.network.objective.sample()[0]) == len(first) == 40


def test_without_networks_of_halves_the_rank_of_classes_is_not_finished():
    x, classes = corners()
    found = selected(x, classes, task="classification", report=Interrupt(0.98))
    assert found.not_done == ("networks of two halves of the rows, whose slopes are not weighed",)
    assert found.evidence.shared_slopes == (0.0,) * len(found.evidence.errors)
    assert len(found.network.objective.sample()[0]) == 60
    whole = selected(x, classes, task="classification")
    assert whole.not_done == ()
    assert whole.evidence.shared_slopes[0] == 1.0
    assert whole.evidence.shared_slopes[1] > 0.0


def test_the_fraction_done_rises_to_one():
    x, y = curve()
    report = Interrupt(2.0)
    selected(x, y, config=SelectionConfig(width=8, schedule=SCHEDULE), report=report)
    assert report.told == sorted(report.told)
    assert report.told[0] >= 0.0
    assert report.told[-1] == pytest.approx(1.0)


def test_ctrl_c_within_the_start_by_isomap_is_not_swallowed(monkeypatch):
    def interrupted(*rows, **settings):
        return replace(isthmus.fit(*rows, **settings), stopped="interrupted")

    monkeypatch.setattr("isthmus.selection.isomap_start.fit", interrupted)
    network = random_layers((2, 5, 5, 3), RELU, seed=0)
    rows = torch.randn(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with pytest.raises(KeyboardInterrupt):
        isomap_start(network, rows, 1, ridge=1e-3)
