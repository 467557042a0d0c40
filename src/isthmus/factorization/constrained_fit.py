"""Train on under the constraint that f passes through k numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from isthmus.foundation.denormals import flushed_denormals
from isthmus.networks import FullyConnected
from isthmus.training import CurvatureFrame, Objective, Parameters, Proceed, curvatures, minimize_matrices


def refit(
    network: FullyConnected,
    layer: int,
    rank: int,
    objective: Objective,
    *,
    evaluations: int = 150,
    memory: int = 30,
    proceed: Proceed | None = None,
) -> FullyConnected:
    r"""Minimise $\mathcal L_\lambda$ subject to rank $W_{\ell+1} \le k$.

    The constrained weight is carried as $W_{\ell+1} = B A$ with A `(k, n_ℓ)` and B `(n_{ℓ+1}, k)`; the objective is
    that of the whole network, so its value can be compared with the unconstrained one. A sheet of dimension k that
    lies folded in k + 1 dimensions has no flat projection that is one-to-one; a refit can unfold it. Steps are taken in
    coordinates of equal curvature, as by `natural_lbfgs`, with A and B as layers: that halves the evaluations.

    Args:
        network: Where to start; of $W_{\ell+1}$ the best approximation of rank k is taken.
        layer: ℓ in 0 … L − 1: the coordinates are of $a_\ell$ (ℓ = 0: the inputs).
        rank: k ≥ 1.
        objective: What to minimise, with its data in the network's units.
        evaluations: Gradient evaluations to spend.
        memory: Pairs that L-BFGS keeps.
        proceed: Asked after each step, of how many evaluations and of the least objective, whether to go on.

    Returns:
        A network of the same shapes that factors through $\mathbb R^k$ at layer ℓ.
    """
    with flushed_denormals(), torch.no_grad():
        problem = _Constrained(network, layer, rank, objective)
        minimize_matrices(problem, problem.frames(), evaluations=evaluations, memory=memory, proceed=proceed)
    found = problem.network
    return FullyConnected(
        tuple(w.clone() for w in found.weights), tuple(b.clone() for b in found.biases), found.activation
    )


class _Constrained:
    """The objective by [W, b] of each layer; of the constrained one by A and by [B, b]."""

    def __init__(self, network: FullyConnected, layer: int, rank: int, objective: Objective) -> None:
        u, s, vt = torch.linalg.svd(network.weights[layer].double(), full_matrices=False)
        roots = s[:rank].sqrt()
        self._left, self._right = (
            (u[:, :rank] * roots).to(network.dtype),
            (roots[:, None] * vt[:rank]).to(network.dtype),
        )
        self._layer, self._objective = layer, objective
        self._at = Parameters.of(network)
        self._at.weights[layer][0] = self._left @ self._right
        self._slope = self._at.like(torch.zeros_like(self._at.vector))

    @property
    def network(self) -> FullyConnected:
        return self._at.network()

    def frames(self) -> list[CurvatureFrame]:
        """Of the matrices; the ridge of a factor is that of the product, whose length the other one scales."""
        ridge = 2.0 * self._objective.ridge / self._at.depth
        found = curvatures(self.network, self._objective, seed=0)
        frames = [CurvatureFrame(each.inputs, each.outputs, ridge) for each in found]
        left, right, rank = self._left, self._right, len(self._right)
        inputs, outputs = found[self._layer].inputs, found[self._layer].outputs
        passed = torch.block_diag(right, torch.ones_like(right[:1, :1]))
        frames[self._layer : self._layer + 1] = [
            CurvatureFrame(inputs[:-1, :-1], left.T @ outputs @ left, ridge * float(left.square().sum()) / rank),
            CurvatureFrame(passed @ inputs @ passed.T, outputs, ridge * float(right.square().sum()) / rank),
        ]
        return frames

    @property
    def matrices(self) -> list[Tensor]:
        found = self._at.joined()
        bias = found[self._layer][:, -1:]
        found[self._layer : self._layer + 1] = [self._right.clone(), torch.cat([self._left, bias], 1)]
        return found

    def move(self, matrices: Sequence[Tensor]) -> None:
        layer = self._layer
        self._right, with_bias = matrices[layer : layer + 2]
        self._left = with_bias[:, :-1]
        product = torch.cat([self._left @ self._right, with_bias[:, -1:]], 1)
        self._at.assign_joined([*matrices[:layer], product, *matrices[layer + 2 :]])

    def slopes(self) -> tuple[Tensor, list[Tensor]]:
        value = self._objective.gradient(self._at, self._slope)[0]
        found = self._slope.joined()
        of_product, of_bias = found[self._layer][:, :-1], found[self._layer][:, -1:]
        factors = [self._left.T @ of_product, torch.cat([of_product @ self._right.T, of_bias], 1)]
        found[self._layer : self._layer + 1] = factors
        return value, found
