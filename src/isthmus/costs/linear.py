r"""What linear networks cost, in closed form: ℓp and Schatten quasi-norms with p = 2/L.

A *diagonal* network computes $x \mapsto v^\top x$, $v = w_1 \odot \dots \odot w_L$, a *fully connected* one
$x \mapsto A x$ with $A = W_L \cdots W_1$ and widths at least rank A. Neither has biases here (see `affine_cost`).

$$R(v; L) / L = \sum_i |v_i|^{2/L} \to \|v\|_0, \qquad
  R(A; L) / L = \sum_{s_i > 0} s_i(A)^{2/L} \to \operatorname{rank} A \qquad (L \to \infty).$$

*Proof.* Diagonal: $\sum_\ell w_{\ell,i}^2 \ge L\,|v_i|^{2/L}$ by the inequality of arithmetic and geometric means, with
equality for $|w_{\ell,i}| = |v_i|^{1/L}$. Matrices: $\sum_\ell \|W_\ell\|_F^2 = \sum_i \sum_\ell s_i(W_\ell)^2 \ge
L \sum_i \prod_\ell s_i(W_\ell)^{2/L} \ge L \sum_i s_i(A)^{2/L}$; the last step is Horn's inequality (products of the
largest singular values majorise in the logarithm, and $e^{2t/L}$ is convex and increasing). Equality for the balanced
factors $Q_\ell S^{1/L} Q_{\ell-1}^\top$ with $Q_0 = V$, $Q_L = U$.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import OptionError, ShapeError
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import IDENTITY, FullyConnected


@dataclass(frozen=True, eq=False)
class LinearCost:
    r"""The representation cost of a linear map at one depth.

    Attributes:
        depth: L.
        magnitudes: The nonzero $|v_i|$ or $s_i(A)$, in descending order, `(r,)`, float64.
        gradient: Derivative of R/L by the entries of v `(d,)` or A `(d_out, d_in)`, of the shape given. None where
            there is none: for L > 2 with a zero among the $|v_i|$ or the min(d_out, d_in) singular values, R/L has an
            infinite slope there. For L = 2 and such a zero, R/L has a kink and this is its subgradient of least norm.
        is_differentiable: Whether R/L is differentiable at v or A: L = 1, or no such zero.
    """

    depth: int
    magnitudes: Tensor
    gradient: Tensor | None
    is_differentiable: bool

    @property
    def per_depth(self) -> float:
        """R/L."""
        return float((self.magnitudes ** (2 / self.depth)).sum())

    @property
    def total(self) -> float:
        """R, the least ‖w‖²."""
        return self.depth * self.per_depth

    @property
    def limit(self) -> int:
        r"""$\lim_{L \to \infty} R/L$: $\|v\|_0$ or rank A."""
        return len(self.magnitudes)

    @property
    def depth_derivative(self) -> float:
        r"""Derivative of R/L by L as a real number: $-\tfrac{2}{L^2} \sum_i s_i^{2/L} \log s_i$."""
        s = self.magnitudes
        return float(-2 / self.depth**2 * (s ** (2 / self.depth) * s.log()).sum())


def matrix_cost(matrix: object, depth: int, *, tolerance: Tolerance | None = None) -> LinearCost:
    r"""The cost of $x \mapsto A x$ by fully connected linear networks of depth L without biases.

    Args:
        matrix: A, `(d_out, d_in)`.
        depth: L ≥ 1.
        tolerance: Which singular values are zero. By default those within rounding,
            $\max(d_{out}, d_{in})\,\varepsilon\,s_1$ with the ε of float64: whether one of $10^{-14}$ is zero matters,
            for at L = 20 it costs 0.04.

    Raises:
        OptionError: If L is no integer ≥ 1.
        ShapeError, DtypeError, NonFiniteError: If A is not a real, finite matrix.

    Source:
        Jacot (2023), preliminaries; Dai, Karzand and Srebro (2021).
    """
    check_depth(depth)
    a = as_matrix(matrix, "the matrix").double()
    u, s, vt = _reduced_svd(a, tolerance)
    is_full = len(s) == min(a.shape)
    gradient = None
    if is_full or depth <= 2:
        gradient = (u * _power_slope(s, depth)) @ vt
    return LinearCost(depth, s, gradient, is_full or depth == 1)


def diagonal_cost(vector: object, depth: int) -> LinearCost:
    r"""The cost of $x \mapsto v^\top x$ by diagonal linear networks of depth L; an entry counts as zero if it is 0.

    Args:
        vector: v, `(d,)`.
        depth: L ≥ 1.

    Raises:
        OptionError: If L is no integer ≥ 1.
        ShapeError, DtypeError, NonFiniteError: If v is not a real, finite vector.

    Source:
        Jacot (2023), preliminaries; Gunasekar et al. (2018).
    """
    check_depth(depth)
    v = _as_vector(vector)
    is_zero = v == 0
    is_full = not bool(is_zero.any())
    gradient = None
    if is_full or depth <= 2:
        gradient = torch.where(is_zero, 0.0, v.sign() * _power_slope(v.abs().where(~is_zero, 1.0), depth))
    return LinearCost(depth, v.abs()[~is_zero].sort(descending=True).values, gradient, is_full or depth == 1)


def balanced_network(matrix: object, depth: int, *, tolerance: Tolerance | None = None) -> FullyConnected:
    r"""A linear network of depth L and least ‖w‖² that computes $x \mapsto A x$; biases are zero.

    Its hidden layers have width rank A (1 for A = 0). Arguments and errors as for `matrix_cost`.
    """
    check_depth(depth)
    a = as_matrix(matrix, "the matrix").double()
    u, s, vt = _reduced_svd(a, tolerance)
    if len(s) == 0:
        u, s, vt = a.new_zeros(a.shape[0], 1), a.new_zeros(1), a.new_zeros(1, a.shape[1])
    root = s ** (1 / depth)
    if depth == 1:
        weights = [(u * s) @ vt]
    else:
        weights = [root[:, None] * vt, *(root.diag() for _ in range(depth - 2)), u * root]
    return FullyConnected(tuple(weights), tuple(w.new_zeros(w.shape[0]) for w in weights), IDENTITY)


def balanced_diagonal(vector: object, depth: int) -> Tensor:
    r"""Weights $w_1, …, w_L$ of least norm with $w_1 \odot \dots \odot w_L = v$, `(L, d)`; the signs are in $w_L$.

    Arguments and errors as for `diagonal_cost`.
    """
    check_depth(depth)
    v = _as_vector(vector)
    weights = (v.abs() ** (1 / depth)).repeat(depth, 1)
    weights[-1] *= v.sign()
    return weights


def check_depth(depth: object, least: int = 1) -> None:
    """Raise `OptionError` unless `depth` is an integer ≥ `least`."""
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < least:
        raise OptionError("depth", depth, f"an integer of at least {least}")


def _power_slope(s: Tensor, depth: int) -> Tensor:
    """Derivative of s^{2/L} for s > 0."""
    return 2 / depth * s ** (2 / depth - 1)


def _reduced_svd(a: Tensor, tolerance: Tolerance | None) -> tuple[Tensor, Tensor, Tensor]:
    u, s, vt = torch.linalg.svd(a, full_matrices=False)
    relative = max(a.shape) * torch.finfo(a.dtype).eps if tolerance is None else tolerance.relative
    r = int((s > relative * s[0]).sum())
    return u[:, :r], s[:r], vt[:r]


def _as_vector(vector: object) -> Tensor:
    v = torch.as_tensor(vector) if not isinstance(vector, Tensor) else vector
    if v.ndim != 1:
        raise ShapeError(f"The vector has shape {tuple(v.shape)}; give its entries in one dimension, (d,).")
    return as_matrix(v[None], "the vector")[0].double()
