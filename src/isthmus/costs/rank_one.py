r"""Theorem 2: what every function of bottleneck rank 1 through given data must cost.

Let $f = h \circ g$ on a convex Ω with interior, g: Ω → R and h continuous, f piecewise linear, $f(x_i) = y_i$, all
$x_i \in \Omega$. Then at some differentiable point $\|Jf\|_{op} \ge \Lambda(y) / D$, with Λ the length of the shortest
path through the $y_i$ and D the largest distance of two $x_i$; so by Proposition 3, at every depth,

$$R(f; \Omega, \sigma, L) / L \ge (\Lambda(y) / D)^{2/L}.$$

*Proof.* Let a and b be rows at which g is least and greatest. Along the segment from $x_a$ to $x_b$, which is in Ω, g
takes every value between, by continuity; so for each i there is a point of it with $g = g(x_i)$, and there
$f = h(g(x_i)) = y_i$. The image of the segment is a curve that visits every $y_i$: by the triangle inequality it is no
shorter than the path that joins them in the order of their first visits, hence at least Λ long. f is affine with matrix
$A_r$ on each of finitely many convex regions that cover Ω; those with interior points are enough, by continuity. So the
length is $\int \|A_{r(t)} (x_b - x_a)\| dt \le D \max_r \|A_r\|_{op}$, and f is differentiable inside region r. ∎

As Λ grows like $N^{1 - 1/k}$ for samples of a k-dimensional set, this is the $c N^{(2/L)(1 - 1/k)}$ of the theorem,
with its constant. It does not bound what other functions cost, of rank 2 for example.

Source: Jacot (2023), Theorem 2 and Proposition 3; the constant is derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.costs.linear import check_depth
from isthmus.costs.tour import shortest_path_lower
from isthmus.errors import ShapeError, TooFewRowsError
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.progress import Report, silent


@dataclass(frozen=True)
class RankOneBound:
    """A lower bound of R/L over all functions of bottleneck rank 1 through the data, on a convex Ω with the data in it.

    Attributes:
        depth: L.
        path: A lower bound of Λ(y).
        diameter: D.
    """

    depth: int
    path: float
    diameter: float

    @property
    def slope(self) -> float:
        """Λ/D: somewhere the Jacobian is at least so large."""
        return self.path / self.diameter

    @property
    def per_depth(self) -> float:
        """R/L is at least this."""
        return float(self.slope ** (2 / self.depth))

    def at(self, depth: int) -> RankOneBound:
        """The bound at another depth.

        Raises:
            OptionError: If L is no integer ≥ 1.
        """
        check_depth(depth)
        return RankOneBound(depth, self.path, self.diameter)


def rank_one_lower_bound(
    x: object, y: object, depth: int, *, steps: int = 100, report: Report = silent
) -> RankOneBound:
    r"""R/L of every f of bottleneck rank 1 with $f(x_i) = y_i$, from below; the proof is in this file.

    Args:
        x: Inputs `(n, d_in)`, not all equal.
        y: Outputs `(n, d_out)`.
        depth: L ≥ 1.
        steps: Of the ascent towards Λ (`shortest_path_lower`).
        report: Progress.

    Raises:
        TooFewRowsError: If there are fewer than two different inputs.
        OptionError: If `depth` or `steps` is no integer ≥ 1.
        ShapeError, DtypeError, NonFiniteError: If x and y are not real, finite matrices with as many rows.
    """
    check_depth(depth)
    inputs, outputs = as_matrix(x).double(), as_matrix(y, "y").double()
    if len(inputs) != len(outputs):
        raise ShapeError(f"x has {len(inputs)} rows and y has {len(outputs)}; row i of y belongs to row i of x.")
    diameter = diameter_of(inputs)
    if diameter == 0:
        raise TooFewRowsError("x without repetitions", 1, 2)
    return RankOneBound(depth, shortest_path_lower(outputs, steps=steps, report=report), diameter)


def diameter_of(x: Tensor) -> float:
    """The largest distance of two rows, rounded up."""
    largest = max(
        float(torch.cdist(part, x, compute_mode="donot_use_mm_for_euclid_dist").max()) for part in x.split(500)
    )
    return largest * (1 + 1e-12)
