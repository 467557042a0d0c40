"""L-BFGS in coordinates in which the curvature of the objective is about the same in all directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.training.curvature import CurvatureFrame, curvatures
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters
from isthmus.training.quasi_newton import Proceed, lbfgs


def natural_lbfgs(
    network: FullyConnected,
    objective: Objective,
    *,
    evaluations: int,
    memory: int,
    seed: int = 0,
    into: Parameters | None = None,
) -> FullyConnected:
    r"""Minimise the objective from `network` by L-BFGS, preconditioned by the curvature of the layers.

    The step is taken in the coordinates of each layer's `CurvatureFrame`.

    Args:
        network: Where to start.
        objective: What to minimise.
        evaluations: Gradient evaluations to spend.
        memory: Pairs that L-BFGS keeps.
        seed: Draws the estimate of the curvature.
        into: One network of the same shape that receives the best one evaluated, also if the search is interrupted.

    Returns:
        The best network that was evaluated.
    """
    at = Parameters.of(network)
    slope = at.like(torch.zeros_like(at.vector))
    ridge = 2.0 * objective.ridge / network.depth
    frames = [CurvatureFrame(each.inputs, each.outputs, ridge) for each in curvatures(network, objective, seed)]
    problem = _Layers(at, slope, objective)
    try:
        minimize_matrices(problem, frames, evaluations=evaluations, memory=memory)
    finally:
        if into is not None:
            into.vector.copy_(at.vector)
    return at.network()


class MatrixProblem(Protocol):
    """An objective of several matrices."""

    @property
    def matrices(self) -> list[Tensor]:
        """As they are; copies."""

    def move(self, matrices: Sequence[Tensor]) -> None:
        """Set them."""

    def slopes(self) -> tuple[Tensor, list[Tensor]]:
        """The objective, and its gradient by each of them."""


def minimize_matrices(
    problem: MatrixProblem,
    frames: Sequence[CurvatureFrame],
    *,
    evaluations: int,
    memory: int,
    proceed: Proceed | None = None,
) -> None:
    """Minimise by L-BFGS in the coordinates of a frame for each matrix; they end at the best that was evaluated.

    Args:
        problem: What to minimise, where to start.
        frames: One for each of its matrices.
        evaluations: Gradient evaluations to spend.
        memory: Pairs that L-BFGS keeps.
        proceed: As for `lbfgs`.
    """
    begin = problem.matrices
    sizes = [each.numel() for each in begin]
    vector = torch.zeros(sum(sizes), dtype=begin[0].dtype, device=begin[0].device)
    gradient = torch.zeros_like(vector)

    def move() -> None:
        moved = zip(begin, frames, vector.split(sizes), strict=True)
        problem.move([each + frame.turned_back(v.view_as(each)) for each, frame, v in moved])

    def evaluate() -> Tensor:
        move()
        value, slopes = problem.slopes()
        for frame, slope, g in zip(frames, slopes, gradient.split(sizes), strict=True):
            g.copy_(frame.turned(slope).reshape(-1))
        return value

    try:
        lbfgs(vector, gradient, evaluate, evaluations=evaluations, memory=memory, proceed=proceed)
    finally:
        move()


class _Layers:
    """The objective by [W, b] of each layer."""

    def __init__(self, at: Parameters, slope: Parameters, objective: Objective) -> None:
        self._at, self._slope, self._objective = at, slope, objective

    @property
    def matrices(self) -> list[Tensor]:
        return self._at.joined()

    def move(self, matrices: Sequence[Tensor]) -> None:
        self._at.assign_joined(matrices)

    def slopes(self) -> tuple[Tensor, list[Tensor]]:
        value = self._objective.gradient(self._at, self._slope)[0]
        return value, self._slope.joined()
