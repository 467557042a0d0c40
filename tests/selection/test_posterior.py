"""How what speaks for and against each k is weighed, on tables made by hand."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.features import FEATURES
from isthmus.selection.independence_test import CLASS_VARIANCE, constant_probability
from isthmus.selection.posterior import posterior, sufficient_probabilities, weights
from selection.tables import EXCESS, LINEAR, OBJECTIVES, REDUNDANCIES, TENTH, averages


def test_there_is_a_weight_for_each_feature():
    found = [weights()[kind][name] for kind in ("regression", "classification") for name in ("own", "linear")]
    assert [len(each) for each in found] == [len(FEATURES)] * 4


@pytest.fixture
def weighed(monkeypatch):
    return partial(weighed_by, monkeypatch)


def weighed_by(monkeypatch, excess, deviations):
    excess, deviations = (torch.tensor(values, dtype=torch.float64) for values in (excess, deviations))
    monkeypatch.setitem(weights()["regression"], "own", [0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0])
    finds_nothing = CanonicalCorrelations(LINEAR.correlations, torch.tensor([0.0, *LINEAR.significance[1:]]))
    return sufficient_probabilities(averages(excess, deviations, linear=finds_nothing), "regression", 0.0, TENTH)


def test_what_is_enough_is_a_logistic_function_of_the_weighed_sum(weighed):
    enough = weighed([100.0, 9.0, 0.9, 0.0], [5.0, 1.0, 0.1, 0.0])
    assert enough[0] < 1e-3
    assert enough[1] == pytest.approx(1.0 / (1.0 + 9.1 * math.exp(-0.1)))
    assert enough[2] == pytest.approx(1.0 / (1.0 + 1.0 * math.exp(-1.6)))
    assert enough[3] == 1.0  # nothing is enough: the last


def test_of_outputs_much_that_is_left_and_no_chance_is_not_enough(weighed):
    assert weighed([100.0, 10.1, 0.9, 0.0], [5.0, 5.0, 0.1, 0.0])[1] == 0.0
    assert weighed([100.0, 10.1, 0.9, 0.0], [5.0, 5.1, 0.1, 0.0])[1] > 0.0  # chance
    assert weighed([100.0, 9.9, 0.9, 0.0], [5.0, 0.1, 0.1, 0.0])[1] > 0.0  # less than a tenth
    assert weighed([9.0, 8.0, 2.0, 0.0], [5.0, 1.0, 0.1, 0.0])[1] > 0.0  # the constant may be as good
    much = averages(*torch.tensor([[100.0, 50.0, 0.9, 0.0], [5.0, 1.0, 0.1, 0.0]], dtype=torch.float64))
    assert sufficient_probabilities(much, "classification", 0.0, TENTH)[1] > 0.0
    assert sufficient_probabilities(much, "regression", 0.0, Tolerance(0.6))[1] > 0.0


def test_a_constant_is_enough_as_far_as_its_excess_and_lines_are_chance(weighed):
    assert weighed([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 1.0])[0] == 1.0
    gained = weighed([0.2, 0.1, 0.05, 0.0], [1.0, 1.0, 1.0, 0.0])[0]  # of a squared error of 1.2 in 50 rows
    assert gained == pytest.approx(constant_probability(0.2, 1.2, 50.0, 1.0))
    zero, linear = torch.zeros(4, dtype=torch.float64), replace(LINEAR, chance=0.02)
    enough = sufficient_probabilities(averages(zero, zero, linear=linear), "regression", 0.5, TENTH)
    assert float(enough[0]) == pytest.approx(constant_probability(0.0, 1.0, 50.0, 0.02))
    assert 0.1 < float(enough[0]) < 0.5
    of_classes = sufficient_probabilities(averages(EXCESS / 1000.0), "classification", 0.0, TENTH)
    assert float(of_classes[0]) == pytest.approx(constant_probability(0.1, CLASS_VARIANCE, 50.0, LINEAR.chance))


def test_the_smallest_that_is_enough_has_the_probability_that_fewer_are_not():
    enough = torch.tensor([0.0, 0.2, 0.5, 1.0])
    assert posterior(enough).tolist() == pytest.approx([0.0, 0.2, 0.4, 0.4])
    assert posterior(torch.tensor([1.0, 0.5, 1.0])).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_more_against_k_makes_it_less_probable_and_a_bend_more(kind):
    def enough(**changes):
        return float(sufficient_probabilities(averages(**changes), kind, 0.0, TENTH)[2])

    worse, bent = EXCESS.clone(), REDUNDANCIES.clone()
    worse[2], bent[2] = 9.0, 0.99
    assert enough(excess=worse) < enough()
    assert enough(objectives=OBJECTIVES + torch.tensor([0.0, 0.0, 0.1, 0.0])) < enough()
    assert enough(redundancies=bent) > enough()


def test_what_lines_say_counts_as_far_as_they_explain(monkeypatch):
    monkeypatch.setitem(weights()["regression"], "own", [1.0, *[0.0] * 10])
    monkeypatch.setitem(weights()["regression"], "linear", [*[0.0] * 8, -1.0, 0.0, 0.0])
    without, with_lines = 1.0 / (1.0 + math.exp(-1.0)), 1.0 / (1.0 + math.exp(2.5))
    for share in (0.0, 0.25, 1.0):
        enough = sufficient_probabilities(averages(), "regression", share, TENTH)
        assert float(enough[1]) == pytest.approx(share * with_lines + (1.0 - share) * without)
