"""The limit below which directions are not learned: by a deep linear network's own minimum, and where there is none."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from isthmus.selection import SelectionConfig
from isthmus.selection.detection_limit import detection_limit
from selection.quick import curve, selected


def is_kept(size, ridge, depth):
    """Whether a deep linear network keeps a direction: min (size - a)² + λ a^(2/L) below its value without it."""
    found = minimize_scalar(
        lambda a: (size - a) ** 2 + ridge * a ** (2.0 / depth), bounds=(size / 2.0, size), method="bounded"
    )
    return found.fun < size**2


@pytest.mark.parametrize("ridge", [1e-3, 1e-2, 0.1])
def test_it_is_where_a_very_deep_linear_network_of_unit_outputs_lets_a_direction_go(ridge):
    sizes = (1.0, 0.7)
    left = 0.4
    constant = sum(size**2 for size in sizes) + left
    limit = detection_limit(2, (constant, 1.0, left), (1.0, 0.7, 0.1), ridge / constant)
    assert is_kept(1.02 * limit, ridge, 1000)
    assert not is_kept(0.98 * limit, ridge, 1000)


def test_by_hand():
    assert detection_limit(1, (2.0, 0.4), (1.0, 0.3), 0.008) == pytest.approx(math.sqrt(0.008 * 2.0 / 1.6))
    assert detection_limit(3, (1.0, 0.5, 0.2, 0.1), (1.0, 0.5, 0.2), 0.01) == pytest.approx(
        math.sqrt(0.01 / 0.9 * (1.0 + 0.25 + 0.04))
    )


def test_more_noise_and_a_larger_ridge_raise_it_and_it_is_no_more_than_the_first():
    assert detection_limit(1, (1.0, 0.5), (1.0,), 0.01) > detection_limit(1, (1.0, 0.1), (1.0,), 0.01)
    assert detection_limit(1, (1.0, 0.5), (1.0,), 0.1) > detection_limit(1, (1.0, 0.5), (1.0,), 0.01)
    assert detection_limit(1, (1.0, 0.99), (1.0,), 0.3) == 1.0


def test_where_nothing_was_learned_or_no_more_can_pass_there_is_none():
    assert detection_limit(0, (1.0, 1.2), (1.0,), 0.1) is None
    assert detection_limit(1, (1.0, 1.2), (1.0,), 0.1) is None
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    assert selected(x, x[:, :1] + 0.1 * rng.standard_normal((60, 1))).detection_limit is None  # one output
    assert selected(x, rng.standard_normal((60, 2))).detection_limit is None
    found = selected(*curve())
    evidence, ridge = found.evidence, found.hyperparameters.ridge_share
    assert found.detection_limit == detection_limit(1, evidence.errors, evidence.sensitivities, ridge)
    assert 0.0 < found.detection_limit < 0.5


def test_a_planted_direction_far_above_it_is_found_and_one_far_below_it_is_not():
    rng = np.random.default_rng(5)
    x, turn = rng.uniform(-2.0, 2.0, (150, 4)), np.linalg.qr(rng.standard_normal((6, 2)))[0].T
    config = SelectionConfig(depth=6, ridge=0.05)
    for share, rank in ((0.6, 2), (0.02, 1)):
        y = np.sin(1.5 * x[:, :1]) * turn[0] + share * np.sin(1.5 * x[:, 1:2]) * turn[1]
        found = selected(x, y + 0.02 * rng.standard_normal(y.shape), config=config, cv=2)
        assert found.rank == rank
        assert (share > found.detection_limit) == (rank == 2)
