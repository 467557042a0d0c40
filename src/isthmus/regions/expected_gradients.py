r"""$E[\nabla f\, \nabla f^\top]$ over a domain in the plane, exactly: f is affine on each region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance

if TYPE_CHECKING:
    from isthmus.regions.regions import Regions

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GradientOuterProduct:
    r"""$E[Jf(x)^\top Jf(x)] = \frac1{|Ω|} \sum_R |R|\, J_R^\top J_R$ for x uniform on Ω.

    Of one output it is $E[\nabla f\, \nabla f^\top]$.

    Attributes:
        sizes: Roots of its eigenvalues, descending, `(r,)`: the singular values of all $\sqrt{|R| / |Ω|}\, J_R$ in one
            matrix, which keeps the digits of small ones that the product would lose.
        directions: Its eigenvectors as rows, `(r, d)`, in f's own inputs.
    """

    sizes: Floats
    directions: Floats

    @property
    def matrix(self) -> Floats:
        """`(d, d)`."""
        return np.asarray((self.directions.T * self.sizes**2) @ self.directions)

    def index_rank(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> int:
        r"""The number of `sizes` above `tolerance` times the largest; 0 of a constant.

        Without a tolerance it is the smallest k with f(x) = h(Ax) on Ω, A of k rows: along what no gradient points to
        f does not change, and Ω is convex. Beyond the tolerance gradients may still point, weakly or on small regions.
        """
        largest = float(self.sizes[0])
        return int((self.sizes > tolerance.relative * largest).sum()) if largest > 0.0 else 0


def gradient_outer_product(regions: Regions) -> GradientOuterProduct:
    r"""$E[\nabla f\, \nabla f^\top]$ over the domain of `regions`, to rounding; of several outputs their sum.

    On a slice x is uniform on the slice, and the gradients are those by f's own inputs.

    Args:
        regions: Of a network on a box or a polygon in the plane, `enumerate_regions(f, box)`.

    Raises:
        DomainError: If the regions are not of two dimensions, or partial.

    Source:
        Parkinson, Ongie and Willett (2025), arXiv 2305.15598, abstract: the matrix whose spectrum is tied to the cost.
    """
    shares = np.maximum(regions.areas, 0.0)
    jacobians = regions.jacobians()
    weighted = np.sqrt(shares / shares.sum())[:, None, None] * jacobians
    # The triangular factor has the same singular values, and d columns.
    triangle = np.linalg.qr(weighted.reshape(-1, jacobians.shape[2]), mode="r")
    _, sizes, directions = np.linalg.svd(triangle, full_matrices=False)
    return GradientOuterProduct(sizes, directions)
