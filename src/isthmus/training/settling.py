r"""To stationarity, in float64.

At a minimum of the objective some of the pre-activations sit on the kink of σ at z = 0, because the loss has a valley
there: on one side of it the gradient points to the other. Gradients then do not go to zero however long one descends
(on the seed setting they stay at 5 % of the objective, with 3,000 of 350,000 pre-activations on the kink). What does
go to zero is the gradient of the objective with the kink rounded off over a width ε → 0: there the slope of a
pre-activation on the kink takes the value between its left and right slopes that balances the forces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.denormals import flushed_denormals
from isthmus.functions import Activation, FullyConnected
from isthmus.progress import Report, silent
from isthmus.training.condensing import condense
from isthmus.training.natural import natural_lbfgs
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters

_WIDTHS = (1e-2, 1e-3, 1e-4)  # ε, one after the other: the last is what stationarity is stated at
_MEMORY = 100


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
        value: The objective there, with σ itself.
        stationarity: $\|\nabla\| / \mathcal L_\lambda$ with the kink rounded off over `width`.
        width: ε.
        on_the_kink: Pre-activations with |z| < ε, and all of them.
        evaluations: Gradient evaluations spent.
    """

    network: FullyConnected
    value: float
    stationarity: float
    width: float
    on_the_kink: tuple[int, int]
    evaluations: int


def settle(
    network: FullyConnected,
    objective: Objective,
    *,
    stationarity: float = 1e-4,
    evaluations: int = 300,
    rounds: int = 20,
    report: Report = silent,
) -> Settled:
    """Descend to a stationary point, in float64, with the kink of σ rounded off less and less.

    Each round is natural L-BFGS. For small networks (some thousand weights) this takes seconds; for large ones the
    valley is long, and what is reached after all rounds is returned with its `stationarity`.

    Args:
        network: A trained network.
        objective: What it was trained on.
        stationarity: What is enough.
        evaluations: Gradient evaluations in a round.
        rounds: At most so many at each width.
        report: Told the fraction done.
    """
    x = objective.sample()[0]
    with flushed_denormals(), torch.no_grad():
        now = condense(network.to(dtype=torch.float64), x)
        spent, reached = 0, float("inf")
        for stage, width in enumerate(_WIDTHS):
            sigma = RoundedActivation(network.activation.negative_slope, width)
            now = replace(now, activation=sigma)
            # Before the last width it is enough to follow the valley.
            enough = stationarity if width == _WIDTHS[-1] else 10.0 * stationarity
            for round_ in range(rounds):
                reached = _stationarity(now, objective)
                done = (stage + round_ / rounds) / len(_WIDTHS)
                report(done, f"gradient {reached:.1e} of the objective at kink width {width:g}")
                if reached <= enough:
                    break
                now = natural_lbfgs(now, objective, evaluations=evaluations, memory=_MEMORY, seed=round_)
                spent += evaluations
        reached = _stationarity(now, objective)
        settled = replace(now, activation=network.activation)
        z = torch.cat([z.reshape(-1) for z in settled.pre_activations(x)[:-1]])
        on_the_kink = (int((z.abs() < _WIDTHS[-1]).sum()), z.numel())
        return Settled(settled, objective.value(settled), reached, _WIDTHS[-1], on_the_kink, spent)


def _stationarity(network: FullyConnected, objective: Objective) -> float:
    at = Parameters.of(network)
    slope = at.like(torch.zeros_like(at.vector))
    (value,) = objective.gradient(at, slope)
    return float(slope.vector.norm() / value)
