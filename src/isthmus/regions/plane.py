"""A plane through the input space of a network, to look at a two-dimensional slice of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.errors import CollinearPointsError, ShapeError
from isthmus.foundation.arrays import as_matrix
from isthmus.networks import FullyConnected


@dataclass(frozen=True, eq=False)
class Plane:
    r"""The points $\text{origin} + D t$, $t \in \mathbb R^2$.

    Attributes:
        origin: `(d,)`, in the units of the network's inputs.
        directions: D, `(d, 2)`, linearly independent columns.

    Raises:
        ShapeError: If the shapes do not fit together.
        CollinearPointsError: If the directions are parallel.
    """

    origin: NDArray[np.float64]
    directions: NDArray[np.float64]

    def __post_init__(self) -> None:
        origin = as_matrix(np.atleast_2d(np.asarray(self.origin)), "the origin of the plane").double().numpy()[0]
        directions = as_matrix(self.directions, "the directions of the plane").double().numpy()
        if directions.shape != (len(origin), 2):
            raise ShapeError(
                f"The directions of a plane have shape {directions.shape}; expected ({len(origin)}, 2), one column for "
                "each of its two coordinates."
            )
        singular = np.linalg.svd(directions, compute_uv=False)
        if len(singular) < 2 or singular[1] <= 1e-12 * singular[0]:
            raise CollinearPointsError()
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "directions", directions)

    @staticmethod
    def through(points: object) -> Plane:
        """The plane through three points, the rows of `points` `(3, d)`.

        Its origin is the first point, its first direction points to the second, and its directions are orthonormal,
        so lengths and areas in the plane are those of the input space.

        Raises:
            ShapeError: If there are not three points, or they have fewer than two coordinates.
            CollinearPointsError: If they lie on one line.
        """
        rows = as_matrix(points, "the points of the plane").double().numpy()
        if rows.shape[0] != 3 or rows.shape[1] < 2:
            raise ShapeError(
                f"The points of the plane have shape {rows.shape}; give three points with two or more coordinates."
            )
        edges = (rows[1:] - rows[0]).T
        q, r = np.linalg.qr(edges)
        if min(abs(r[0, 0]), abs(r[1, 1])) <= 1e-12 * np.abs(rows).max() or abs(r[1, 1]) <= 1e-12 * abs(r[0, 1]):
            raise CollinearPointsError()
        return Plane(rows[0], q * np.sign(np.diag(r)))

    def embed(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the plane `(n, 2)` as inputs of the network `(n, d)`."""
        return self.origin + coordinates @ self.directions.T

    def coordinates(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The plane coordinates `(n, 2)` of the points of the plane nearest to `points` `(n, d)`."""
        return np.asarray(np.linalg.lstsq(self.directions, (points - self.origin).T, rcond=None)[0].T)

    def restricted(self, network: FullyConnected) -> FullyConnected:
        """t ↦ f(origin + D t): the plane is absorbed by the first layer.

        Raises:
            ShapeError: If the network takes another number of inputs.
        """
        if network.d_in != len(self.origin):
            raise ShapeError(
                f"The plane lies in {len(self.origin)} dimensions but the network takes {network.d_in} inputs."
            )
        w = network.weights[0]
        origin, directions = (torch.from_numpy(a).to(w) for a in (self.origin, self.directions))
        return FullyConnected(
            (w @ directions, *network.weights[1:]),
            (network.biases[0] + w @ origin, *network.biases[1:]),
            network.activation,
        )
