"""How λ climbs its ladder, which depths are tried, and where the evidence was weighed."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isthmus.data import Sample, folded_rows
from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.foundation.progress import silent
from isthmus.selection import Hyperparameters, SelectionConfig
from isthmus.selection.hyperparameters import LADDERS, is_calibrated, search_ridge_ladder, select_hyperparameters
from isthmus.training import TrainingConfig

RUNGS = [TrainingConfig(ridge=float(i)) for i in range(6)]


def stopped(errors, start, much=math.inf):
    asked = []

    def error(config):
        asked.append(int(config.ridge))
        return errors[int(config.ridge)]

    found = search_ridge_ladder(RUNGS[: len(errors)], error, start=start, much=much)
    return int(found.ridge), sorted(set(asked))


@pytest.mark.parametrize(
    ("errors", "start", "rung", "asked"),
    [
        ([9.0, 5.0, 4.0, 3.0, 8.0, 1.0], 1, 3, [1, 2, 3, 4]),  # up to the first rise
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 0, [0, 1, 2, 3, 4]),  # down to the end
        ([9.0, 4.1, 4.0, 9.0, 9.0, 9.0], 2, 1, [0, 1, 2, 3]),  # a smaller λ that is nearly as good
        ([9.0, 4.3, 4.0, 9.0, 9.0, 9.0], 2, 2, [1, 2, 3]),  # not as good
        ([4.0, 9.0, 3.9, 9.0, 9.0, 9.0], 2, 2, [1, 2, 3]),  # nothing is jumped over
        ([5.0], 0, 0, []),
    ],
)
def test_up_then_down_then_a_little_further_down(errors, start, rung, asked):
    assert stopped(errors, start) == (rung, asked)


def test_where_the_error_is_large_every_rung_is_tried():
    errors = [0.957, 1.069, 0.789, 0.964, 0.775, 0.42]  # of a noisy table: two valleys
    assert stopped(errors, 1) == (2, [1, 2, 3])
    assert stopped(errors, 1, much=0.5) == (5, [0, 1, 2, 3, 4, 5])
    assert stopped(errors, 1, much=0.8) == (2, [1, 2, 3])


class Trained:
    """In place of a cache: networks that lose what a table says of their depth and place on the ladder.

    Attributes:
        made: Rows, depth and rung of each.
    """

    def __init__(self, losses):
        self.losses, self.made = losses, []

    def network(self, name, sample, config, seed, report):
        rung = min(range(6), key=lambda at: abs(LADDERS["regression"][at] - config.ridge))
        self.made.append((len(sample.x), config.depth, rung))
        outputs = math.sqrt(self.losses[config.depth][rung])
        return SimpleNamespace(
            depth=config.depth,
            rung=rung,
            objective=SimpleNamespace(likelihood=GAUSSIAN),
            standardized=lambda x, y: (x, torch.zeros_like(y[:, :1])),
            network=lambda x: torch.full((len(x), 1), outputs, dtype=torch.float64),
        )


def sample_of(rows, outputs):
    """Outputs of which a constant loses 1."""
    rng = np.random.default_rng(100)
    y = rng.standard_normal((rows, outputs))
    y = (y - y.mean(0)) / y.std(0) / math.sqrt(outputs)
    return Sample(rng.standard_normal((rows, 2)), y, np.ones(rows), "regression")


def chosen(trained, rows, outputs, **options):
    sample = sample_of(rows, outputs)
    folds = folded_rows(sample.x, None, folds=5, seed=0)
    config = SelectionConfig(standardize="none", **options)
    found, fitted = select_hyperparameters(sample, folds, config, 0, trained, silent)
    assert (fitted.depth, LADDERS["regression"][fitted.rung]) == (found.depth, pytest.approx(found.ridge))
    assert found.ridge_share == pytest.approx(found.ridge)
    return found, fitted


def choice(trained, rows, outputs, **options):
    _, fitted = chosen(trained, rows, outputs, **options)
    return fitted.depth, fitted.rung


DEEP, BAD = [0.4, 0.3, 0.39, 0.5, 0.6, 1.0], [0.9, 0.8, 0.85, 1.0, 1.0, 1.0]


def test_of_one_output_a_network_of_depth_two_is_tried_too():
    trained = Trained({6: DEEP, 2: [0.9, 0.5, 0.4, 0.29, 0.28, 0.8]})
    assert choice(trained, 200, 1) == (2, 4)
    assert {rows for rows, *_ in trained.made} == {160}  # the first fold judges
    assert choice(Trained({6: DEEP, 2: [0.9, 0.5, 0.4, 0.35, 0.31, 0.8]}), 200, 1) == (6, 1)


def test_of_one_output_the_best_rung_is_taken_and_of_several_a_smaller_one_that_is_nearly_as_good():
    nearly = [0.9, 0.31, 0.3, 0.4, 0.5, 1.0]
    assert choice(Trained({6: nearly, 2: [1.0] * 6}), 200, 1) == (6, 2)
    assert choice(Trained({6: nearly, 2: [1.0] * 6}), 200, 2) == (6, 1)


def test_of_several_outputs_depth_three_is_tried_where_a_deep_network_predicts_less_than_half():
    trained = Trained({6: DEEP, 3: [0.1] * 6})
    assert choice(trained, 200, 2) == (6, 1)
    assert {depth for _, depth, _ in trained.made} == {6}
    assert choice(Trained({6: BAD, 3: [0.9, 0.8, 0.7, 0.6, 0.75, 1.0]}), 200, 2) == (3, 3)


@pytest.mark.parametrize(("outputs", "depth"), [(1, 2), (2, 3)])
def test_few_rows_are_fitted_by_shallow_networks_that_all_folds_judge(outputs, depth):
    trained = Trained({depth: [0.9, 0.5, 0.4, 0.3, 0.35, 0.8]})
    assert choice(trained, 99, outputs) == (depth, 3)
    assert len([True for _, _, rung in trained.made if rung == 3]) == 5
    assert {rows for rows, *_ in trained.made} <= {79, 80}


def test_a_depth_that_is_asked_for_is_kept():
    trained = Trained({4: BAD})
    assert choice(trained, 50, 1, depth=4)[0] == 4
    assert {depth for _, depth, _ in trained.made} == {4}


def test_of_depths_and_ridges_that_are_asked_for_the_best_pair_is_taken():
    trained = Trained({3: [9.0, 0.5, 9.0, 0.4, 9.0, 9.0], 4: [9.0, 0.3, 9.0, 0.6, 9.0, 9.0]})
    assert choice(trained, 200, 2, depth=[3, 4], ridge=[3e-3, 3e-2]) == (4, 1)
    assert [(depth, rung) for _, depth, rung in trained.made] == [(3, 1), (3, 3), (4, 1), (4, 3)]


def test_what_is_given_is_not_tried():
    trained = Trained({4: BAD})
    found, _ = chosen(trained, 200, 2, depth=4, ridge=1e-2)
    assert found.trials == ()
    assert found.reason == "Depth and λ were given."
    assert len(trained.made) == 1  # the network of the first fold


def test_the_reason_counts_what_was_tried():
    found, _ = chosen(Trained({6: DEEP, 2: [0.9, 0.5, 0.4, 0.29, 0.28, 0.8]}), 200, 1)
    assert (
        f"Of {len(found.trials)} networks of depths 2, 6, depth 2 and λ = 0.1 predict 40 held-out rows" in found.reason
    )
    assert min(found.trials, key=lambda trial: trial.error).depth == 2


@pytest.mark.parametrize(
    ("task", "depth", "share", "expected"),
    [
        ("regression", 6, 1e-3, True),
        ("regression", 2, 3e-1, True),
        ("regression", 4, 1e-2, False),
        ("regression", 6, 9e-4, False),
        ("regression", 6, 0.4, False),
        ("classification", 3, 2e-3, True),
        ("classification", 6, 2e-3, False),
        ("autoencoder", 6, 3e-3, True),
        ("autoencoder", 6, 0.4, False),
    ],
)
def test_evidence_was_weighed_at_the_depths_and_ridges_of_the_ladders(task, depth, share, expected):
    found = Hyperparameters(depth, 1.0, share, "", ())
    assert is_calibrated(found, SelectionConfig(), task) == expected
    assert not is_calibrated(found, SelectionConfig(tolerance=0.2), task)
