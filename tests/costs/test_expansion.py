"""The expansion over the depth against closed forms, and its error bars against how often they hold."""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import pytest
import torch

from cases import random_layers
from isthmus.costs import depth_expansion, depth_sweep
from isthmus.errors import (
    DtypeError,
    NonFiniteError,
    OptionError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.networks import RELU, FullyConnected

SINGULAR = (3.0, 1.5, 0.4)  # of a linear map of rank 3


def linear_cost(depth):
    """R(A; L) = L Σ s_i^{2/L}."""
    return depth * sum(s ** (2.0 / depth) for s in SINGULAR)


def linear_series():
    """The coefficients of L·rank + 2 Σ log s + (2/L) Σ log² s."""
    logs = [log(s) for s in SINGULAR]
    return 3.0, 2.0 * sum(logs), 2.0 * sum(v * v for v in logs)


def test_linear_networks_have_the_series_of_the_closed_form():
    rank, regularity, curvature = linear_series()
    depths = [200, 300, 500, 800, 1300]
    fitted = depth_expansion(depths, [linear_cost(depth) for depth in depths], curvature=True)
    assert fitted.rank == pytest.approx(rank, abs=1e-7)
    assert fitted.regularity == pytest.approx(regularity, abs=1e-4)
    assert fitted.curvature == pytest.approx(curvature, rel=5e-3)
    assert fitted.cost(50) == pytest.approx(linear_cost(50), abs=1e-3)


def test_without_the_third_term_its_share_is_what_is_missing():
    """At L = 20 the straight line through 200 … 1300 is off by the third term, 2 Σ log² s / L."""
    _, _, curvature = linear_series()
    depths = [200, 300, 500, 800, 1300]
    straight = depth_expansion(depths, [linear_cost(depth) for depth in depths])
    assert straight.curvature is None
    assert straight.curvature_error is None
    assert linear_cost(20) - straight.cost(20) == pytest.approx(curvature / 20, rel=0.1)


def test_constructed_networks_of_growing_depth_have_the_series():
    """Balanced factors of a diagonal map: ‖w‖² is the closed form, so the sweep over networks has its series."""
    s = torch.tensor(SINGULAR, dtype=torch.float64)
    networks = [
        FullyConnected((torch.diag(s ** (1.0 / depth)),) * depth, (torch.zeros(3).double(),) * depth, RELU)
        for depth in (100, 50, 25)
    ]
    depths, costs = depth_sweep(networks)
    assert depths == [25, 50, 100]
    assert costs == pytest.approx([linear_cost(depth) for depth in depths], rel=1e-12)
    rank, regularity, curvature = linear_series()
    fitted = depth_expansion(depths, costs, curvature=True)
    assert fitted.rank == pytest.approx(rank, abs=1e-3)
    assert fitted.regularity == pytest.approx(regularity, abs=0.05)
    assert fitted.curvature == pytest.approx(curvature, rel=0.2)


@dataclass
class Bracket:
    depth: int
    upper: float


def test_brackets_and_networks_mix_and_the_cheapest_of_a_depth_counts():
    network = random_layers((2, 3, 2), RELU, seed=0)
    mixed = [Bracket(7, 2.0), network, Bracket(7, 1.5), Bracket(2, 1e9)]
    assert depth_sweep(mixed) == ([2, 7], [pytest.approx(network.squared_norm), pytest.approx(10.5)])
    with pytest.raises(DtypeError, match="str, without a depth and a cost"):
        depth_sweep(["a network"])
    with pytest.raises(TooFewRowsError, match="The sweep over the depth has 0 rows"):
        depth_sweep([])


STUDENT = {3: 3.182446, 2: 4.302653, 4: 2.776445}  # 97.5 % quantiles, from tables


@pytest.mark.parametrize(("curvature", "weighted"), [(False, False), (False, True), (True, False)])
def test_the_error_bars_hold_as_often_as_they_say(curvature, weighted):
    """95 % intervals from the standard errors and Student's t cover the truth in 95 % of 4,000 draws."""
    rng = np.random.default_rng(5)
    depths = np.array([5.0, 8.0, 13.0, 20.0, 32.0])
    truth = np.array([2.0, 7.0, 3.0 if curvature else 0.0])
    mean = truth[0] * depths + truth[1] + truth[2] / depths
    deviations = 0.2 * (np.sqrt(depths) if weighted else np.ones(5))
    hits = np.zeros(3)
    draws = 4000
    for _ in range(draws):
        costs = mean + deviations * rng.standard_normal(5)
        fitted = depth_expansion(depths, costs, weights=1 / deviations**2 if weighted else None, curvature=curvature)
        t = STUDENT[fitted.freedom]
        hits[0] += abs(fitted.rank - truth[0]) <= t * fitted.rank_error
        hits[1] += abs(fitted.regularity - truth[1]) <= t * fitted.regularity_error
        hits[2] += abs(fitted.cost(50.0) - (truth @ [50.0, 1.0, 1 / 50.0])) <= t * fitted.cost_error(50.0)
    # Three standard deviations of a share of 4,000.
    assert hits / draws == pytest.approx([0.95] * 3, abs=3 * sqrt(0.95 * 0.05 / draws))


def test_weights_count_like_repetitions():
    depths, costs = [4, 7, 11, 20], [10.0, 17.5, 24.0, 44.0]
    once = depth_expansion(depths, costs, weights=[1, 3, 1, 2])
    again = depth_expansion([4, 7, 7, 7, 11, 20, 20], [10.0, *[17.5] * 3, 24.0, *[44.0] * 2])
    assert (once.rank, once.regularity) == (pytest.approx(again.rank), pytest.approx(again.regularity))


def test_against_numpys_polynomial_fit():
    depths, costs = np.array([4.0, 7.0, 11.0, 20.0]), np.array([10.0, 17.5, 24.0, 44.0])
    fitted = depth_expansion(depths, costs)
    (slope, intercept), covariance = np.polyfit(depths, costs, 1, cov=True)
    assert (fitted.rank, fitted.regularity) == (pytest.approx(slope), pytest.approx(intercept))
    np.testing.assert_allclose(fitted.covariance, covariance, rtol=1e-9)
    assert fitted.rank_error == pytest.approx(np.sqrt(covariance[0, 0]))


def test_two_points_give_a_line_without_error_bars():
    fitted = depth_expansion([10, 20], [35.0, 55.0])
    assert (fitted.rank, fitted.regularity) == (pytest.approx(2.0), pytest.approx(15.0))
    assert (fitted.freedom, fitted.covariance, fitted.rank_error, fitted.regularity_error) == (0, None, None, None)
    assert fitted.cost(30) == pytest.approx(75.0)
    assert fitted.cost_error(30) is None
    assert str(fitted) == "R = 2 L + 15 (no error bar: as many points as fitted numbers)"
    assert "degree of freedom" in str(depth_expansion([10, 20, 30], [35.0, 55.0, 76.0]))


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(TooFewRowsError, match="has 1 row; at least 2 are needed"):
        depth_expansion([5], [10.0])
    with pytest.raises(TooFewRowsError, match="has 2 rows; at least 3 are needed"):
        depth_expansion([5, 6], [10.0, 11.0], curvature=True)
    with pytest.raises(ShapeError, match="3 depths, 2 costs and 3 weights"):
        depth_expansion([5, 6, 7], [10.0, 11.0])
    with pytest.raises(OptionError, match="number of different depths is 1 but must be at least 2"):
        depth_expansion([5, 5, 5], [10.0, 11.0, 12.0])
    with pytest.raises(OptionError, match=r"depths is 0\.0 but must be positive"):
        depth_expansion([0, 5], [10.0, 11.0])
    with pytest.raises(OptionError, match=r"weights is -1\.0 but must be positive"):
        depth_expansion([4, 5], [10.0, 11.0], weights=[1, -1])
    with pytest.raises(NonFiniteError, match="costs holds NaN or infinity"):
        depth_expansion([4, 5], [10.0, float("nan")])
    with pytest.raises(DtypeError, match="depths has dtype"):
        depth_expansion(["a", "b"], [1.0, 2.0])
    with pytest.raises(ShapeError, match=r"costs has shape \(2, 1\)"):
        depth_expansion([4, 5], [[1.0], [2.0]])
    with pytest.raises(OptionError, match="depth is 0 but must be a positive number"):
        depth_expansion([4, 5], [1.0, 2.0]).cost(0)
