"""How λ climbs its ladder, and which depths are tried."""

import math

import numpy as np
import pytest
import torch

from isthmus.data import folded_rows
from isthmus.data.sample import Sample
from isthmus.foundation.progress import silent
from isthmus.runs import FitOptions
from isthmus.selection import hyperparameters as choosing
from isthmus.selection.hyperparameters import LADDERS, chosen, search_ridge_ladder

RUNGS = [FitOptions(ridge=float(i)) for i in range(6)]


def stopped(errors, start, much=math.inf):
    asked = []

    def error(options):
        asked.append(int(options.ridge))
        return errors[int(options.ridge)]

    return int(search_ridge_ladder(RUNGS[: len(errors)], error, start=start, much=much).ridge), sorted(set(asked))


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


@pytest.fixture
def trained(monkeypatch):
    """Networks that lose what a table says of their depth and place on the ladder; and how they were trained."""

    def install(losses):
        made = []

        class Fitted:
            def __init__(self, depth, rung):
                self.depth, self.rung = depth, rung

            def standardized(self, x, y):
                return x, torch.zeros_like(y[:, :1])

            def network(self, x):
                return torch.full((len(x), 1), math.sqrt(losses[self.depth][self.rung]), dtype=torch.float64)

        def fitted_sample(sample, options, scaling, report):
            rung = min(range(6), key=lambda at: abs(LADDERS["regression"][at] - options.ridge))
            made.append((len(sample.x), options.depth, rung))
            return Fitted(options.depth, rung)

        monkeypatch.setattr(choosing, "fitted_sample", fitted_sample)
        return made

    return install


def choice(rows, outputs, depths=None):
    rng = np.random.default_rng(100)
    y = rng.standard_normal((rows, outputs))
    y = (y - y.mean(0)) / y.std(0) / math.sqrt(outputs)  # a constant loses 1
    sample = Sample(rng.standard_normal((rows, 2)), y, np.ones(rows), "regression")
    parts = folded_rows(sample.x, None, folds=5, seed=0)
    options, fitted = chosen(sample, parts, FitOptions(), "none", depths=depths, ridges=None, report=silent)
    assert (fitted.depth, LADDERS["regression"][fitted.rung]) == (options.depth, pytest.approx(options.ridge))
    return options.depth, fitted.rung


DEEP, BAD = [0.4, 0.3, 0.39, 0.5, 0.6, 1.0], [0.9, 0.8, 0.85, 1.0, 1.0, 1.0]


def test_of_one_output_a_network_of_depth_two_is_tried_too(trained):
    made = trained({6: DEEP, 2: [0.9, 0.5, 0.4, 0.29, 0.28, 0.8]})
    assert choice(200, 1) == (2, 4)
    assert {rows for rows, *_ in made} == {160}  # the first fold judges
    trained({6: DEEP, 2: [0.9, 0.5, 0.4, 0.35, 0.31, 0.8]})
    assert choice(200, 1) == (6, 1)


def test_of_one_output_the_best_rung_is_taken_and_of_several_a_smaller_one_that_is_nearly_as_good(trained):
    nearly = [0.9, 0.31, 0.3, 0.4, 0.5, 1.0]
    trained({6: nearly, 2: [1.0] * 6})
    assert choice(200, 1) == (6, 2)
    assert choice(200, 2) == (6, 1)


def test_of_several_outputs_depth_three_is_tried_where_a_deep_network_predicts_less_than_half(trained):
    made = trained({6: DEEP, 3: [0.1] * 6})
    assert choice(200, 2) == (6, 1)
    assert {depth for _, depth, _ in made} == {6}
    trained({6: BAD, 3: [0.9, 0.8, 0.7, 0.6, 0.75, 1.0]})
    assert choice(200, 2) == (3, 3)


@pytest.mark.parametrize(("outputs", "depth"), [(1, 2), (2, 3)])
def test_few_rows_are_fitted_by_shallow_networks_that_all_folds_judge(trained, outputs, depth):
    made = trained({depth: [0.9, 0.5, 0.4, 0.3, 0.35, 0.8]})
    assert choice(99, outputs) == (depth, 3)
    assert len([True for _, _, rung in made if rung == 3]) == 5
    assert {rows for rows, *_ in made} <= {79, 80}


def test_a_depth_that_is_asked_for_is_kept(trained):
    made = trained({4: BAD})
    assert choice(50, 1, depths=(4,))[0] == 4
    assert {depth for _, depth, _ in made} == {4}
