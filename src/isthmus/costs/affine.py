r"""What an affine map costs where every bias is regularised: networks without a nonlinearity.

A linear network of depth L computes $A = W_L \cdots W_1$ and $b = \sum_\ell W_L \cdots W_{\ell+1} b_\ell$, and pays
$\sum_\ell \|W_\ell\|_F^2 + \|b_\ell\|^2$. What is known of the least, R(A, b; L):

- **L = 1**: $R = \|A\|_F^2 + \|b\|^2$.
- **L = 2**: $R = \min_c 2\,\|[A, b - c]\|_* + \|c\|^2$, as $W_2 [W_1, b_1] = [A, b - b_2]$; a convex programme with the
  dual $\max \{2\langle Y, A\rangle + 2 z^\top b - \|z\|^2 : \|[Y, z]\|_{op} \le 1\}$.
- **L ≥ 1, below**: $R \ge L \sum_i s_i(A)^{2/L}$ by `matrix_cost`; and $R \ge L \sum_i s_i(\tilde A)^{2/L} - L$ with
  $\tilde A = \begin{pmatrix} A & b \\ 0 & 1 \end{pmatrix}$, which is the product of the augmented matrices
  $\begin{pmatrix} W_\ell & b_\ell \\ 0 & 1 \end{pmatrix}$, of squared norms $\|W_\ell\|_F^2 + \|b_\ell\|^2 + 1$. The
  second is exact at L = 1.
- **L ≥ 1, above**: a network that is built. Either the weights are those of A alone and the biases the least that
  restore b with them, $\sum_i q_i^2 / \sum_{j<L} s_i^{2j/L}$ with $q_i = u_i^\top b$; or b − c is one more column of
  the first weight and c is the last bias. Beyond L = 2 neither is claimed to be the least.

Source: the product of augmented matrices and the cases above are derived here, on `isthmus.costs.linear`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.costs.linear import balanced_network, check_depth, matrix_cost
from isthmus.errors import ShapeError
from isthmus.foundation.arrays import as_matrix
from isthmus.networks import IDENTITY, FullyConnected

_STEPS = 500
"""Of the iteration for L = 2: it converges linearly, and stops when its bracket does not shrink any more."""


@dataclass(frozen=True, eq=False)
class AffineCost:
    """A bracket of the least ‖w‖², biases included, of linear networks for an affine map.

    Attributes:
        depth: L.
        lower: R is at least this.
        upper: R is at most this: `network.squared_norm`.
        network: The network that proves `upper`.
    """

    depth: int
    lower: float
    upper: float
    network: FullyConnected


def affine_cost(matrix: object, shift: object, depth: int) -> AffineCost:
    r"""The cost of $x \mapsto A x + b$ by linear networks of depth L with regularised biases.

    Equal ends (to rounding) for L = 1 and for b = 0, equal to about 1e-9 for L = 2, a bracket beyond.

    Args:
        matrix: A, `(d_out, d_in)`.
        shift: b, `(d_out,)`.
        depth: L ≥ 1.

    Raises:
        OptionError: If L is no integer ≥ 1.
        ShapeError, DtypeError, NonFiniteError: If A and b are not real, finite and of matching shapes.
    """
    check_depth(depth)
    a = as_matrix(matrix, "the matrix").double()
    b = torch.as_tensor(shift)
    if b.ndim != 1 or len(b) != len(a):
        raise ShapeError(
            f"The shift has shape {tuple(b.shape)}; the matrix has {len(a)} rows, so ({len(a)},) is needed."
        )
    b = as_matrix(b[None], "the shift")[0].double()
    augmented = torch.cat([torch.cat([a, b[:, None]], 1), torch.eye(a.shape[1] + 1, dtype=a.dtype)[-1:]])
    below = [matrix_cost(a, depth).total, matrix_cost(augmented, depth).total - depth]
    networks = [_with_least_biases(a, b, depth)]
    if depth > 1:
        networks += [_with_a_column(a, b - c, c, depth) for c in (torch.zeros_like(b), _radial_split(a, b, depth))]
    if depth == 2:
        c, value = _least_split(a, b)
        networks.append(_with_a_column(a, b - c, c, depth))
        below.append(value)
    best = min(networks, key=lambda network: network.squared_norm)
    # Rounding may lift a lower end that equals the upper one above it.
    return AffineCost(depth, min(max(below), best.squared_norm), best.squared_norm, best)


def _with_least_biases(a: Tensor, b: Tensor, depth: int) -> FullyConnected:
    """Balanced weights of A, and of all biases that give b with these weights the least."""
    weights = balanced_network(a, depth).weights
    reach = [torch.eye(len(b), dtype=b.dtype)]
    for w in weights[:0:-1]:
        reach.insert(0, reach[0] @ w)
    # The least-norm solution of Σ reach_ℓ b_ℓ = b; the last block is the identity, so the sum is invertible.
    multiplier = torch.linalg.solve(sum((m @ m.T for m in reach), torch.zeros_like(reach[-1])), b)
    return FullyConnected(weights, tuple(m.T @ multiplier for m in reach), IDENTITY)


def _with_a_column(a: Tensor, column: Tensor, last: Tensor, depth: int) -> FullyConnected:
    """Balanced factors of [A, column]: the column is the first bias; `last` is the last bias."""
    joint = balanced_network(torch.cat([a, column[:, None]], 1), depth)
    biases = (joint.weights[0][:, -1], *joint.biases[1:-1], last)
    return FullyConnected((joint.weights[0][:, :-1], *joint.weights[1:]), biases, IDENTITY)


def _radial_split(a: Tensor, b: Tensor, depth: int) -> Tensor:
    """c = θb with the best θ of a grid: any θ is allowed, so a coarse one only costs tightness."""
    grid = torch.linspace(0, 1, 65, dtype=b.dtype)[:-1]
    costs = [
        matrix_cost(torch.cat([a, (1 - t) * b[:, None]], 1), depth).total + float((t * b).square().sum()) for t in grid
    ]
    return grid[costs.index(min(costs))] * b


def _least_split(a: Tensor, b: Tensor) -> tuple[Tensor, float]:
    r"""The minimising c of $2\|[A, b - c]\|_* + \|c\|^2$, and a dual value.

    $2\|X\|_* = \min_{P \succ 0} \operatorname{tr} P^{-1} X X^\top + \operatorname{tr} P$, attained at
    $P = (X X^\top)^{1/2}$; alternating with the minimum over c, $c = (I + P)^{-1} b$, only lowers the value. There
    $P^{-1} (b - c) = c$, so $[P^{-1} A, c]$, scaled to operator norm 1 where it exceeds it, is feasible for the dual.
    """
    eye, c, best, least = torch.eye(len(b), dtype=b.dtype), b / 2, -math.inf, math.inf
    kept = c
    for _ in range(_STEPS):
        u, s, _ = torch.linalg.svd(torch.cat([a, (b - c)[:, None]], 1), full_matrices=False)
        p = (u * s) @ u.T
        c = torch.linalg.solve(eye + p, b)
        y = torch.linalg.pinv(p, hermitian=True, rtol=1e-14) @ a
        dual = torch.cat([y, c[:, None]], 1)
        dual = dual / torch.linalg.matrix_norm(dual, 2).clamp(min=1.0)
        z = dual[:, -1]
        best = max(best, 2 * float((dual[:, :-1] * a).sum() + z @ b) - float(z @ z))
        primal = 2 * float(torch.linalg.svdvals(torch.cat([a, (b - c)[:, None]], 1)).sum()) + float(c @ c)
        if primal < least:
            kept, least = c, primal
        if least - best <= 1e-14 * least:
            break
    return kept, best
