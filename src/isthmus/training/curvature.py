"""The curvature of the objective at each layer, and coordinates in which it is about the same in all directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.training.objective import Objective

_DAMPING = 0.1  # added to a layer's curvatures, relative to their mean
_ROWS = 4096  # rows from which the curvature is estimated
_SAMPLES = 2  # backward passes that estimate the output side
_LARGEST_SIDE = 1024  # a side longer than this keeps its own basis: its eigenvectors would cost more than they save


@dataclass(frozen=True, eq=False)
class Curvature:
    r"""The Gauss–Newton matrix of a layer $[W, b]$ is about $A \otimes B$ (Kronecker-factored curvature).

    Attributes:
        inputs: A, second moments of the layer's inputs $(a, 1)$, `(n_{ℓ-1} + 1, n_{ℓ-1} + 1)`.
        outputs: B, those of the loss's curvature pulled back to its outputs, `(n_ℓ, n_ℓ)`.

    Source:
        Martens & Grosse (2015) for the factors.
    """

    inputs: Tensor
    outputs: Tensor


def curvatures(network: FullyConnected, objective: Objective, seed: int) -> list[Curvature]:
    """Of every layer, rows weighted as in the objective.

    Args:
        network: At which.
        objective: Of which.
        seed: Draws the estimate of the output side.
    """
    every = slice(0, len(objective.x), -(-len(objective.x) // _ROWS))
    few = objective.x[every]
    roots = None if objective.weights is None else objective.weights[every, None].sqrt().to(few)
    a, z = network.trace(few)
    generator = torch.Generator().manual_seed(seed)
    outputs = [torch.zeros(len(w), len(w), dtype=w.dtype, device=w.device) for w in network.weights]
    for _ in range(_SAMPLES):
        noise = torch.randn(z[-1].shape, generator=generator, dtype=torch.float64).to(z[-1])
        delta = objective.likelihood.curved(noise, z[-1])
        delta = delta if roots is None else roots * delta
        for layer in reversed(range(network.depth)):
            outputs[layer].addmm_(delta.T, delta, alpha=1.0 / (_SAMPLES * len(few)))
            if layer:
                delta = network.activation.pulled_back(delta @ network.weights[layer], z[layer - 1])
    return [Curvature(_second_moments(a_in, roots), b) for a_in, b in zip(a, outputs, strict=True)]


class CurvatureFrame:
    r"""Coordinates V of a matrix, $W = W_0 + U_B (S \circ V) U_A^\top$.

    The curvature is about 1 in them: $S_{ij} = (\beta_i \alpha_j + r + \delta)^{-1/2}$, with
    $A = U_A \operatorname{diag}(\alpha) U_A^\top$ and $B = U_B \operatorname{diag}(\beta) U_B^\top$.

    Args:
        inputs: A.
        outputs: B.
        ridge: r, the curvature of the ridge.
    """

    def __init__(self, inputs: Tensor, outputs: Tensor, ridge: float) -> None:
        alpha, self._right = _eigenbasis(inputs)
        beta, self._left = _eigenbasis(outputs)
        curvature = beta.clamp_min(0.0)[:, None] * alpha.clamp_min(0.0)
        self._scale = (curvature + ridge + _DAMPING * curvature.mean()).rsqrt()

    def turned(self, g: Tensor) -> Tensor:
        """A gradient by W as a gradient by V."""
        if self._left is not None:
            g = self._left.T @ g
        if self._right is not None:
            g = g @ self._right
        return self._scale * g

    def turned_back(self, v: Tensor) -> Tensor:
        """A change of V as a change of W."""
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


def _second_moments(a: Tensor, roots: Tensor | None) -> Tensor:
    extended = torch.cat([a, torch.ones_like(a[:, :1])], 1)
    extended = extended if roots is None else roots * extended
    moments: Tensor = extended.T @ extended / len(a)
    return moments
