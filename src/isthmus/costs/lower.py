r"""Lower bounds of R/L that hold at every differentiable point: Proposition 3, and the same with the biases counted."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.costs.interval import CostBound
from isthmus.networks import FullyConnected
from isthmus.spectra import jacobians

_POINTS_WITH_BIASES = 256  # the points with the largest bound without them, at which the biases are counted too
_SCALES = torch.logspace(0.0, 8.0, 65, dtype=torch.float64)


def lower_bounds(
    network: FullyConnected, points: Tensor, depth: int, *, jacobian_error: float = 0.0, value_error: float = 0.0
) -> list[CostBound]:
    r"""Lower bounds of R(f; Ω, σ, L)/L for every Ω that holds neighbourhoods of the points, the best first.

    Near x f is affine, $f(x) = J x + \beta$. A depth-L network that computes f there is a product of L matrices:

    - of inputs alone, $J = (W_L)(D_{L-1} W_{L-1}) \cdots (D_1 W_1)$ with $D_\ell = \operatorname{diag} \sigma'$, so
      $\sum_i s_i(J)^{2/L} \le \frac1L \sum_\ell \|W_\ell\|_F^2 \le R/L$: Proposition 3;
    - of inputs and a constant $\tau_\ell \ge 1$ that the biases read, with the matrices
      $\begin{pmatrix} D_\ell W_\ell & D_\ell b_\ell / \tau_{\ell-1} \\ 0 & \tau_\ell / \tau_{\ell-1} \end{pmatrix}$ and
      the product $(J, \beta / \tau_0)$. Their squared norms add up to at most
      $R + \sum_{\ell < L} (\tau_\ell / \tau_{\ell-1})^2$, which is least for equal ratios, hence for every $t \ge 1$

      $$\sum_i s_i\big((J, \beta / t)\big)^{2/L} - \tfrac{L-1}{L}\, t^{-2/(L-1)} \;\le\; R/L,$$

      or, if the last matrix hands the constant on in the same ratio, with the row $(0, t^{-L/(L-1)})$ below
      $(J, \beta / t)$ and $t^{-2/(L-1)}$ taken off.

      As t → ∞ both are Proposition 3; at L = 1, t = 1 it is $\|W\|_F^2 + \|b\|^2$ itself, and for constant f and L = 2
      the exact cost.

    Both need |σ'| ≤ 1. For a negative slope a beyond that, the singular values of J are divided by $|a|^{L-1}$ and the
    biases are left out. Every singular value is lowered by a bound of its own rounding first, and by the errors given:
    singular values are Lipschitz (Weyl), so the bounds hold for every function that near to f.

    Args:
        network: f, float64.
        points: `(n, d_in)`, where f is differentiable.
        depth: L ≥ 1.
        jacobian_error: How much the Jacobian of a function that counts as f may differ, in the spectral norm.
        value_error: How much its value may differ, in the Euclidean norm.

    Source:
        Jacot (2023), Proposition 3; with biases: the same proof in homogeneous coordinates.
    """
    matrices = jacobians(network, points)
    rounding = _rounding(network, points)
    error = rounding + jacobian_error
    steepness = max(1.0, abs(network.activation.negative_slope))
    values = _schatten(matrices, error, depth, steepness)
    first = int(values.argmax())
    found = [
        CostBound(
            float(values[first]),
            "Jacobian",
            f"Proposition 3 at the point given, the best of {len(points)}: the sum of s^(2/{depth}) over the singular "
            "values s of the Jacobian there.",
            points[first],
        )
    ]
    if steepness == 1.0:
        joint = rounding + jacobian_error * (1.0 + float(points.norm(dim=1).max())) + value_error
        found.append(_with_biases(network, points, matrices, values, depth, joint))
    return sorted(found, key=lambda bound: -bound.value)


def visible_ranks(network: FullyConnected, points: Tensor, *, jacobian_error: float = 0.0) -> Tensor:
    """At each point the number of singular values of Jf that neither rounding nor the error can have made, `(n,)`."""
    s: Tensor = torch.linalg.svdvals(jacobians(network, points))
    return (s > _own(s) + _rounding(network, points) + jacobian_error).sum(1)


def _with_biases(
    network: FullyConnected, points: Tensor, matrices: Tensor, values: Tensor, depth: int, error: float
) -> CostBound:
    chosen = values.argsort(descending=True)[:_POINTS_WITH_BIASES]
    j, x = matrices[chosen], points[chosen]
    beta = network(x) - torch.einsum("nij,nj->ni", j, x)
    best, where, scale = -1.0, 0, 1.0
    for t in _SCALES.tolist() if depth > 1 else [1.0]:
        ratio = t ** (-1.0 / (depth - 1)) if depth > 1 else 0.0
        joint = torch.cat([j, beta[:, :, None] / t], 2)
        found = _schatten(joint, error, depth, 1.0) - (depth - 1) / depth * ratio**2
        if depth > 1:
            below = torch.zeros_like(joint[:, :1])
            below[:, 0, -1] = ratio**depth
            handed_on = _schatten(torch.cat([joint, below], 1), error, depth, 1.0) - ratio**2
            found = torch.maximum(found, handed_on)
        if float(found.max()) > best:
            best, where, scale = float(found.max()), int(found.argmax()), t
    return CostBound(
        best,
        "Jacobian and biases",
        f"Proposition 3 in homogeneous coordinates at the point given, with the constant part of f in units of "
        f"{scale:.3g}, less what carrying the constant costs.",
        x[where],
    )


def _schatten(matrices: Tensor, error: float, depth: int, steepness: float) -> Tensor:
    s: Tensor = torch.linalg.svdvals(matrices)
    s = (s - _own(s) - error).clamp_min(0.0)
    values: Tensor = torch.where(s > 0, s.where(s > 0, 1.0) ** (2.0 / depth), 0.0).sum(1)
    stretch: float = steepness ** (2.0 * (depth - 1) / depth)
    return values / stretch


def _own(s: Tensor) -> Tensor:
    """What the decomposition itself may err by, `(n, 1)`."""
    error: Tensor = 16.0 * s.shape[1] * torch.finfo(s.dtype).eps * s[:, :1]
    return error


def _rounding(network: FullyConnected, points: Tensor) -> float:
    r"""What rounding may move a singular value of $(J, \beta)$ by: $J$ and $\beta = f(x) - Jx$ as they are computed."""
    steepness = max(1.0, abs(network.activation.negative_slope))
    matrix, value = 1.0, float(points.norm(dim=1).max())
    for w, b in zip(network.weights, network.biases, strict=True):
        norm = steepness * float(torch.linalg.matrix_norm(w))
        matrix, value = matrix * norm, value * norm + steepness * float(b.norm())
    reach = matrix * (1.0 + 2.0 * float(points.norm(dim=1).max())) + value
    # Each sum of `width` products errs by at most so many roundings of its absolute terms; all layers together.
    return reach * sum(network.widths) * torch.finfo(torch.float64).eps
