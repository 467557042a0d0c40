"""What is weighed for and against each k, on tables made by hand."""

import math

import numpy as np
import torch

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.features import FEATURES, features
from selection.tables import DEVIATIONS, EXCESS, SENSITIVITIES, TENTH, averages


def test_they_are_those_of_the_formulas():
    table = features(averages(), TENTH)
    expected = np.stack(
        [
            np.ones(4),
            [math.log(s + 0.1) for s in (100.0, 40.0, 0.9, 0.0)],  # 1 % of 100 is the unit
            [4.0, 2.0, 3.0, 0.0],  # at most 4
            [math.log(s + 0.1) for s in (10.0, 6.0, 0.2, 0.0)],
            [0.0, math.log(6.1 / 10.1), math.log(0.3 / 6.1), math.log(0.1 / 0.3)],
            [0.0, 0.05, 0.8, 0.0],
            [0.0, 0.0, 0.05, 0.8],
            [5.0, 2.5, -0.5, -2.0],
            [2.5, -0.5, -2.0, -2.0],
            [math.log(s + 0.01) for s in (0.81, 0.25, 0.01, 0.0)],
            [3.0, 3.0, 0.4, 0.0],
            [0.0, math.log(0.2), math.log(0.005), math.log(0.01)],  # from 0.001 to less than 0.00001
            [math.log((s + 1.0) / 21.0) for s in (20.0, 6.0, 0.1, 0.0)],
        ],
        1,
    )
    np.testing.assert_allclose(table.numpy(), expected, atol=1e-12)
    assert table.shape[1] == len(FEATURES)


def test_the_tolerance_is_the_scale_of_losses_and_sensitivities():
    tenth = features(averages(), TENTH)
    hundredth = features(
        averages(EXCESS / 100.0, DEVIATIONS / 100.0, sensitivities=SENSITIVITIES / 10.0), Tolerance(0.01)
    )
    scaled = EXCESS.clone()
    scaled[1:] /= 100.0  # in units of ε² e₀ the same losses
    same = features(averages(scaled, sensitivities=SENSITIVITIES / 10.0), Tolerance(0.01))
    torch.testing.assert_close(same[1:, [1, 3, 4]], tenth[1:, [1, 3, 4]])
    assert hundredth[1, 1] > tenth[1, 1]


def test_nothing_to_gain_gives_finite_features():
    zero = torch.zeros(3, dtype=torch.float64)
    nothing = averages(
        zero, zero, torch.ones(3, dtype=torch.float64), zero, zero, CanonicalCorrelations(zero, zero), zero, zero, zero
    )
    assert bool(features(nothing, TENTH).isfinite().all())
