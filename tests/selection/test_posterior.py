"""How what speaks for and against each k is weighed, on tables made by hand."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch

from isthmus.foundation.task import TASKS
from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.features import FEATURES
from isthmus.selection.independence_test import constant_probability
from isthmus.selection.posterior import posterior, sufficient_probabilities, weights, weights_for
from selection.tables import EXCESS, LABEL_SCORES, LINEAR, REDUNDANCIES, TENTH, averages


def test_there_is_a_weight_for_each_feature():
    kinds = (*TASKS, "classification without lines")
    assert [len(weights()[kind]) for kind in kinds] == [len(FEATURES)] * 4


def test_lines_are_asked_of_residuals_of_outputs_of_classes_and_not_of_copies():
    of_lines = {
        task: {name for name, each in zip(FEATURES, weights()[task], strict=True) if each and "line" in name}
        for task in TASKS
    }
    assert of_lines["regression"] == {"residual_line"}
    assert of_lines["classification"] == {"linear", "next_linear"}
    assert of_lines["autoencoder"] == set()
    for name in ("slope_drop", "score_share"):
        assert [task for task in TASKS if weights()[task][FEATURES.index(name)]] == ["classification"]


def test_lines_of_classes_that_need_all_directions_say_nothing():
    all_of_them = CanonicalCorrelations(LINEAR.correlations, torch.tensor([50.0, 20.0, 9.0, -2.0]).double())
    for task in TASKS:
        seen = averages(linear=all_of_them)
        kind = "classification without lines" if task == "classification" else task
        assert weights_for(seen, task) == weights()[kind]
        assert weights_for(averages(), task) == weights()[task]


@pytest.fixture
def weighed(monkeypatch):
    return partial(weighed_by, monkeypatch)


def weighed_by(monkeypatch, excess, deviations, agreement=8.0):
    excess, deviations = (torch.tensor(values, dtype=torch.float64) for values in (excess, deviations))
    own = {"loss": -1.0, "redundancy": 2.0}
    monkeypatch.setitem(weights(), "regression", [own.get(name, 0.0) for name in FEATURES])
    finds_nothing = CanonicalCorrelations(LINEAR.correlations, torch.tensor([0.0, *LINEAR.significance[1:]]))
    seen = averages(excess, deviations, linear=finds_nothing, agreement=agreement)
    return sufficient_probabilities(seen, "regression", TENTH)


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
    assert sufficient_probabilities(much, "classification", TENTH)[1] > 0.0
    assert sufficient_probabilities(much, "regression", Tolerance(0.6))[1] > 0.0


def test_a_constant_is_enough_as_far_as_agreement_and_lines_are_chance(weighed):
    assert weighed([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 1.0], agreement=0.0)[0] == 1.0
    agreed = weighed([0.2, 0.1, 0.05, 0.0], [1.0, 1.0, 1.0, 0.0], agreement=2.5)[0]
    assert agreed == pytest.approx(constant_probability(2.5, 1.0))
    linear = replace(LINEAR, chance=0.02)
    for task in TASKS:
        enough = sufficient_probabilities(averages(linear=linear, agreement=0.0), task, TENTH)
        assert float(enough[0]) == pytest.approx(constant_probability(0.0, 0.02))
        assert 0.1 < float(enough[0]) < 0.5


def test_the_smallest_that_is_enough_has_the_probability_that_fewer_are_not():
    enough = torch.tensor([0.0, 0.2, 0.5, 1.0])
    assert posterior(enough).tolist() == pytest.approx([0.0, 0.2, 0.4, 0.4])
    assert posterior(torch.tensor([1.0, 0.5, 1.0])).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_more_against_k_makes_it_less_probable(kind):
    def enough(**changes):
        return float(sufficient_probabilities(averages(**changes), kind, TENTH)[2])

    worse, bent, spoken = EXCESS.clone(), REDUNDANCIES.clone(), LABEL_SCORES.clone()
    worse[2], bent[2], spoken[2] = 9.0, 0.99, 6.0
    assert enough(excess=worse) < enough()
    assert (enough(redundancies=bent) > enough()) is (kind == "regression")
    assert (enough(label_scores=spoken) < enough()) is (kind == "classification")


def test_what_lines_see_in_residuals_counts_for_outputs_alone():
    seen = torch.tensor([9.0, 4.0, 2.0, 0.0], dtype=torch.float64)
    for task in TASKS:
        more, less = (
            sufficient_probabilities(averages(residual_lines=each), task, TENTH) for each in (seen, 0.0 * seen)
        )
        assert (float(more[2]) < float(less[2])) is (task == "regression")
        assert torch.equal(more, less) is (task != "regression")
