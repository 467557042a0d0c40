"""How evidence is weighed, on tables made by hand."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.posterior import (
    FEATURES,
    LINEAR_WEIGHTS,
    WEIGHTS,
    features,
    probabilities,
    sufficient_probabilities,
)

TENTH = Tolerance(0.1)
EXCESS = torch.tensor([100.0, 40.0, 0.9, 0.0], dtype=torch.float64)
OBJECTIVES = torch.tensor([1.0, 0.5, 0.11, 0.1], dtype=torch.float64)
EFFECTS = torch.tensor([1.0, 0.6, 0.02, 0.0], dtype=torch.float64)
DEPENDENCES = torch.tensor([0.0, 0.05, 0.8, 0.0], dtype=torch.float64)
LINEAR = CanonicalCorrelations(*torch.tensor([[0.9, 0.5, 0.1, 0.0], [50.0, 2.5, -0.5, -3.0]], dtype=torch.float64))
ERRORS = torch.tensor([5.0, 20.0, 0.3, 0.0], dtype=torch.float64)


def test_the_evidence_is_that_of_the_formulas():
    table = features(EXCESS, ERRORS, OBJECTIVES, EFFECTS, DEPENDENCES, LINEAR, TENTH)
    expected = np.stack(
        [
            np.ones(4),
            [math.log(s + 0.1) for s in (100.0, 40.0, 0.9, 0.0)],  # 1 % of 100 is the unit
            [4.0, 2.0, 3.0, 0.0],  # at most 4
            [math.log(s + 0.1) for s in (10.0, 6.0, 0.2, 0.0)],
            [0.0, math.log(6.1 / 10.1), math.log(0.3 / 6.1), math.log(0.1 / 0.3)],
            [math.log(s + 0.01) for s in (9.0, 4.0, 0.1, 0.0)],
            [0.0, 0.05, 0.8, 0.0],
            [0.0, 0.0, 0.05, 0.8],
            [5.0, 2.5, -0.5, -2.0],
            [2.5, -0.5, -2.0, -2.0],
            [math.log(s + 0.01) for s in (0.81, 0.25, 0.01, 0.0)],
        ],
        1,
    )
    np.testing.assert_allclose(table.numpy(), expected, atol=1e-12)
    assert table.shape[1] == len(FEATURES)
    assert {len(w) for weights in (WEIGHTS, LINEAR_WEIGHTS) for w in weights.values()} == {len(FEATURES)}


def test_the_tolerance_is_the_scale_of_losses_and_effects():
    tenth = features(EXCESS, ERRORS, OBJECTIVES, EFFECTS, DEPENDENCES, LINEAR, TENTH)
    hundredth = features(
        EXCESS / 100.0, ERRORS / 100.0, OBJECTIVES, EFFECTS / 10.0, DEPENDENCES, LINEAR, Tolerance(0.01)
    )
    scaled = EXCESS.clone()
    scaled[1:] /= 100.0  # in units of ε² e₀ the same losses
    same = features(scaled, ERRORS, OBJECTIVES, EFFECTS / 10.0, DEPENDENCES, LINEAR, Tolerance(0.01))
    torch.testing.assert_close(same[1:, [1, 3, 4]], tenth[1:, [1, 3, 4]])
    assert hundredth[1, 1] > tenth[1, 1]


@pytest.fixture
def weighed(monkeypatch):
    return partial(weighed_by, monkeypatch)


def weighed_by(monkeypatch, excess, errors, weights=(0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0)):
    excess, errors = (torch.tensor(values, dtype=torch.float64) for values in (excess, errors))
    table = features(excess, errors, OBJECTIVES, EFFECTS, DEPENDENCES, LINEAR, TENTH)
    monkeypatch.setitem(WEIGHTS, "regression", weights)
    table[0, FEATURES.index("linear")] = 0.0  # lines find nothing
    return sufficient_probabilities(table, "regression", 0.0, excess, errors, TENTH)


def test_what_is_enough_is_a_logistic_function_of_the_weighed_sum(weighed):
    enough = weighed([100.0, 9.0, 0.9, 0.0], [5.0, 1.0, 0.1, 0.0])
    assert enough[0] == pytest.approx(0.0, abs=1e-12)
    assert enough[1] == pytest.approx(1.0 / (1.0 + 9.1 * math.exp(-0.1)))
    assert enough[2] == pytest.approx(1.0 / (1.0 + 1.0 * math.exp(-1.6)))
    assert enough[3] == 1.0  # nothing is enough: the last


def test_of_outputs_much_that_is_left_and_no_chance_is_not_enough(weighed):
    assert weighed([100.0, 10.1, 0.9, 0.0], [5.0, 5.0, 0.1, 0.0])[1] == 0.0
    assert weighed([100.0, 10.1, 0.9, 0.0], [5.0, 5.1, 0.1, 0.0])[1] > 0.0  # chance
    assert weighed([100.0, 9.9, 0.9, 0.0], [5.0, 0.1, 0.1, 0.0])[1] > 0.0  # less than a tenth
    assert weighed([9.0, 8.0, 2.0, 0.0], [5.0, 1.0, 0.1, 0.0])[1] > 0.0  # the constant may be as good
    excess, errors = torch.tensor([[100.0, 50.0, 0.9, 0.0], [5.0, 1.0, 0.1, 0.0]], dtype=torch.float64)
    table = features(excess, errors, OBJECTIVES, EFFECTS, DEPENDENCES, LINEAR, TENTH)
    assert sufficient_probabilities(table, "classification", 0.0, excess, errors, TENTH)[1] > 0.0
    assert sufficient_probabilities(table, "regression", 0.0, excess, errors, Tolerance(0.6))[1] > 0.0


def test_a_constant_is_enough_as_far_as_its_excess_is_chance(weighed):
    assert weighed([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 1.0])[0] == 1.0
    assert weighed([2.0, 1.0, 0.5, 0.0], [1.0, 1.0, 1.0, 0.0])[0] == pytest.approx(0.0455, abs=1e-4)
    assert weighed([2.0, 1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0])[0] == 0.0


@pytest.mark.parametrize(("deviations", "left"), [(-1.0, 1.0), (0.0, 1.0), (1.959964, 0.2507), (5.0, 1.173e-5)])
def test_lines_that_are_no_chance_speak_against_a_constant(deviations, left):
    linear = CanonicalCorrelations(LINEAR.correlations, torch.tensor([deviations, -1.0, -1.0, -1.0]))
    zero = torch.zeros(4, dtype=torch.float64)
    table = features(zero, zero, OBJECTIVES, EFFECTS, DEPENDENCES, linear, TENTH)
    assert float(sufficient_probabilities(table, "regression", 0.5, zero, zero, TENTH)[0]) == pytest.approx(left, rel=1e-3)


def test_the_smallest_that_is_enough_has_the_probability_that_fewer_are_not():
    enough = torch.tensor([0.0, 0.2, 0.5, 1.0])
    assert probabilities(enough).tolist() == pytest.approx([0.0, 0.2, 0.4, 0.4])
    assert probabilities(torch.tensor([1.0, 0.5, 1.0])).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_more_against_k_makes_it_less_probable_and_a_bend_more(kind):
    def enough(excess=EXCESS, objectives=OBJECTIVES, dependences=DEPENDENCES, linear=LINEAR):
        table = features(excess, ERRORS, objectives, EFFECTS, dependences, linear, TENTH)
        return float(sufficient_probabilities(table, kind, 0.0, excess, ERRORS, TENTH)[2])

    worse, bent = EXCESS.clone(), DEPENDENCES.clone()
    worse[2], bent[2] = 9.0, 0.99
    assert enough(excess=worse) < enough()
    larger = enough(objectives=OBJECTIVES + torch.tensor([0.0, 0.0, 0.1, 0.0]))
    assert larger < enough()
    assert enough(dependences=bent) > enough()


def test_what_lines_say_counts_as_far_as_they_explain(monkeypatch):
    monkeypatch.setitem(WEIGHTS, "regression", (1.0, *[0.0] * 10))
    monkeypatch.setitem(LINEAR_WEIGHTS, "regression", (*[0.0] * 8, -1.0, 0.0, 0.0))
    table = features(EXCESS, ERRORS, OBJECTIVES, EFFECTS, DEPENDENCES, LINEAR, TENTH)
    without, with_lines = 1.0 / (1.0 + math.exp(-1.0)), 1.0 / (1.0 + math.exp(2.5))
    for share in (0.0, 0.25, 1.0):
        enough = sufficient_probabilities(table, "regression", share, EXCESS, ERRORS, TENTH)
        assert float(enough[1]) == pytest.approx(share * with_lines + (1.0 - share) * without)


def test_nothing_to_gain_gives_finite_evidence():
    zero = torch.zeros(3, dtype=torch.float64)
    table = features(
        zero, zero, torch.ones(3, dtype=torch.float64), zero, zero, CanonicalCorrelations(zero, zero), TENTH
    )
    assert bool(table.isfinite().all())
