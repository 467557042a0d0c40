"""A network with one input, as the knots and values of a piecewise-linear function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.errors import DomainError, NonFiniteError, ShapeError
from isthmus.foundation.arrays import as_matrix
from isthmus.networks import FullyConnected

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PiecewiseLinear:
    r"""The continuous $f: [t_0, t_n] \to \mathbb R^d$ that is affine between neighbouring knots.

    Attributes:
        knots: $t_0 < \dots < t_n$, `(n + 1,)` with n ≥ 1, float64.
        values: $f(t_i)$, `(n + 1, d)`, float64.

    Raises:
        ShapeError, DtypeError, NonFiniteError: If they are not real, finite and of these shapes.
        DomainError: If the knots do not increase.
    """

    knots: Floats
    values: Floats

    def __post_init__(self) -> None:
        knots = np.asarray(self.knots)
        if knots.ndim != 1 or len(knots) < 2:
            raise ShapeError(f"The knots have shape {knots.shape}; give at least the two ends of the domain, (n + 1,).")
        object.__setattr__(self, "knots", as_matrix(knots[:, None], "the knots").double().numpy()[:, 0])
        object.__setattr__(self, "values", as_matrix(self.values, "the values").double().numpy())
        if len(self.values) != len(self.knots):
            raise ShapeError(f"There are {len(self.knots)} knots and {len(self.values)} values; give one row a knot.")
        if not (np.diff(self.knots) > 0).all():
            where = int(np.argmin(np.diff(self.knots) > 0))
            raise DomainError(
                f"The knots do not increase: knot {where + 1} is {self.knots[where + 1]:.6g} after "
                f"{self.knots[where]:.6g}. Sort them and leave out repetitions."
            )

    @property
    def slopes(self) -> Floats:
        """f′ on each piece, `(n, d)`."""
        slopes: Floats = np.diff(self.values, axis=0) / np.diff(self.knots)[:, None]
        return slopes

    def __call__(self, t: Floats) -> Floats:
        """f at the points `t` `(m,)` of the domain, `(m, d)`."""
        return np.stack([np.interp(t, self.knots, column) for column in self.values.T], axis=1)


def piecewise_linear(network: FullyConnected, lower: float, upper: float) -> PiecewiseLinear:
    r"""A network with one input on $[t_0, t_n]$ = [lower, upper], with every breakpoint, in float64.

    Layer by layer: between neighbouring knots all neurons so far are affine, so a neuron with values of opposite signs
    at two of them has its kink where the straight line between these values is zero. Knots at which only cancelling
    kinks meet are kept.

    Args:
        network: f, with one input.
        lower: $t_0$.
        upper: $t_n$.

    Raises:
        ShapeError: If the network has another number of inputs.
        DomainError: If not lower < upper, both finite.
    """
    if network.d_in != 1:
        raise ShapeError(f"The network takes {network.d_in} inputs; a function on an interval takes one.")
    if not (np.isfinite([lower, upper]).all() and lower < upper):
        raise DomainError(f"[{lower}, {upper}] is no interval. Choose finite ends, the lower one first.")
    exact = network.to(dtype=torch.float64, device="cpu")
    knots = np.array([lower, upper], np.float64)
    values = knots[:, None]
    for layer, (w, b) in enumerate(zip(exact.weights, exact.biases, strict=True), start=1):
        values = values @ w.numpy().T + b.numpy()
        if layer < exact.depth:
            if not exact.activation.is_linear:
                knots, values = _with_zeros(knots, values)
            values = exact.activation(torch.from_numpy(values)).numpy()
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise NonFiniteError("the output of the network", int(row), int(column))
    return PiecewiseLinear(knots, values)


def _with_zeros(knots: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Knots and values `(n + 1, width)` with one more row at each change of sign between neighbours."""
    before, after = values[:-1], values[1:]
    piece, neuron = np.nonzero(before * after < 0)
    share = before[piece, neuron] / (before[piece, neuron] - after[piece, neuron])
    places = knots[piece] + share * (knots[piece + 1] - knots[piece])
    rows = before[piece] + share[:, None] * (after[piece] - before[piece])
    rows[np.arange(len(piece)), neuron] = 0.0
    joint, order = np.unique(np.concatenate([knots, places]), return_index=True)
    return joint, np.concatenate([values, rows])[order]
