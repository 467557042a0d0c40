"""L-BFGS and its line search, against scipy's and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, rosen, rosen_der

from isthmus.training import lbfgs
from isthmus.training.line_search import Point, wolfe_step


def minimized(function, slope, start, evaluations, memory=20, dtype=torch.float64, proceed=None):
    """Where L-BFGS ends, and how often it evaluated."""
    vector = torch.tensor(start, dtype=dtype)
    gradient, calls = torch.zeros_like(vector), []

    def evaluate():
        calls.append(vector.clone())
        gradient.copy_(torch.from_numpy(np.asarray(slope(vector.double().numpy()))))
        return torch.tensor(function(vector.double().numpy()), dtype=dtype)

    lbfgs(vector, gradient, evaluate, evaluations=evaluations, memory=memory, proceed=proceed)
    return vector.double().numpy(), calls


@pytest.mark.parametrize("n", [2, 10, 50])
@pytest.mark.parametrize("memory", [3, 20])
def test_the_valley_of_rosenbrock_is_followed_to_its_end_as_by_scipy(n, memory):
    start = np.tile([-1.2, 1.0], n // 2)
    found, calls = minimized(rosen, rosen_der, start, 2000, memory)
    theirs = minimize(rosen, start, jac=rosen_der, method="L-BFGS-B", options={"maxcor": memory, "gtol": 1e-10})
    np.testing.assert_allclose(found, 1.0, atol=1e-6)
    reached = next(i for i, at in enumerate(calls, start=1) if rosen(at.numpy()) <= max(theirs.fun, 1e-12))
    assert reached <= 1.5 * theirs.nfev + 10


def test_a_quadratic_with_as_many_pairs_as_dimensions_ends_after_about_as_many_steps():
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    matrix = turned @ np.diag(np.geomspace(1.0, 100.0, 8)) @ turned.T
    aim = rng.standard_normal(8)
    found, calls = minimized(
        lambda v: float((v - aim) @ matrix @ (v - aim)), lambda v: 2.0 * matrix @ (v - aim), np.zeros(8), 60, memory=30
    )
    np.testing.assert_allclose(found, aim, atol=1e-7)
    assert len(calls) <= 60


def test_no_more_evaluations_are_spent_than_are_given():
    for given in (1, 2, 7, 30):
        _, calls = minimized(rosen, rosen_der, np.tile([-1.2, 1.0], 5), given)
        assert len(calls) == given


def test_it_asks_after_each_step_whether_to_go_on():
    asked = []

    def proceed(done, lowest):
        asked.append((done, lowest))
        return lowest > 1.0

    start = np.tile([-1.2, 1.0], 5)
    found, calls = minimized(rosen, rosen_der, start, 2000, proceed=proceed)
    values = [rosen(at.numpy()) for at in calls]
    assert [lowest for _, lowest in asked] == [min(values[:done]) for done, _ in asked]
    assert asked[-1] == (len(calls), rosen(found))
    assert asked[-1][1] <= 1.0 < asked[-2][1]


def test_it_ends_at_the_lowest_point_that_was_evaluated_also_when_it_is_interrupted():
    vector = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    gradient, seen = torch.zeros_like(vector), []

    def evaluate():
        if len(seen) == 12:
            raise KeyboardInterrupt
        gradient.copy_(torch.from_numpy(rosen_der(vector.numpy())))
        seen.append((rosen(vector.numpy()), vector.clone()))
        return torch.tensor(seen[-1][0])

    with pytest.raises(KeyboardInterrupt):
        lbfgs(vector, gradient, evaluate, evaluations=100, memory=5)
    assert torch.equal(vector, min(seen, key=lambda each: each[0])[1])


def test_single_precision_stops_at_its_rounding():
    found, calls = minimized(rosen, rosen_der, np.tile([-1.2, 1.0], 5), 3000, dtype=torch.float32)
    np.testing.assert_allclose(found, 1.0, atol=2e-2)
    assert len(calls) < 3000


def test_a_point_without_a_slope_is_left_as_it_is():
    found, calls = minimized(lambda v: 1.0, lambda v: 0.0 * v, np.ones(3), 50)
    assert (found == 1.0).all()
    assert len(calls) == 1


def test_a_start_that_is_not_finite_is_left():
    found, calls = minimized(lambda v: math.nan, lambda v: math.nan * v, np.ones(3), 50)
    assert (found == 1.0).all()
    assert len(calls) == 1


LINES = {
    "quadratic": (lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0)),
    "far minimum": (lambda t: (t / 40.0 - 1.0) ** 2, lambda t: (t / 40.0 - 1.0) / 20.0),
    "near minimum": (lambda t: (t - 1e-3) ** 2, lambda t: 2.0 * (t - 1e-3)),
    "two valleys": (
        lambda t: math.cos(3.0 * t) - 0.2 * t + 0.01 * t * t,
        lambda t: -3 * math.sin(3 * t) - 0.2 + 0.02 * t,
    ),
    "wall": (lambda t: -math.log(max(1.0 - t, 1e-300)) - 2.0 * t, lambda t: 1.0 / max(1.0 - t, 1e-300) - 2.0),
    "kink": (lambda t: abs(t - 0.3) + 0.1 * (t - 0.3) ** 2, lambda t: math.copysign(1.0, t - 0.3) + 0.2 * (t - 0.3)),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("first", [0.01, 1.0, 30.0])
def test_steps_meet_the_strong_wolfe_conditions(name, first):
    value, slope = LINES[name]
    begin = slope(0.0)
    asked = []

    def along(step):
        asked.append(step)
        return Point(step, value(step), slope(step), torch.zeros(1))

    if begin >= 0.0:
        begin = slope(1e-6)
    found = wolfe_step(along, Point(0.0, value(0.0), begin, torch.zeros(1)), first, evaluations=25)
    assert found.value <= value(0.0) + 1e-4 * found.step * begin
    if name != "kink":  # where the slope jumps there may be no point of a small one
        assert abs(found.slope) <= 0.9 * abs(begin)
    assert len(asked) <= 25


def test_where_the_objective_is_not_finite_the_step_is_shortened():
    def along(step):
        return Point(step, (step - 0.1) ** 2 if step < 0.5 else math.inf, 2.0 * (step - 0.1), torch.zeros(1))

    found = wolfe_step(along, Point(0.0, 0.01, -0.2, torch.zeros(1)), 8.0, evaluations=25)
    assert abs(found.slope) <= 0.9 * 0.2


def test_without_a_lower_point_it_stays():
    def along(step):
        return Point(step, 1.0 + step, 1.0, torch.zeros(1))

    assert wolfe_step(along, Point(0.0, 1.0, -1.0, torch.zeros(1)), 1.0, evaluations=9).step == 0.0
