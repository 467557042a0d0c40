r"""Gradient descent on the cross-entropy alone, far beyond the first separation: where its implicit bias acts.

Once all rows are classified the loss E falls only as the margin grows, and plain gradients vanish with it. Steps of
size η / E make it descent on log E, whose gradients stay of the size of the margin's (Lyu & Li 2020, loss-based
learning rates; Nacson et al. 2019). η rises until a step does not lower E; heavy-ball momentum, which has the same
implicit bias on separable data (Wang et al. 2022), saves most of the steps. There is no ridge, no projection and no
rebalancing: whatever keeps the norm small is implicit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import Categorical
from isthmus.networks import FullyConnected
from isthmus.training import Objective, Parameters, rebalance

_MOMENTUM = 0.9
_RATE, _RISE, _FALL = 1e-3, 1.05, 0.5  # of the step: at first, after a step that lowers E, after one that does not
_SMALLEST = 1e-12  # a step size below it means that no step lowers E


@dataclass(frozen=True)
class DescentMoment:
    """A moment of the descent.

    Attributes:
        step: Gradient evaluations so far.
        loss: E, the mean cross-entropy.
        norm_per_depth: ‖w‖²/L.
        margin: The least over the rows of f_y(x) − max_{c ≠ y} f_c(x).
        unit_norm: ‖w‖²/L of the same classifier at margin 1, see `norm_at_unit_margin`; None where rows are
            misclassified.
    """

    step: int
    loss: float
    norm_per_depth: float
    margin: float
    unit_norm: float | None


class FarMargin(Categorical):
    r"""$v \log(1 + \sum_{c \ne y} e^{f_c - f_y})$, also far below rounding, where $1 - p_y$ is all rounding."""

    def gradient(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The sum over the rows, and its gradient."""
        own = torch.nn.functional.one_hot(targets, outputs.shape[-1]).bool().expand(outputs.shape)
        others = (outputs - outputs[own].view(*outputs.shape[:-1], 1)).masked_fill(own, -torch.inf)
        log_odds = others.logsumexp(-1)
        missing = log_odds.sigmoid()  # 1 − p_y
        gradient = torch.where(own, -missing[..., None], missing[..., None] * others.softmax(-1))
        losses = torch.nn.functional.softplus(log_odds)
        if weights is None:
            return losses.sum(-1), gradient
        return (weights * losses).sum(-1), weights[:, None] * gradient


def descend(
    network: FullyConnected, x: Tensor, y: Tensor, *, enough: float, steps: int, kept: Sequence[float]
) -> tuple[FullyConnected, list[DescentMoment]]:
    """Descend from `network` until E is at most `enough`, or for so many steps.

    Args:
        network: The start.
        x: `(n, d_in)`.
        y: Class indices `(n,)`.
        enough: E at which to stop.
        steps: At most so many gradient evaluations.
        kept: Losses, descending, at the first step below each of which a moment is kept; so are start and end.

    Returns:
        The network, and the moments. Where no step lowers E any more the last one is above `enough`.
    """
    objective = Objective(x.to(network.dtype), y, FarMargin(), 0.0)
    at = Parameters.of(network)
    slope = at.like(torch.zeros_like(at.vector))
    velocity, rate = torch.zeros_like(at.vector), _RATE
    found, waiting = [], list(kept)
    with torch.no_grad(), flushed_denormals():
        value = float(objective.gradient(at, slope))
        found.append(_moment(at, objective, 0, value))
        for step in range(1, steps + 1):
            before, gradient = at.vector.clone(), slope.vector.clone()
            velocity.mul_(_MOMENTUM).add_(gradient, alpha=1.0 / value)
            at.vector.sub_(velocity, alpha=rate)
            reached = float(objective.gradient(at, slope))
            if reached < value:
                value, rate = reached, rate * _RISE
            else:  # also where it is not a number
                at.vector.copy_(before)
                slope.vector.copy_(gradient)
                velocity.zero_()
                rate *= _FALL
            is_last = value <= enough or step == steps or rate < _SMALLEST
            if is_last or (waiting and value <= waiting[0]):
                waiting = [loss for loss in waiting if loss < value]
                found.append(_moment(at, objective, step, value))
            if is_last:
                break
        return at.network(), found


def _moment(at: Parameters, objective: Objective, step: int, value: float) -> DescentMoment:
    network, (x, y) = at.network(), objective.sample()
    margin = least_margin(network, x, y)
    unit = norm_at_unit_margin(network, margin) if margin > 0 else None
    return DescentMoment(step, value, network.norm_per_depth, margin, unit)


def least_margin(network: FullyConnected, x: Tensor, y: Tensor) -> float:
    """The least of f_y(x) − max_{c ≠ y} f_c(x) over the rows; positive where all are classified."""
    outputs = network(x).double()
    own = torch.nn.functional.one_hot(y, outputs.shape[1]).bool()
    return float((outputs[own] - outputs.masked_fill(own, -torch.inf).amax(1)).min())


def norm_at_unit_margin(network: FullyConnected, margin: float) -> float:
    r"""‖w‖²/L of a network that computes f/γ, γ the margin of f: what max-margin solutions minimise.

    $W_\ell \gamma^{-1/L}$ and $b_\ell \gamma^{-\ell/L}$ compute f/γ, exactly, and neurons are rebalanced, which changes
    no function. Without biases and balanced this is $\bar\gamma^{-2/L}$ with Lyu and Li's normalised margin
    $\bar\gamma = \gamma / (\|w\|^2/L)^{L/2}$, which grows on their path as this falls.
    """
    depth = network.depth
    weights = tuple(w.double() * margin ** (-1 / depth) for w in network.weights)
    biases = tuple(b.double() * margin ** (-layer / depth) for layer, b in enumerate(network.biases, start=1))
    return rebalance(FullyConnected(weights, biases, network.activation)).norm_per_depth
