r"""Proposition 2's interpolant: a network of bottleneck rank 1 through any data, and its constant C_N.

$f = h \circ g$ with $g(x) = u \cdot x - \min_i u \cdot x_i$, which orders the rows along a line, and h the
piecewise-linear curve through the outputs in that order. g ≥ 0 on the data, so between them fit as many identity layers
as wanted: with $L_0$ the depth without them and $\|w\|^2$ its norm

$$R / L \le 1 + C_N / L \quad\text{for all } L \ge L_0, \qquad C_N = \|w\|^2 - L_0,$$

where R is the least ‖w‖² of depth-L networks through the data.

**C_N can grow like log N instead of a power of N.** The number is amplified on its way, at 2 log(gain) in all, and a
constant is brought up beside it shortly before the kinks, at 2e log(gain); so the sum over the kinks, which grows like
a power of N, enters through its logarithm (`amplification`). Theorem 2 needs at least 2 (1 − 1/k) log N of it. Where
the inputs allow it ($N \le d_{in} + 1$ in general position), u puts the rows in the order of a short path through the
outputs. Beyond that the order along u is kept as it is: a map R → R that changes it to that of a short path has N steep
kinks of its own, and made C_N larger by a third or more for teachers of rank 1, 2 and 4 with N = 500.

Source: Jacot (2023), Proposition 2; the amplification is derived here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.costs.amplification import CurveSizes, best_amplification
from isthmus.costs.construction import StretchedNetwork
from isthmus.costs.curve_network import CurveDesign
from isthmus.costs.directions import separating_direction
from isthmus.costs.linear import check_depth
from isthmus.errors import (
    ContradictingRowsError,
    InexactNetworkError,
    OptionError,
    ShapeError,
)
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.progress import Report, silent
from isthmus.networks import RELU, FullyConnected

Floats = NDArray[np.float64]

_ROUNDING = 1e-9
_SLACK = 0.05
"""How far above its limit C_N may be at the depth chosen, relative to it; 1 where that is more."""
_REFINEMENTS = 4


@dataclass(frozen=True, eq=False)
class Interpolant:
    """A rank-1 network through all rows.

    Attributes:
        encoder: g, of depth 1, into R^1, nonnegative at the rows.
        decoder: h, from R^1, of depth `depth` − 1.
        order: Rows in the order of g, without repetitions, `(n,)`.
        constant: C_N = ‖w‖² − L at `depth`.
        limit: What C_N falls to if ever deeper networks are rescaled (`network`).
        error: Largest deviation at the rows, relative to the largest |y|.
    """

    encoder: FullyConnected
    decoder: FullyConnected
    order: NDArray[np.int64]
    constant: float
    limit: float
    error: float
    _curve: _Curve | None

    @property
    def depth(self) -> int:
        """L_0, the least depth at which R/L ≤ 1 + C_N/L is claimed."""
        return self.encoder.depth + self.decoder.depth

    def bound(self, depth: int) -> float:
        """1 + C_N/L, an upper bound of R/L.

        Raises:
            OptionError: If the depth is below `depth`.
        """
        self._check(depth)
        return 1 + self.constant / depth

    def network(self, depth: int) -> StretchedNetwork:
        """A network of depth L through the rows, rescaled for this depth; no dearer than with identity layers.

        Raises:
            OptionError: If L is below `depth`; below 3 if the outputs differ.
            InexactNetworkError: If double precision does not hold the network at this depth.
        """
        if self._curve is not None:
            check_depth(depth, least=3)
            rescaled, error = self._curve.at(depth)
            if error <= _ROUNDING:
                return rescaled
            if depth < self.depth:
                raise InexactNetworkError("The rank-1 interpolant", error, _ROUNDING)
        self._check(depth)
        return StretchedNetwork(self.encoder, torch.ones(1, dtype=torch.float64), depth - self.depth, self.decoder)

    def _check(self, depth: int) -> None:
        check_depth(depth)
        if depth < self.depth:
            raise OptionError("depth", depth, f"at least {self.depth}, the depth of the interpolant")


@dataclass(frozen=True, eq=False)
class _Curve:
    """The ordered rows and what is needed to build a network through them at any depth.

    Attributes:
        x: Inputs in the order of g, `(n, d_in)`.
        y: Their outputs, `(n, d_out)`.
        direction: u.
    """

    x: Floats
    y: Floats
    direction: Floats

    def design(self, y: Floats) -> CurveDesign:
        """The curve through other outputs at the same places."""
        positions = _projections(self.x, self.direction)
        # A little below the first row, so that rounding does not put it on the other side of 0.
        offset = float(positions[0] - 16 * np.finfo(np.float64).eps * np.abs(positions).max())
        t = positions - offset
        slopes = np.diff(y, axis=0) / np.diff(t)[:, None]
        changes = np.concatenate([slopes[:1], np.diff(slopes, axis=0)])
        is_kink = np.linalg.norm(changes, axis=1) > 0
        return CurveDesign(self.direction, offset, t[:-1][is_kink], changes[is_kink], y[0])

    def at(self, depth: int) -> tuple[StretchedNetwork, float]:
        """The network and its largest error at the rows, relative to the largest |y|."""
        aimed, least = self.y, math.inf
        best = network = self.design(aimed).at(depth)
        for _ in range(_REFINEMENTS):
            deviation = network(torch.from_numpy(self.x)).numpy() - self.y
            error = float(np.abs(deviation).max() / np.abs(self.y).max())
            if error < least:
                least, best = error, network
            if error <= _ROUNDING / 100:
                break
            # Rounding is the same at every evaluation, so aiming beside the outputs meets them better.
            aimed = aimed - deviation
            network = self.design(aimed).at(depth)
        return best, least


def rank_one_interpolant(
    x: object,
    y: object,
    *,
    rng: np.random.Generator,
    depth: int | None = None,
    tries: int = 1000,
    report: Report = silent,
) -> Interpolant:
    r"""A cheap ReLU network of bottleneck rank 1 with $f(x_i) = y_i$ at every row.

    Args:
        x: Inputs `(n, d_in)`. Equal rows with equal outputs are taken once.
        y: Outputs `(n, d_out)`.
        rng: Source of the random directions u.
        depth: $L_0$, at least 3; by default the first at which C_N is within 5 % (or 1) of its limit.
        tries: Directions looked at.
        report: Progress.

    Returns:
        The network, in float64, with f verified at all rows.

    Raises:
        ContradictingRowsError: If equal inputs have different outputs.
        InexactNetworkError: If the rows cannot be told apart along one line in double precision.
        OptionError: If `depth` is below 3.
        ShapeError, DtypeError, NonFiniteError: If x and y are not real, finite matrices with as many rows.
    """
    inputs, outputs = as_matrix(x).double().cpu().numpy(), as_matrix(y, "y").double().cpu().numpy()
    if len(inputs) != len(outputs):
        raise ShapeError(f"x has {len(inputs)} rows and y has {len(outputs)}; row i of y belongs to row i of x.")
    if depth is not None:
        check_depth(depth, least=3)
    rows = _distinct(inputs, outputs)
    if (outputs == outputs[0]).all():
        return _constant(inputs.shape[1], outputs[0], rows, depth)
    u = separating_direction(inputs[rows], outputs[rows], rng=rng, tries=tries, report=report)
    order = rows[np.argsort(_projections(inputs[rows], u), kind="stable")]
    curve = _Curve(inputs[order], outputs[order], u)
    if not (np.diff(_projections(curve.x, u)) > 0).all():
        raise InexactNetworkError("The rank-1 interpolant", math.inf, _ROUNDING)
    sizes = curve.design(curve.y).sizes
    limit = best_amplification(sizes, None).excess
    own = depth or _first_depth(sizes, limit)
    network, error = curve.at(own)
    if error > _ROUNDING:
        raise InexactNetworkError("The rank-1 interpolant", error, _ROUNDING)
    dense = network.dense()
    decoder = FullyConnected(dense.weights[1:], dense.biases[1:], RELU)
    constant = network.squared_norm - own
    return Interpolant(network.encoder, decoder, order, constant, min(limit, constant), error, curve)


def _distinct(x: Floats, y: Floats) -> NDArray[np.int64]:
    """The first of each group of equal rows of x; rows that contradict each other are an error."""
    _, first, group = np.unique(x, axis=0, return_index=True, return_inverse=True)
    representative = first[group.reshape(-1)]
    is_other = (y != y[representative]).any(1)
    if is_other.any():
        where = np.flatnonzero(is_other)
        raise ContradictingRowsError([(int(representative[i]), int(i)) for i in where])
    return np.sort(first)


def _projections(x: Floats, u: Floats) -> Floats:
    """u·x as the network computes it."""
    return (torch.from_numpy(x) @ torch.from_numpy(u)).numpy()


def _first_depth(sizes: CurveSizes, limit: float) -> int:
    """The least depth at which the best network is within `_SLACK` of the limit; the excess falls with the depth."""
    allowed = limit + max(1.0, _SLACK * limit)
    low, high = 2, 4
    while best_amplification(sizes, high).excess > allowed:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if best_amplification(sizes, middle).excess > allowed:
            low = middle
        else:
            high = middle
    return high


def _constant(d_in: int, value: Floats, rows: NDArray[np.int64], depth: int | None) -> Interpolant:
    """Rank 0: nothing of x passes; a bias is raised to ‖y‖ over q layers at q ‖y‖^{2/q}."""
    norm = float(np.linalg.norm(value))
    lengths = range(1, 41) if depth is None else [depth - 1]
    q = min(lengths, key=lambda q: q * (norm ** (2 / q) - 1) if norm > 1 else q)
    step = norm ** (1 / q)
    unit = value / norm if norm > 0 else value
    zero, one = torch.zeros(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    weights = [zero.expand(1, d_in).clone(), *[zero] * min(1, q - 1), *[zero + step] * (q - 2)]
    biases = [one, *[one + step] * min(1, q - 1), *[one] * (q - 2)]
    last = torch.from_numpy(step * unit)
    weights.append(last[:, None] if q > 1 else torch.zeros(len(value), 1, dtype=torch.float64))
    biases.append(torch.zeros_like(last) if q > 1 else last)
    encoder = FullyConnected((weights[0],), (biases[0],), RELU)
    decoder = FullyConnected(tuple(weights[1:]), tuple(biases[1:]), RELU)
    made = decoder(torch.zeros(1, 1, dtype=torch.float64))[0].numpy()
    error = float(np.abs(made - value).max()) / norm if norm > 0 else 0.0
    constant = decoder.squared_norm - encoder.depth - decoder.depth
    return Interpolant(encoder, decoder, rows, constant, constant, error, None)
