"""Train on under the constraint that f passes through k numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.foundation.denormals import flushed_denormals
from isthmus.networks import FullyConnected
from isthmus.training import Objective, Parameters, lbfgs


def refit(
    network: FullyConnected,
    layer: int,
    rank: int,
    objective: Objective,
    *,
    evaluations: int = 150,
    memory: int = 30,
) -> FullyConnected:
    r"""Minimise $\mathcal L_\lambda$ subject to rank $W_{\ell+1} \le k$.

    The constrained weight is carried as $W_{\ell+1} = B A$ with A `(k, n_ℓ)` and B `(n_{ℓ+1}, k)`; the objective is
    that of the whole network, so its value can be compared with the unconstrained one. A sheet of dimension k that
    lies folded in k + 1 dimensions has no flat projection that is one-to-one; a refit can unfold it.

    Args:
        network: Where to start; of $W_{\ell+1}$ the best approximation of rank k is taken.
        layer: ℓ in 0 … L − 1: the coordinates are of $a_\ell$ (ℓ = 0: the inputs).
        rank: k ≥ 1.
        objective: What to minimise, with its data in the network's units.
        evaluations: Gradient evaluations to spend.
        memory: Pairs that L-BFGS keeps.

    Returns:
        A network of the same shapes that factors through $\mathbb R^k$ at layer ℓ.
    """
    u, s, vt = torch.linalg.svd(network.weights[layer].double(), full_matrices=False)
    roots = s[:rank].sqrt()
    left, right = (u[:, :rank] * roots).to(network.dtype), (roots[:, None] * vt[:rank]).to(network.dtype)
    flat = Parameters.of(network).vector[0]
    vector = torch.cat([flat, left.reshape(-1), right.reshape(-1)])
    gradient = torch.zeros_like(vector)
    point = _Constrained.around(vector, network, layer, left.shape, right.shape)
    slope = _Constrained.around(gradient, network, layer, left.shape, right.shape)

    def evaluate() -> Tensor:
        point.multiply()
        value = objective.gradient(point.whole, slope.whole)[0]
        inner = slope.weight
        torch.mm(inner, point.right.T, out=slope.left)
        torch.mm(point.left.T, inner, out=slope.right)
        inner.zero_()  # the product is not free to move; its factors are
        return value

    with flushed_denormals(), torch.no_grad():
        lbfgs(vector, gradient, evaluate, evaluations=evaluations, memory=memory)
        point.multiply()
    found = point.whole.network()
    return FullyConnected(
        tuple(w.clone() for w in found.weights), tuple(b.clone() for b in found.biases), found.activation
    )


class _Constrained:
    """Views of one vector: a whole network, and two factors whose product is one of its weights."""

    def __init__(self, whole: Parameters, at: int, left: Tensor, right: Tensor) -> None:
        self.whole, self.left, self.right = whole, left, right
        self.weight = whole.weights[at][0]

    @staticmethod
    def around(
        vector: Tensor, like: FullyConnected, at: int, left: tuple[int, ...], right: tuple[int, ...]
    ) -> _Constrained:
        p = like.parameter_count
        middle = p + left[0] * left[1]
        return _Constrained(
            Parameters.around(vector[None, :p], like.widths, like.activation),
            at,
            vector[p:middle].view(left),
            vector[middle:].view(right),
        )

    def multiply(self) -> None:
        torch.mm(self.left, self.right, out=self.weight)
