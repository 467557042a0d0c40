"""Stationarity where pre-activations sit on the kink: slopes, their best choice, and Newton's method with them."""

import itertools

import pytest
import torch
from isthmus.training.box import box_minimum
from isthmus.training.kink_newton import KinkNewton
from isthmus.training.slopes import Sloped

from conftest import ACTIVATIONS, random_layers
from isthmus.errors import OptionError
from isthmus.networks import RELU, FullyConnected
from isthmus.training import (
    Objective,
    Schedule,
    TrainingConfig,
    cross_entropy,
    fit,
    least_subgradient,
    settle,
    squared_error,
)
from isthmus.training import settling as settling_module


def rows(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_slopes(here, vector):
    """The pre-activations and the objective where σ is replaced, pre-activation by pre-activation, by its tangent."""
    sigma, a = here.network.activation, here.objective.x
    slopes = sigma.negative_slope + (1 - sigma.negative_slope) * here.t
    split = slopes.split(here.network.widths[1:-1], 1)
    begin, hidden = 0, []
    for layer, w in enumerate(here.network.weights):
        joint = vector[begin : begin + w.shape[0] * (w.shape[1] + 1)].view(w.shape[0], -1)
        begin += joint.numel()
        z = a @ joint[:, :-1].T + joint[:, -1]
        if layer < len(split):
            hidden.append(z)
            at = here.network.pre_activations(here.objective.x)[layer]
            a = sigma(at) + split[layer] * (z - at)
    losses = here.objective.loss(z, here.objective.y)[0]
    ridge = here.objective.ridge / here.network.depth * vector.square().sum()
    return torch.cat(hidden, 1), losses / len(here.objective.x) + ridge


@pytest.mark.parametrize("sigma", ACTIVATIONS, ids=lambda sigma: sigma.name)
@pytest.mark.parametrize("classes", [False, True])
def test_derivatives_at_chosen_slopes_are_autograds(sigma, classes):
    x = rows(7, 3, 0)
    y = torch.randint(3, (7,), generator=torch.Generator().manual_seed(0)) if classes else rows(7, 3, 1)
    objective = Objective(x, y, cross_entropy if classes else squared_error, 0.1)
    here = Sloped.of(random_layers((3, 4, 2, 3), sigma, seed=1), objective)
    t = torch.rand(here.t.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    here = Sloped(here.network, here.objective, t)
    value = lambda vector: with_slopes(here, vector)[1]  # noqa: E731
    z = lambda vector: with_slopes(here, vector)[0]  # noqa: E731
    assert here.value == pytest.approx(float(value(here.vector)), rel=1e-13)
    torch.testing.assert_close(
        here.gradient, torch.autograd.functional.jacobian(value, here.vector), rtol=1e-11, atol=1e-12
    )
    torch.testing.assert_close(
        here.hessian(), torch.autograd.functional.hessian(value, here.vector), rtol=1e-11, atol=1e-12
    )
    normals = torch.autograd.functional.jacobian(z, here.vector)
    places = t > 0.6
    torch.testing.assert_close(here.normals(places), normals[places], rtol=1e-11, atol=1e-12)
    step = 0.1 * torch.ones_like(here.vector)
    torch.testing.assert_close(here.shift(step), normals @ step, rtol=1e-11, atol=1e-12)
    assert torch.equal(here.moved(step).weights[1], here.network.weights[1] + 0.1)


def test_forces_are_the_derivatives_by_the_slopes_of_pre_activations_that_are_not_zero():
    """∂L/∂t = φ z where σ(z) = t z: by finite differences, for a network whose σ is linear for each pre-activation."""
    here = Sloped.of(
        random_layers((3, 4, 2), RELU, seed=3), Objective(rows(5, 3, 0), rows(5, 2, 1), squared_error, 0.0)
    )

    def loss(t):
        hidden = t * here.z
        outputs = hidden @ here.network.weights[1].T + here.network.biases[1]
        return float((outputs - here.objective.y).square().sum() / 5)

    for row, neuron in itertools.product(range(5), range(4)):
        change = torch.zeros_like(here.t)
        change[row, neuron] = 1e-6
        slope = (loss(here.t + change) - loss(here.t - change)) / 2e-6
        assert float(here.forces[row, neuron] * here.z[row, neuron]) == pytest.approx(slope, abs=1e-7)


def brute_force(q, c):
    """The least value over the box: of the stationary points of every face, the lowest that lies in the box."""
    best = float("inf")
    for choice in itertools.product((0.0, 1.0, None), repeat=len(c)):
        s = torch.tensor([0.0 if v is None else v for v in choice], dtype=torch.float64)
        free = [i for i, v in enumerate(choice) if v is None]
        if free:
            s[free] = torch.linalg.lstsq(q[free][:, free], -(c + q @ s)[free, None], driver="gelsd").solution[:, 0]
        if bool((s >= -1e-12).all() and (s <= 1 + 1e-12).all()):
            best = min(best, float(0.5 * s @ q @ s + c @ s))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_least_value_over_a_box_is_that_of_its_best_face(seed):
    a = rows(3 if seed % 2 else 8, 5, seed) * torch.logspace(0, -2, 5, dtype=torch.float64)
    q, c = a.T @ a, -a.T @ rows(len(a), 1, seed + 100)[:, 0]
    for start in (0.0, 0.5, 1.0):
        s = box_minimum(q, c, torch.full((5,), start, dtype=torch.float64))
        assert bool((s >= 0).all() and (s <= 1).all())
        assert float(0.5 * s @ q @ s + c @ s) == pytest.approx(brute_force(q, c), rel=1e-8, abs=1e-12)


def on_kinks(widths, seed, places):
    """A network whose pre-activations at `places` (layer, row, neuron) are moved onto the kink by the bias."""
    network = random_layers(widths, RELU, seed)
    x = rows(6, widths[0], seed + 50)
    biases = [b.clone() for b in network.biases]
    for layer, row, neuron in places:
        now = FullyConnected(network.weights, tuple(biases), RELU)
        biases[layer][neuron] -= now.pre_activations(x)[layer][row, neuron]
    return FullyConnected(network.weights, tuple(biases), RELU), Objective(
        x, rows(6, widths[-1], 9), squared_error, 0.2
    )


@pytest.mark.parametrize(
    ("widths", "places"),
    [((3, 4, 2), [(0, 0, 0), (0, 1, 1), (0, 4, 3)]), ((3, 4, 3, 2), [(0, 0, 1), (1, 2, 0), (1, 3, 2)])],
    ids=["one layer", "two layers"],
)
@pytest.mark.parametrize("seed", range(4))
def test_the_least_subgradient_is_that_of_a_search_over_all_slopes(widths, places, seed):
    network, objective = on_kinks(widths, seed, places)
    found = least_subgradient(network, objective, band=1e-9)
    assert found.on_the_kink == (3, 6 * sum(widths[1:-1]))
    weights = [w.clone().requires_grad_() for w in network.weights]
    biases = [b.clone().requires_grad_() for b in network.biases]

    def norm(t):
        """By autograd, with tangents of the slopes t at the places."""
        a = objective.x
        for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
            z = a @ w.T + b
            slope = (z > 0).double()
            for (where, row, neuron), s in zip(places, t, strict=True):
                if where == layer:
                    slope[row, neuron] = s
            a = slope * z
        value = (z - objective.y).square().sum() / 6 + 0.2 / len(weights) * sum(
            p.square().sum() for p in (*weights, *biases)
        )
        return float(
            sum(g.square().sum() for g in torch.autograd.grad(value, [*weights, *biases])) ** 0.5 / value.detach()
        )

    best, width = [0.5, 0.5, 0.5], 0.5
    for _ in range(14):
        ends = [sorted({min(1.0, max(0.0, t + shift * width)) for shift in (-1, -0.5, 0, 0.5, 1)}) for t in best]
        best, width = min(itertools.product(*ends), key=norm), width / 2
    assert found.stationarity == pytest.approx(norm(best), rel=1e-6)
    assert found.stationarity <= norm((0.0, 0.0, 0.0)) * (1 + 1e-12)


def test_away_from_kinks_it_is_the_plain_gradient():
    objective = Objective(rows(20, 3, 0), rows(20, 2, 1), squared_error, 0.1)
    network = random_layers((3, 5, 2), RELU, 0)
    parameters = [t.clone().requires_grad_() for t in (*network.weights, *network.biases)]
    moved = objective.x @ parameters[0].T + parameters[2]
    outputs = moved.relu() @ parameters[1].T + parameters[3]
    value = (outputs - objective.y).square().sum() / 20 + 0.05 * sum(p.square().sum() for p in parameters)
    norm = float(sum(g.square().sum() for g in torch.autograd.grad(value, parameters)) ** 0.5)
    found = least_subgradient(network, objective)
    assert found.on_the_kink == (0, 100)
    assert found.stationarity == pytest.approx(norm / float(value.detach()), rel=1e-12)


@pytest.mark.parametrize("band", [-1.0, float("nan"), float("inf")])
def test_a_band_has_limits(band):
    network, objective = on_kinks((3, 4, 2), 0, [])
    with pytest.raises(OptionError, match=r"band is .* finite number"):
        least_subgradient(network, objective, band=band)


def kinked():
    x = rows(120, 3, 0)
    y = torch.cat([x[:, :1].abs() + 0.3 * x[:, 1:2].relu(), (x[:, 1:2] - 0.5 * x[:, 2:]).relu()], 1)
    return fit(
        x, y, config=TrainingConfig(depth=3, width=12, ridge=0.03, standardize="none", schedule=Schedule(steps=300))
    )


KINKED = kinked()


def test_newtons_method_ends_at_a_minimum_with_kinks():
    settled = settle(KINKED.network, KINKED.objective, stationarity=1e-7)
    assert settled.is_complete
    assert settled.stationarity <= 1e-7
    kinks, everything = settled.on_the_kink
    assert 2 < kinks < everything
    # The gradient that backpropagation gives does not see it.
    assert least_subgradient(settled.network, KINKED.objective, band=0.0).stationarity > 1e-3
    assert settled.value <= KINKED.value
    assert settled.network.activation == RELU
    assert settled.network.dtype == torch.float64
    # No direction leads down, at any of several distances.
    here = Sloped.of(settled.network, KINKED.objective)
    generator = torch.Generator().manual_seed(0)
    for size in (1e-6, 1e-5, 1e-4):
        for _ in range(100):
            step = torch.randn(len(here.vector), generator=generator, dtype=torch.float64)
            moved = KINKED.objective.value(here.moved(size * step / step.norm()))
            assert moved >= settled.value - 1e-7 * size


def test_every_step_lowers_the_objective():
    newton, value = KinkNewton(KINKED.network, KINKED.objective), KINKED.value
    for _ in range(40):
        assert newton.step()
        now = KINKED.objective.value(newton.network)
        assert now < value
        value = now


def test_large_networks_are_settled_with_the_kink_rounded_off(monkeypatch):
    monkeypatch.setattr(settling_module, "_MOST_WEIGHTS", 10)
    settled = settle(KINKED.network, KINKED.objective, rounds=4)
    assert settled.band == 1e-4
    assert settled.stationarity < 0.1 * KINKED.stationarity
    assert settled.value <= KINKED.value * (1 + 1e-6)
    assert 0 < settled.on_the_kink[0] < settled.on_the_kink[1]


@pytest.mark.parametrize("at", [0.0, 0.31])
def test_ctrl_c_leaves_what_was_reached(at):
    def interrupt(fraction, state):
        if fraction >= at:
            raise KeyboardInterrupt

    settled = settle(KINKED.network, KINKED.objective, stationarity=1e-9, report=interrupt)
    assert not settled.is_complete
    assert settled.value <= KINKED.value * (1 + 1e-6)


@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2)])
def test_smooth_problems_are_newtons_own(widths):
    """Without hidden layers, or without kinks, the minimum of the ridge regression in few steps."""
    from isthmus.networks import IDENTITY

    objective = Objective(rows(50, 3, 0), rows(50, 2, 1), squared_error, 0.01)
    settled = settle(random_layers(widths, IDENTITY, 0), objective, stationarity=1e-9, rounds=0)
    assert settled.stationarity <= 1e-9


def test_a_minimum_with_one_kink_is_settled_from_a_fit():
    x = rows(120, 3, 0)
    y = x[:, :1].abs() + 0.3 * x[:, 1:2].relu()
    fitted = fit(
        x, y, config=TrainingConfig(depth=3, width=12, ridge=0.3, standardize="none", schedule=Schedule(steps=300))
    )
    settled = settle(fitted.network, fitted.objective)
    assert settled.value <= fitted.value
    assert settled.stationarity <= 1e-4 < fitted.stationarity
