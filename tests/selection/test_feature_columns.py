"""What is weighed, by the formulas of its description in plain arithmetic."""

import math

import numpy as np
import pytest
import torch

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.cross_validation import CrossValidation
from isthmus.selection.features import FEATURES, Averages, features


def t(values):
    return torch.tensor(values, dtype=torch.float64)


EXCESS, DEVIATIONS = [1.2, 0.5, 0.003, 0.0, 0.001], [0.1, 0.2, 0.002, 0.0, 0.002]
OBJECTIVES = [1.0, 0.5, 0.11, 0.1, 0.102]
SENSITIVITIES, REDUNDANCIES = [1.0, 0.6, 0.02, 0.5, 0.0], [0.0, 0.3, 0.95, 0.1, 0.0]
CORRELATIONS, SIGNIFICANCE = [0.9, 0.4, 0.05, 0.0, 0.0], [30.0, 3.0, -0.5, -7.0, -2.0]
RESIDUAL_LINES = [20.0, 2.9, 0.3, -0.6, 0.0]
SHARED_SLOPES = [1.0, 0.3, 0.02, 2e-6, 0.0]
LABEL_SCORES = [12.0, 3.0, -2.5, 0.7, 0.0]


def averages(**changed):
    values = {
        "errors": [e + 0.2 for e in EXCESS],
        "excess": EXCESS,
        "deviations": DEVIATIONS,
        "objectives": OBJECTIVES,
        "sensitivities": SENSITIVITIES,
        "redundancies": REDUNDANCIES,
        "residual_lines": RESIDUAL_LINES,
        "shared_slopes": SHARED_SLOPES,
        "label_scores": LABEL_SCORES,
    }
    linear = CanonicalCorrelations(t(CORRELATIONS), t(SIGNIFICANCE))
    return Averages(**{name: t(value) for name, value in (values | changed).items()}, linear=linear, agreement=8.0)


def by_hand(k, epsilon):
    """The features of k, in the order of their description."""
    sensitivity = [math.log(r / epsilon + 0.1) for r in SENSITIVITIES]
    within = [min(max(each, -2.0), 5.0) for each in SIGNIFICANCE] + [-2.0]
    return {
        "intercept": 1.0,
        "loss": math.log(EXCESS[k] / (epsilon**2 * EXCESS[0]) + 0.1),
        "significance": min(EXCESS[k] / DEVIATIONS[k], 4.0) if DEVIATIONS[k] else 0.0,
        "sensitivity": sensitivity[k],
        "sensitivity_drop": sensitivity[k] - sensitivity[k - 1] if k else 0.0,
        "redundancy": REDUNDANCIES[k],
        "previous_redundancy": REDUNDANCIES[k - 1] if k else 0.0,
        "linear": within[k],
        "next_linear": within[k + 1],
        "correlation": math.log(CORRELATIONS[k] ** 2 + 0.01),
        "residual_line": min(max(RESIDUAL_LINES[k], 0.0), 3.0),
        "slope_drop": math.log(max(SHARED_SLOPES[k], 1e-5) / max(SHARED_SLOPES[k - 1], 1e-5)) if k else 0.0,
        "score_share": math.log((max(LABEL_SCORES[k], 0.0) + 1.0) / 13.0),
    }


@pytest.mark.parametrize("epsilon", [0.1, 0.03])
def test_every_column_is_its_formula(epsilon):
    table = features(averages(), Tolerance(epsilon))
    assert table.shape == (5, len(FEATURES))
    for k in range(5):
        expected = by_hand(k, epsilon)
        assert tuple(expected) == FEATURES
        np.testing.assert_allclose(table[k], list(expected.values()), rtol=1e-12, atol=1e-12)


def test_where_nothing_is_gained_all_is_finite():
    table = features(averages(excess=[0.0] * 5, deviations=[0.0] * 5), Tolerance(0.1))
    np.testing.assert_allclose(table[:, FEATURES.index("loss")], math.log(0.1))
    np.testing.assert_array_equal(table[:, FEATURES.index("significance")], np.zeros(5))
    assert bool(torch.isfinite(table).all())


def test_the_averages_are_those_of_the_folds():
    rows, weights = torch.tensor([3, 0, 1]), t([2.0, 1.0, 99.0, 1.0])  # row 2 is never held out
    losses = t([[9.0, 5.0, 4.0], [2.0, 1.0, 2.0], [1.0, 2.0, 1.0]])
    sensitivities, redundancies = t([[1.0, 0.4, 0.0], [1.0, 0.8, 0.0]]), t([[0.0, 0.9, 0.7], [0.0, 0.3, 0.9]])
    objectives = t([[1.0, 0.3, 0.2], [1.0, 0.1, 0.2]])
    nothing, linear = t([]), CanonicalCorrelations(t([0.5, 0.0, 0.0]), t([3.0, -2.0, -2.0]))
    of_residuals = t([4.0, 0.2, 0.1])
    agreements = torch.stack([t([[0.0] * 3] * 2), t([[1.0, -2.0, 4.0], [1.0, 4.0, 9.0]]), t([[9.0] * 3] * 2)])
    scores = torch.stack([t([[2.0, 3.0, -1.0], [1.0, 4.0, 9.0]]), t([[0.0] * 3] * 2), t([[1.0] * 3, [0.25] * 3])])
    of_slopes = t([1.0, 0.3, 0.0])
    seen = objectives, sensitivities, redundancies, linear, of_residuals, of_slopes, scores, agreements
    cross = CrossValidation(rows, losses, losses[2], *seen, nothing, nothing, nothing)
    seen = Averages.of(cross, weights)
    shares = np.array([0.25, 0.5, 0.25])
    means = losses.numpy() @ shares
    np.testing.assert_allclose(seen.errors, means, rtol=1e-12)  # 5.75, 1.5, 1.5: the first of the least is the best
    np.testing.assert_allclose(seen.excess, means - means.min(), rtol=1e-12)
    for k, found in enumerate(seen.deviations):
        pairs = losses[k].numpy() - losses[1].numpy()
        scatter = shares @ (pairs - shares @ pairs) ** 2
        assert float(found) == pytest.approx(math.sqrt(scatter / (16.0 / 6.0 - 1.0)), rel=1e-12)
    np.testing.assert_allclose(seen.objectives, [1.0, 0.2, 0.2], rtol=1e-12)
    np.testing.assert_allclose(seen.sensitivities, [1.0, math.sqrt(0.4), 0.0], rtol=1e-12)
    np.testing.assert_allclose(seen.redundancies, [0.0, (0.16 * 0.9 + 0.64 * 0.3) / 0.8, 0.0], rtol=1e-12)
    assert seen.linear is linear
    assert seen.residual_lines is of_residuals
    assert seen.agreement == pytest.approx((1.0 - 4.0 + 4.0) / math.sqrt(1.0 + 16.0 + 9.0))
    losses[0] = 0.5
    assert Averages.of(cross, weights).agreement == 0.0  # a constant agrees with nothing
    assert seen.shared_slopes.tolist() == [1.0, 0.3, 0.0]
    expected = [(2.0 + 6.0 - 1.0) / math.sqrt(1.0 + 16.0 + 9.0), 0.0, 4.0 / math.sqrt(6.0 * 0.25)]
    np.testing.assert_allclose(seen.label_scores, expected, rtol=1e-12)
