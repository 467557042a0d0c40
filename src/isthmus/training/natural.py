"""L-BFGS in coordinates in which the curvature of the objective is about the same in all directions."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters
from isthmus.training.quasi_newton import lbfgs

_DAMPING = 0.1  # added to a layer's curvatures, relative to their mean
_ROWS = 4096  # rows from which the curvature is estimated
_SAMPLES = 2  # backward passes that estimate the output side
_LARGEST_SIDE = 1024  # a side longer than this keeps its own basis: its eigenvectors would cost more than they save


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

    The Gauss–Newton matrix of layer ℓ is about $A_\ell \otimes B_\ell$ with $A_\ell$ the second moments of its inputs
    $(a, 1)$ and $B_\ell$ those of the loss's curvature pulled back to its outputs (Kronecker-factored curvature), rows
    weighted as in the objective. With $A = U_A \operatorname{diag}(\alpha) U_A^\top$,
    $B = U_B \operatorname{diag}(\beta) U_B^\top$ the step is taken in V, where
    $[W, b] = [W, b]_0 + U_B (S \circ V) U_A^\top$ and $S_{ij} = (\beta_i \alpha_j + 2\lambda/L + \delta)^{-1/2}$.

    Args:
        network: Where to start.
        objective: What to minimise.
        evaluations: Gradient evaluations to spend.
        memory: Pairs that L-BFGS keeps.
        seed: Draws the estimate of the curvature.
        into: One network of the same shape that receives the best one evaluated, also if the search is interrupted.

    Returns:
        The best network that was evaluated.

    Source:
        Martens & Grosse (2015) for the factors.
    """
    at = Parameters.of(network)
    slope = at.like(torch.zeros_like(at.vector))
    frames = _frames(at, objective, seed)
    begin = [_joint(at, layer).clone() for layer in range(at.depth)]
    sizes = [j.numel() for j in begin]
    vector = torch.zeros(sum(sizes), dtype=at.vector.dtype, device=at.vector.device)
    gradient = torch.zeros_like(vector)

    def move() -> None:
        for layer, (j, frame, v) in enumerate(zip(begin, frames, vector.split(sizes), strict=True)):
            moved = j + frame.turned_back(v.view_as(j))
            at.weights[layer][0] = moved[:, :-1]
            at.biases[layer][0] = moved[:, -1]

    def evaluate() -> Tensor:
        move()
        value = objective.gradient(at, slope)[0]
        for layer, (frame, g) in enumerate(zip(frames, gradient.split(sizes), strict=True)):
            g.copy_(frame.turned(_joint(slope, layer)).reshape(-1))
        return value

    try:
        lbfgs(vector, gradient, evaluate, evaluations=evaluations, memory=memory)
    finally:
        move()
        if into is not None:
            into.vector.copy_(at.vector)
    return at.network()


class _Frame:
    """The coordinates V of one layer."""

    def __init__(self, inputs: Tensor, outputs: Tensor, ridge: float) -> None:
        alpha, self._right = _eigenbasis(inputs)
        beta, self._left = _eigenbasis(outputs)
        curvature = beta.clamp_min(0.0)[:, None] * alpha.clamp_min(0.0)
        self._scale = (curvature + ridge + _DAMPING * curvature.mean()).rsqrt()

    def turned(self, g: Tensor) -> Tensor:
        """A gradient by [W, b] as a gradient by V."""
        if self._left is not None:
            g = self._left.T @ g
        if self._right is not None:
            g = g @ self._right
        return self._scale * g

    def turned_back(self, v: Tensor) -> Tensor:
        """A change of V as a change of [W, b]."""
        v = self._scale * v
        if self._left is not None:
            v = self._left @ v
        return v if self._right is None else v @ self._right.T


def _eigenbasis(moments: Tensor) -> tuple[Tensor, Tensor | None]:
    """Eigenvalues and eigenvectors; of a long side the diagonal and None."""
    if len(moments) > _LARGEST_SIDE:
        return moments.diagonal(), None
    values, vectors = torch.linalg.eigh(moments)
    return values, vectors


def _joint(parameters: Parameters, layer: int) -> Tensor:
    return torch.cat([parameters.weights[layer][0], parameters.biases[layer][0][:, None]], 1)


def _frames(at: Parameters, objective: Objective, seed: int) -> list[_Frame]:
    n = len(objective.x)
    every = slice(0, n, -(-n // _ROWS))
    few = objective.x[every]
    roots = None if objective.weights is None else objective.weights[every, None].sqrt().to(few)
    network, rows = at.network(), len(few)
    a, z = network.trace(few)
    generator = torch.Generator().manual_seed(seed)
    outputs = [torch.zeros(len(w), len(w), dtype=w.dtype, device=w.device) for w in network.weights]
    for _ in range(_SAMPLES):
        noise = torch.randn(z[-1].shape, generator=generator, dtype=torch.float64).to(z[-1])
        delta = objective.likelihood.curved(noise, z[-1])
        delta = delta if roots is None else roots * delta
        for layer in reversed(range(network.depth)):
            outputs[layer].addmm_(delta.T, delta, alpha=1.0 / (_SAMPLES * rows))
            if layer:
                delta = network.activation.pulled_back(delta @ network.weights[layer], z[layer - 1])
    ridge = 2.0 * objective.ridge / network.depth
    return [_Frame(_second_moments(a_in, roots), b, ridge) for a_in, b in zip(a, outputs, strict=True)]


def _second_moments(a: Tensor, roots: Tensor | None) -> Tensor:
    extended = torch.cat([a, torch.ones_like(a[:, :1])], 1)
    extended = extended if roots is None else roots * extended
    moments: Tensor = extended.T @ extended / len(a)
    return moments
