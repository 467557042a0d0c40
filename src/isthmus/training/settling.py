r"""To stationarity, in float64.

At a minimum of the objective some of the pre-activations sit on the kink of σ at z = 0, because the loss has a valley
there: on one side of it the gradient points to the other. Gradients then do not go to zero however long one descends
(on the seed setting they stay at 5 % of the objective, with 3,000 of 350,000 pre-activations on the kink). What goes to
zero is the least of their combinations, see `least_subgradient`. The way there: first L-BFGS with the kink rounded off,
which finds the valleys, then Newton's method along them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report, part, silent
from isthmus.networks import Activation, FullyConnected
from isthmus.training.kink_newton import KinkNewton
from isthmus.training.natural import natural_lbfgs
from isthmus.training.neuron_pruning import condense
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters
from isthmus.training.stationarity import BAND, least_subgradient

_WIDTHS = (1e-1, 1e-2)  # ε, one after the other: L-BFGS finds the valleys from afar
_LAST_WIDTHS = (1e-3, 1e-4)  # for networks too large for Newton's method
_MEMORY = 100
_MOST_WEIGHTS, _MOST_ROWS = 4_000, 4_096  # up to here the second derivatives take seconds


@dataclass(frozen=True)
class RoundedActivation(Activation):
    r"""σ with its kink rounded off: $\frac{1+a}{2} z + \frac{1-a}{2} |z|_\varepsilon$.

    $|z|_\varepsilon = |z|$ for $|z| \ge \varepsilon$ and $(z^2 + \varepsilon^2) / (2 \varepsilon)$ within, which is
    continuously differentiable.

    Attributes:
        width: ε > 0.
    """

    width: float

    def __call__(self, z: Tensor) -> Tensor:
        """The rounded σ(z), same shape."""
        a = self.negative_slope
        size = torch.where(z.abs() < self.width, (z.square() + self.width**2) / (2.0 * self.width), z.abs())
        return (1.0 + a) / 2.0 * z + (1.0 - a) / 2.0 * size

    def derivative(self, z: Tensor) -> Tensor:
        """Its derivative, same shape and dtype."""
        a = self.negative_slope
        return (1.0 + a) / 2.0 + (1.0 - a) / 2.0 * (z / self.width).clamp(-1.0, 1.0)

    def pulled_back(self, delta: Tensor, z: Tensor) -> Tensor:
        """δ σ′(z), entrywise."""
        return delta * self.derivative(z)


@dataclass(frozen=True, eq=False)
class Settled:
    r"""A network at, or on the way to, a stationary point.

    Attributes:
        network: In float64.
        value: The objective there.
        stationarity: The gradient relative to the objective, with a slope for each pre-activation on the kink: after
            Newton's method the least one, see `least_subgradient`; before, that of the kink rounded off.
        band: On the kink is |z| up to this, in units of the neuron's root mean square after Newton's method, else of z.
        on_the_kink: Pre-activations on the kink, and all of them.
        is_complete: False after Ctrl-C.
    """

    network: FullyConnected
    value: float
    stationarity: float
    band: float
    on_the_kink: tuple[int, int]
    is_complete: bool


def settle(
    network: FullyConnected,
    objective: Objective,
    *,
    stationarity: float = 1e-4,
    evaluations: int = 300,
    rounds: int = 10,
    steps: int = 500,
    report: Report = silent,
) -> Settled:
    """Descend to a stationary point, in float64.

    Rounds of natural L-BFGS with the kink of σ rounded off over 1e-1 and 1e-2, then Newton's method with the kinks as
    they are, see `KinkNewton`: some ten seconds for some hundred weights or shallow networks of two thousand. Networks
    of more than 4,000 weights, once neurons that do nothing are taken out, or more than 4,096 rows go on by L-BFGS,
    with the kink rounded off over 1e-3 and 1e-4; the valley is long, and what is reached after all rounds is returned
    with its `stationarity`.

    Args:
        network: A trained network.
        objective: What it was trained on.
        stationarity: What is enough.
        evaluations: Gradient evaluations in a round.
        rounds: At most so many at each width.
        steps: At most so many of Newton's method.
        report: Told the fraction done.

    Returns:
        What was reached, also after Ctrl-C.
    """
    way = _Way(condense(network.to(dtype=torch.float64), objective.sample()[0]), objective, stationarity)
    is_complete = False
    try:
        with flushed_denormals(), torch.no_grad():
            for index, width in enumerate(_WIDTHS):
                stage = part(report, 0.2 * index, 0.2 * (index + 1))
                way.round_off(width, 10.0 * stationarity, rounds, evaluations, stage)
            if way.is_small:
                way.follow_kinks(steps, part(report, 0.4, 1.0))
            else:
                way.round_off(_LAST_WIDTHS[0], 10.0 * stationarity, rounds, evaluations, part(report, 0.4, 0.7))
                way.round_off(_LAST_WIDTHS[1], stationarity, rounds, evaluations, part(report, 0.7, 1.0))
        is_complete = True
    except KeyboardInterrupt:
        pass  # what was reached so far is the result
    return way.settled(is_complete=is_complete)


class _Way:
    """A network on its way to a stationary point; it may be left at any time."""

    def __init__(self, network: FullyConnected, objective: Objective, enough: float) -> None:
        self._network, self._objective, self._enough = network, objective, enough
        self._width: float | None = None  # of the rounding; None once the kinks are as they are

    @property
    def is_small(self) -> bool:
        """Whether second derivatives are affordable."""
        return self._network.parameter_count <= _MOST_WEIGHTS and len(self._objective.x) <= _MOST_ROWS

    def round_off(self, width: float, enough: float, rounds: int, evaluations: int, report: Report) -> None:
        """Rounds of L-BFGS with the kink rounded off over `width`, and without the neurons that then do nothing."""
        self._width = width
        for index in range(rounds):
            now = self._rounded(width)
            reached = _plain_stationarity(now, self._objective)
            report(index / rounds, f"gradient {reached:.1e} of the objective at kink width {width:g}")
            if reached <= enough:
                break
            found = natural_lbfgs(now, self._objective, evaluations=evaluations, memory=_MEMORY, seed=index)
            self._network = replace(found, activation=self._network.activation)
        self._network = condense(self._network, self._objective.sample()[0])

    def follow_kinks(self, steps: int, report: Report) -> None:
        """Newton's method until the least subgradient is small enough."""
        newton = KinkNewton(self._network, self._objective)
        self._width = None
        for index in range(steps):
            reached = least_subgradient(self._network, self._objective).stationarity
            report(index / steps, f"least subgradient {reached:.1e} of the objective")
            if reached <= self._enough or not newton.step():
                break
            self._network = newton.network

    def settled(self, *, is_complete: bool) -> Settled:
        """Where it is."""
        network, objective = self._network, self._objective
        value = objective.value(network)
        if self._width is None:
            least = least_subgradient(network, objective)
            return Settled(network, value, least.stationarity, BAND, least.on_the_kink, is_complete)
        reached = _plain_stationarity(self._rounded(self._width), objective)
        z = torch.cat([z.reshape(-1) for z in network.pre_activations(objective.sample()[0])[:-1]])
        on_the_kink = (int((z.abs() < self._width).sum()), z.numel())
        return Settled(network, value, reached, self._width, on_the_kink, is_complete)

    def _rounded(self, width: float) -> FullyConnected:
        return replace(self._network, activation=RoundedActivation(self._network.activation.negative_slope, width))


def _plain_stationarity(network: FullyConnected, objective: Objective) -> float:
    at = Parameters.of(network)
    slope = at.like(torch.zeros_like(at.vector))
    (value,) = objective.gradient(at, slope)
    return float(slope.vector.norm() / value)
