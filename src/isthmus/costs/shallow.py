r"""The exact cost of a function of one variable at depth 2, where every weight and bias is regularised.

$f: [t_0, t_n] \to \mathbb R^d$ is continuous and piecewise linear; $\|w\|^2$ counts hidden weights and biases, output
weights and the output bias of $F(x) = \sum_j a_j \sigma(w_j x + b_j) + c$ with ReLU.

**Neurons.** Rescaling neuron j makes its part of $\|w\|^2$ equal to $2 \|a_j\| \|(w_j, b_j)\|$, and no less is
possible: $R = \min 2 \sum_j \|a_j\| \|(w_j, b_j)\| + \|c\|^2$. So a neuron's place, facing and a are what matters.

- A kink of f at t with change of slope m is made by right-facing $r\,\sigma(x - t)$ and left-facing
  $l\,\sigma(t - x)$ with $r + l = m$, at $2 s (\|r\| + \|l\|)$, $s = \sqrt{1 + t^2}$. As
  $\sigma(t - x) = \sigma(x - t) - (x - t)$, the left parts leave an affine function to be made by others. For l = θm
  the cost does not depend on θ.
- With r + l = 0 there is no kink: the pair makes an affine function, $r (x - t)$, at $4 s \|r\|$, from any t inside.
- Neurons of one sign on the domain, (w, b) in $K = \{w t_0 + b \ge 0, w t_n + b \ge 0\}$, make $a (w x + b)$.
- c makes a constant, at $\|c\|^2$.

**Affine functions.** B = [slope, constant] is made by neurons of K at $2 N(B)$, where $N(B) = \min \sum_j \|a_j\|$ over
$B = \sum_j a_j e_j^\top$, unit $e_j \in K$. Let Q be the form with $e^\top Q e = (w t_0 + b)(w t_n + b)$: it is ≥ 0
exactly on ±K. With $S = (B^\top B)^{1/2}$: if $\operatorname{tr} S Q \ge 0$, then S is a sum of two
$c_j e_j e_j^\top$ with $e_j \in K$ and N is the nuclear norm; otherwise $e_1, e_2$ are the edges of K. (The dual norm
is $\max_{e \in K} \|M e\|$: a quadratic form on an arc is largest at one point, at the two ends, or everywhere.)

**The dual.** Lagrange multipliers $2M = 2[U, V]$ `(d, 2)` of the affine part, with $e_t = (1, -t)/s_t$ and
$f = \alpha + \beta x + \sum_t m_t \sigma(x - t)$:

$$R = \max_M\; 2 \langle M, [\beta, \alpha]\rangle + 2 \sum_t s_t\, \varphi(m_t, M e_t) - \|V\|^2, \qquad
\varphi(m, q) = \max \{p \cdot m : \|p\| \le 1, \|p - q\| \le 1\},$$

over $\|M e\| \le 1$ for unit e in K and $\|M e\| \le 2$ for all unit e. The first, by the S-lemma, is
$M^\top M \preceq I - \tau Q$ for some τ ≥ 0. `interior_point` solves it. Both ends of the bracket are evaluated from
the closed forms above, at a feasible M and for a network, so no error of the solver can make it wrong.

Source: derived here. Without the biases' part of ‖w‖² it is Savarese, Evron, Soudry and Srebro (2019), "How do infinite
width bounded norm networks look in function space?".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.costs.interior_point import centres
from isthmus.costs.kink_programme import dual_value, feasible, programme_of
from isthmus.costs.path import PiecewiseLinear
from isthmus.costs.shallow_neurons import design, network_of, variants
from isthmus.errors import InexactNetworkError
from isthmus.networks import FullyConnected

Floats = NDArray[np.float64]

_ROUNDING = 1e-9
"""How far the network may be from f, relative to the largest |f|."""


@dataclass(frozen=True, eq=False)
class ShallowCost:
    """A bracket of R(f; L = 2), the least ‖w‖² with all biases counted.

    Attributes:
        lower: R is at least this (a feasible point of the dual).
        upper: R is at most this: `network.squared_norm`.
        network: Depth 2, ReLU, float64: f on the domain.
        multipliers: M, `(d, 2)`, the dual point that proves `lower`.
    """

    lower: float
    upper: float
    network: FullyConnected
    multipliers: Floats

    @property
    def per_depth(self) -> tuple[float, float]:
        """The bracket of R/L = R/2."""
        return self.lower / 2, self.upper / 2


def shallow_cost(f: PiecewiseLinear) -> ShallowCost:
    r"""The least ‖w‖² of depth-2 ReLU networks that equal f on its domain, all biases regularised.

    For n kinks and d outputs some hundred Newton steps of O(n d³). The bracket is usually closed to $10^{-9}$.

    Args:
        f: A continuous piecewise-linear function of one variable; `piecewise_linear` reads one from a network.

    Raises:
        InexactNetworkError: If f is so steep over so short a distance that float64 cannot hold its network.

    Source:
        The derivation in this file.
    """
    size = float(np.abs(f.values).max())
    programme, basis = programme_of(f)
    plain = design(programme, np.zeros_like(programme.changes), np.zeros_like(programme.affine[:, 1]))
    designs, points = [plain], [np.zeros_like(programme.affine)]
    if size > 0:
        for centre in centres(programme, plain.cost):
            points.append(feasible(programme, centre.m))
            designs += variants(programme, centre)
    lower, m = max(((dual_value(programme, m), m) for m in points), key=lambda pair: pair[0])
    error = 0.0
    for best in sorted(designs, key=lambda candidate: candidate.cost):
        network = network_of(best, basis)
        error = float(np.abs(network(torch.from_numpy(f.knots[:, None])).numpy() - f.values).max())
        if error <= _ROUNDING * size:
            # Rounding may lift a lower end that equals the upper one above it.
            return ShallowCost(min(lower, network.squared_norm), network.squared_norm, network, basis @ m)
    raise InexactNetworkError("The shallow network", error / size, _ROUNDING)
