"""Gradient descent and Adam on the regularised cross-entropy, for all λ at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from isthmus.foundation.denormals import flushed_denormals
from isthmus.networks import FullyConnected
from isthmus.training import Adam, Objective, Parameters

_RISE, _FALL = 1.05, 0.5  # of a step that lowers the objective, and of one that does not


def gradient_descent(
    network: FullyConnected, objective: Objective, ridges: Sequence[float], *, steps: int, rate: float
) -> list[FullyConnected]:
    """Plain gradient descent from one start, for each λ with its own step size, which grows until a step fails.

    No momentum, no projection, no rebalancing: a step that does not lower the objective is taken back.
    """
    at, shared = _copies(network, len(ridges)), torch.tensor(ridges)
    slope = at.like(torch.zeros_like(at.vector))
    rates = torch.full((len(ridges),), rate)
    with torch.no_grad(), flushed_denormals():
        value = objective.gradient(at, slope, shared)
        for _ in range(steps):
            before, gradient = at.vector.clone(), slope.vector.clone()
            at.vector.sub_(rates[:, None] * gradient)
            reached = objective.gradient(at, slope, shared)
            is_lower = reached < value
            at.vector.copy_(torch.where(is_lower[:, None], at.vector, before))
            slope.vector.copy_(torch.where(is_lower[:, None], slope.vector, gradient))
            value = torch.where(is_lower, reached, value)
            rates = torch.where(is_lower, rates * _RISE, rates * _FALL)
    return [at.network(index) for index in range(len(ridges))]


def adam(
    network: FullyConnected, objective: Objective, ridges: Sequence[float], *, steps: int, rate: float
) -> list[FullyConnected]:
    """Adam from one start for each λ, its rate falling to 0 along a cosine."""
    at, shared = _copies(network, len(ridges)), torch.tensor(ridges)
    slope = at.like(torch.zeros_like(at.vector))
    steps_down = Adam(at.vector, slope.vector)
    with torch.no_grad(), flushed_denormals():
        for step in range(1, steps + 1):
            objective.gradient(at, slope, shared)
            steps_down.step(rate * 0.5 * (1.0 + math.cos(math.pi * step / steps)))
    return [at.network(index) for index in range(len(ridges))]


def _copies(network: FullyConnected, count: int) -> Parameters:
    return Parameters.of([network] * count)
