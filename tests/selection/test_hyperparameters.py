"""How λ climbs its ladder, and which depths are tried."""

import math

import numpy as np
import pytest
import torch

from isthmus.data import folded_rows
from isthmus.data.sample import Sample
from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.foundation.progress import silent
from isthmus.selection.config import SelectionConfig
from isthmus.selection.hyperparameters import (
    LADDERS,
    Hyperparameters,
    descent_ridge,
    is_calibrated,
    search_ridge_ladder,
    select_hyperparameters,
)

RUNGS = [(6, float(i)) for i in range(6)]


def stopped(errors, start, much=math.inf):
    asked = []

    def error(rung):
        asked.append(int(rung[1]))
        return errors[int(rung[1])]

    return int(search_ridge_ladder(RUNGS[: len(errors)], error, start=start, much=much)[1]), sorted(set(asked))


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


def rung_of(ridge):
    return min(range(6), key=lambda at: abs(LADDERS["regression"][at] - ridge))


class Fitted:
    """A network that loses at every row what it is told to."""

    def __init__(self, loss):
        self.loss = loss
        self.objective = self
        self.likelihood = GAUSSIAN

    def standardized(self, x, y):
        return x, torch.zeros_like(y[:, :1])

    def network(self, x):
        return torch.full((len(x), 1), math.sqrt(self.loss), dtype=torch.float64)


class Trained:
    """Networks that lose what a table says of their depth and place on the ladder; and which were asked for."""

    def __init__(self, losses):
        self.losses, self.made = losses, []

    def __len__(self):
        return len(self.made)

    def network(self, fold, depth, ridge, report):
        self.made.append((fold, depth, rung_of(ridge)))
        return Fitted(self.losses[depth][rung_of(ridge)])


def choice(losses, rows, outputs, **config):
    """What is chosen where the losses are these, its rung, and the networks that were asked for."""
    rng = np.random.default_rng(100)
    y = rng.standard_normal((rows, outputs))
    y = (y - y.mean(0)) / y.std(0) / math.sqrt(outputs)  # a constant loses 1
    sample = Sample(rng.standard_normal((rows, 2)), y, np.ones(rows), "regression")
    parts, trained = folded_rows(sample.x, None, folds=5, seed=0), Trained(losses)
    config = SelectionConfig(standardize="none", **config)
    found = select_hyperparameters(sample, parts, config, trained, silent)
    assert found.ridge_share == pytest.approx(found.ridge, rel=1e-9)
    tried = [
        (trial.depth, pytest.approx(losses[trial.depth][rung_of(trial.ridge)], rel=1e-9)) for trial in found.trials
    ]
    assert [(trial.depth, trial.error) for trial in found.trials] == tried
    return found, rung_of(found.ridge), trained.made


DEEP, BAD = [0.4, 0.3, 0.39, 0.5, 0.6, 1.0], [0.9, 0.8, 0.85, 1.0, 1.0, 1.0]


def test_of_one_output_a_network_of_depth_two_is_tried_too():
    found, rung, made = choice({6: DEEP, 2: [0.9, 0.5, 0.4, 0.29, 0.28, 0.8]}, 200, 1)
    assert (found.depth, rung) == (2, 4)
    assert {fold for fold, *_ in made} == {0}  # the first fold judges
    found, rung, _ = choice({6: DEEP, 2: [0.9, 0.5, 0.4, 0.35, 0.31, 0.8]}, 200, 1)
    assert (found.depth, rung) == (6, 1)


def test_of_one_output_the_best_rung_is_taken_and_of_several_a_smaller_one_that_is_nearly_as_good():
    nearly = {6: [0.9, 0.31, 0.3, 0.4, 0.5, 1.0], 2: [1.0] * 6}
    assert choice(nearly, 200, 1)[1] == 2
    assert choice(nearly, 200, 2)[1] == 1


def test_of_several_outputs_depth_three_is_tried_where_a_deep_network_predicts_less_than_half():
    found, rung, made = choice({6: DEEP, 3: [0.1] * 6}, 200, 2)
    assert (found.depth, rung) == (6, 1)
    assert {depth for _, depth, _ in made} == {6}
    found, rung, _ = choice({6: BAD, 3: [0.9, 0.8, 0.7, 0.6, 0.75, 1.0]}, 200, 2)
    assert (found.depth, rung) == (3, 3)


@pytest.mark.parametrize(("outputs", "depth"), [(1, 2), (2, 3)])
def test_few_rows_are_fitted_by_shallow_networks_that_all_folds_judge(outputs, depth):
    found, rung, made = choice({depth: [0.9, 0.5, 0.4, 0.3, 0.35, 0.8]}, 99, outputs)
    assert (found.depth, rung) == (depth, 3)
    assert [fold for fold, _, rung in made if rung == 3] == [0, 1, 2, 3, 4]
    assert " 99 held-out rows " in found.reason


def test_a_depth_that_is_asked_for_is_kept():
    found, _, made = choice({4: BAD}, 50, 1, depth=4)
    assert found.depth == 4
    assert {depth for _, depth, _ in made} == {4}


def test_of_depths_and_ridges_that_are_asked_for_the_best_is_taken_and_each_network_trained_once():
    losses = {4: [0.5, 0.4, 0.3, 0.6, 0.6, 0.6], 5: [0.5, 0.28, 0.45, 0.6, 0.6, 0.6]}
    found, rung, made = choice(losses, 200, 2, depth=[4, 5], ridge=[1e-3, 3e-3, 1e-2])
    assert (found.depth, rung) == (5, 1)
    assert sorted(made) == [(0, depth, rung) for depth in (4, 5) for rung in (0, 1, 2)]
    assert found.reason == (
        "Of 6 networks of depths 4, 5, depth 5 and λ = 0.003 predict 40 held-out rows best, or nearly so with a "
        "smaller λ."
    )


def test_what_is_given_needs_no_judging():
    found, _, made = choice({4: BAD}, 200, 2, depth=4, ridge=1e-2)
    assert (found.trials, found.reason.partition(":")[0]) == ((), "There was one depth and one λ to take")
    assert made == []


def test_held_out_rows_count_as_much_as_they_weigh():
    """A mean over parts of unequal weight is one over their rows."""
    x, y = np.arange(8.0)[:, None], np.arange(8.0)[:, None] * [[1.0, -1.0]]
    weights = np.array([1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0])
    sample = Sample(x, y, weights, "regression")
    parts = [(np.delete(np.arange(8), held), np.array(held)) for held in ([0, 1], [2, 3], [4, 5, 6, 7])]

    class OfRow(Fitted):
        def network(self, x):
            return x.sqrt()  # loses x

    class Trained:
        def __len__(self):
            return 0

        def network(self, fold, depth, ridge, report):
            return OfRow(0.0)

    config = SelectionConfig(depth=[2, 3], ridge=0.1)
    found = select_hyperparameters(sample, parts, config, Trained(), silent)
    assert [trial.error for trial in found.trials] == [pytest.approx(np.average(x[:, 0], weights=weights))] * 2


@pytest.mark.parametrize(
    ("ridge", "expected"), [(None, 3e-3 * 0.25), (0.7, 0.7), ([5.0, 1.0], 1.0), ([5.0, 1.0, 2.0], 2.0)]
)
def test_networks_descend_where_the_ladder_begins_or_at_the_middle_of_what_is_asked_for(ridge, expected):
    x, y = np.arange(8.0)[:, None], np.tile([0.0, 1.0], 4)[:, None]  # a constant loses 1/4
    sample = Sample(x, y, np.ones(8), "regression")
    config = SelectionConfig(ridge=ridge, standardize="none")
    assert descent_ridge(sample, config) == pytest.approx(expected, rel=1e-12)


DEPTHS_WEIGHED = {"regression": {2, 3, 6}, "classification": {3}, "autoencoder": {6}}
SHARES_WEIGHED = {"regression": (1e-3, 0.3), "classification": (2e-3, 0.2), "autoencoder": (3e-3, 0.3)}


@pytest.mark.parametrize("task", DEPTHS_WEIGHED)
def test_the_evidence_is_weighed_at_the_depths_and_ridges_of_the_ladders(task):
    def holds(depth, share, **config):
        return is_calibrated(Hyperparameters(depth, 99.0, share, "", ()), SelectionConfig(**config), task)

    assert {depth for depth in range(1, 20) if holds(depth, 0.01)} == DEPTHS_WEIGHED[task]
    depth, (least, most) = max(DEPTHS_WEIGHED[task]), SHARES_WEIGHED[task]
    assert [holds(depth, share) for share in (0.99 * least, least, most, 1.01 * most)] == [False, True, True, False]
    assert holds(depth, 0.01, tolerance=0.1)
    assert not holds(depth, 0.01, tolerance=0.05)


def test_the_evidence_of_outputs_is_weighed_at_the_papers_setting_too():
    def holds(depth, share, task="regression", **config):
        return is_calibrated(Hyperparameters(depth, 99.0, share, "", ()), SelectionConfig(**config), task)

    shares = [0.97e-3, 0.995e-3, 1e-3, 1.005e-3, 1.03e-3]
    assert [holds(13, share) for share in shares] == [False, True, True, True, False]
    assert not holds(12, 1e-3)
    assert not holds(13, 1e-3, tolerance=0.05)
    assert not holds(13, 1e-3, "autoencoder")
    assert not holds(13, 1e-3, "classification")
