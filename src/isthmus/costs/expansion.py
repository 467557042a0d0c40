r"""How the cost grows with depth: the slope is the rank, the intercept the regularity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import (
    DtypeError,
    NonFiniteError,
    OptionError,
    ShapeError,
    TooFewRowsError,
)


@runtime_checkable
class SizedNetwork(Protocol):
    """A network at some depth, such as `FullyConnected`: ‖w‖² bounds R(f; L) from above."""

    @property
    def depth(self) -> int:
        """L."""

    @property
    def squared_norm(self) -> float:
        """‖w‖²."""


@runtime_checkable
class BoundedCost(Protocol):
    """A bracket of the cost at some depth, such as a `CostInterval`."""

    @property
    def depth(self) -> int:
        """L."""

    @property
    def upper(self) -> float:
        """An upper bound of R(f; L)/L."""


@dataclass(frozen=True, eq=False)
class DepthExpansion:
    r"""$R(f; L) = L\,R^{(0)} + R^{(1)} + R^{(2)}/L + \dots$, fitted to costs at several depths.

    Attributes:
        rank: $R^{(0)}$, the slope: the rank of f where the series has settled.
        regularity: $R^{(1)}$, the intercept; for linear f it is $2 \sum_i \log s_i$.
        curvature: $R^{(2)}$, or None where it was not fitted.
        depths: L of each point, `(m,)`.
        costs: R of each point, `(m,)`.
        residuals: Cost less fitted cost, `(m,)`.
        freedom: Degrees of freedom, m − p for p fitted numbers.
        covariance: Of the p fitted numbers, `(p, p)`; None where no degree of freedom is left to estimate it from.
    """

    rank: float
    regularity: float
    curvature: float | None
    depths: NDArray[np.float64]
    costs: NDArray[np.float64]
    residuals: NDArray[np.float64]
    freedom: int
    covariance: NDArray[np.float64] | None

    @property
    def rank_error(self) -> float | None:
        """Standard error of the rank; None where there is no degree of freedom."""
        return self._error(0)

    @property
    def regularity_error(self) -> float | None:
        """Standard error of the regularity; None where there is no degree of freedom."""
        return self._error(1)

    @property
    def curvature_error(self) -> float | None:
        """Standard error of the curvature; None where it was not fitted or there is no degree of freedom."""
        return None if self.curvature is None else self._error(2)

    def cost(self, depth: float) -> float:
        """R at another depth, by the series."""
        _check_depth(depth)
        return self.rank * depth + self.regularity + (self.curvature or 0.0) / depth

    def cost_error(self, depth: float) -> float | None:
        """Standard error of the fitted mean at another depth; what one more measurement scatters comes on top."""
        _check_depth(depth)
        if self.covariance is None:
            return None
        row = _design(np.array([depth]), len(self.covariance))[0]
        return float(np.sqrt(row @ self.covariance @ row))

    def __str__(self) -> str:
        bar = "no error bar: as many points as fitted numbers" if self.covariance is None else self._bars()
        tail = "" if self.curvature is None else f" + {self.curvature:.4g}/L"
        return f"R = {self.rank:.4g} L + {self.regularity:.4g}{tail} ({bar})"

    def _bars(self) -> str:
        return (
            f"± {self.rank_error:.2g} and ± {self.regularity_error:.2g}, {self.freedom} "
            f"degree{'s' * (self.freedom != 1)} of freedom"
        )

    def _error(self, index: int) -> float | None:
        return None if self.covariance is None else float(np.sqrt(self.covariance[index, index]))


def depth_expansion(
    depths: Sequence[float],
    costs: Sequence[float],
    *,
    weights: Sequence[float] | None = None,
    curvature: bool = False,
) -> DepthExpansion:
    r"""Fit the expansion by (weighted) least squares.

    $$\min \sum_j v_j\, (R_j - L_j R^{(0)} - R^{(1)} - [R^{(2)} / L_j])^2, \qquad
    \operatorname{Cov} = \hat\sigma^2 (X^\top V X)^{-1}, \quad \hat\sigma^2 = \tfrac{1}{m - p} \sum_j v_j r_j^2$$

    The standard errors are those of independent errors of variance σ²/v; for an interval multiply them by Student's
    t with `freedom` degrees of freedom. What the series leaves out is not in them: where the costs bend, as at small
    depths, fit the curvature or leave these depths out.

    Args:
        depths: L > 0 of each point, at least two different ones.
        costs: R(f; L), or ‖w‖² of a network that computes f, at each.
        weights: v > 0 of each point, proportional to 1/variance. Default: equal.
        curvature: Fit $R^{(2)}$ as well; needs three different depths.

    Raises:
        ShapeError: If the lengths differ.
        DtypeError: If there is anything but real numbers.
        NonFiniteError: If a number is NaN or infinite.
        TooFewRowsError: If there are fewer points than fitted numbers.
        OptionError: If a depth or weight is not positive, or there are too few different depths.

    Source:
        Follow-up of Jacot (2023): arXiv 2305.19008, finite-depth expansion.
    """
    count = 3 if curvature else 2
    points, values = _numbers(depths, "depths"), _numbers(costs, "costs")
    v = np.ones(len(points)) if weights is None else _numbers(weights, "weights")
    if not len(points) == len(values) == len(v):
        raise ShapeError(
            f"There are {len(points)} depths, {len(values)} costs and {len(v)} weights. Pass one cost (and one weight) "
            "for each depth."
        )
    if len(points) < count:
        raise TooFewRowsError("The sweep over the depth", len(points), count)
    for name, numbers in (("depths", points), ("weights", v)):
        if not (numbers > 0).all():
            raise OptionError(name, float(numbers.min()), "positive")
    if len(np.unique(points)) < count:
        raise OptionError("the number of different depths", len(np.unique(points)), f"at least {count}")
    return _fitted(points, values, v, count)


def depth_sweep(costs: Iterable[SizedNetwork | BoundedCost]) -> tuple[list[int], list[float]]:
    """(depths, costs) of networks (by ‖w‖²) or of cost brackets (by L times the upper bound of R/L), by depth.

    Args:
        costs: In any order; networks and brackets may be mixed. Where several have one depth the cheapest counts.

    Raises:
        TooFewRowsError: If there is none.
        DtypeError: If something has no depth, or neither a norm nor an upper bound.
    """
    cheapest: dict[int, float] = {}
    for each in costs:
        if isinstance(each, SizedNetwork):
            value = float(each.squared_norm)
        elif isinstance(each, BoundedCost):
            value = float(each.upper) * each.depth
        else:
            raise DtypeError("the sweep over the depth", f"{type(each).__name__}, without a depth and a cost")
        cheapest[each.depth] = min(value, cheapest.get(each.depth, float("inf")))
    if not cheapest:
        raise TooFewRowsError("The sweep over the depth", 0, 2)
    return sorted(cheapest), [cheapest[depth] for depth in sorted(cheapest)]


def _fitted(
    points: NDArray[np.float64], values: NDArray[np.float64], v: NDArray[np.float64], count: int
) -> DepthExpansion:
    root = np.sqrt(v)
    design = _design(points, count)
    # By QR, not the normal equations: L, 1 and 1/L have very different sizes.
    q, r = np.linalg.qr(root[:, None] * design)
    fitted = np.linalg.solve(r, q.T @ (root * values))
    residuals = values - design @ fitted
    freedom = len(points) - count
    covariance = None
    if freedom > 0:
        inverse = np.linalg.inv(r)
        covariance = float(v @ residuals**2) / freedom * (inverse @ inverse.T)
    return DepthExpansion(
        rank=float(fitted[0]),
        regularity=float(fitted[1]),
        curvature=float(fitted[2]) if count > 2 else None,
        depths=points,
        costs=values,
        residuals=residuals,
        freedom=freedom,
        covariance=covariance,
    )


def _design(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.stack([points, np.ones_like(points), 1.0 / points][:count], axis=1)


def _check_depth(depth: float) -> None:
    if not 0.0 < depth < float("inf"):
        raise OptionError("depth", depth, "a positive number")


def _numbers(values: Sequence[float], what: str) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise DtypeError(what, array.dtype)
    if array.ndim != 1:
        raise ShapeError(f"{what} has shape {array.shape}. Pass a sequence of numbers, one for each depth.")
    if not np.isfinite(array).all():
        raise NonFiniteError(what, int(np.flatnonzero(~np.isfinite(array))[0]), 0)
    return array.astype(np.float64)
