"""One linear region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Region:
    r"""One linear region: a convex set on which every hidden neuron keeps its sign, so f is affine.

    Attributes:
        index: Its number among the regions.
        vertices: Its corners `(m, d)`; counter-clockwise in two dimensions.
        pattern: For each hidden layer which neurons are positive, `(n_ℓ,)` booleans.
        matrix: A in $f(x) = A x + c$ on the region, `(n_L, d)`.
        constant: c, `(n_L,)`.
    """

    index: int
    vertices: Floats
    pattern: tuple[NDArray[np.bool_], ...]
    matrix: Floats
    constant: Floats

    @property
    def interior_point(self) -> Floats:
        """The mean of the corners, `(d,)`."""
        return np.asarray(self.vertices.mean(axis=0))
