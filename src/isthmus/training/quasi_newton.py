"""L-BFGS on one vector, with the products of a step in a few calls."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.linalg import solve_triangular

from isthmus.training.line_search import Point, wolfe_step

Evaluate = Callable[[], Tensor]
"""Fills the gradient at the vector as it is now and returns the objective."""
Proceed = Callable[[int, float], bool]
"""Whether to go on after so many evaluations, of which the least found so much."""

_LEAST_CURVATURE = 1e-10  # of a pair, sᵀy: below it says nothing about the objective


def lbfgs(
    vector: Tensor,
    gradient: Tensor,
    evaluate: Evaluate,
    *,
    evaluations: int,
    memory: int,
    proceed: Proceed | None = None,
) -> None:
    """Minimise from `vector`, in place, by L-BFGS with a line search for the strong Wolfe conditions.

    `vector` and `gradient` are the tensors that `evaluate` reads and fills; they keep their memory throughout. The
    vector ends at the best point that was evaluated, also when the search is interrupted by an exception: a line
    search visits points that are worse, and an interrupted fit should leave the best one.

    Torch's own takes 2 · `memory` small calls for a direction, as long as a gradient of the networks trained here, and
    imports its compiler (a second) when it is first made; this one takes two products.

    Args:
        vector: Where to start, `(p,)`.
        gradient: Filled by `evaluate`, `(p,)`.
        evaluate: The objective.
        evaluations: At most so many calls of it.
        memory: Pairs of steps and changes of the gradient that are kept.
        proceed: Asked after each step; None goes on.

    Source:
        Nocedal (1980); Byrd, Nocedal and Schnabel (1994), theorem 2.2, for the compact form.
    """
    best, lowest, left = vector.clone(), float("inf"), evaluations

    def value_at() -> float:
        nonlocal lowest, left
        left -= 1
        value = float(evaluate())
        if value < lowest:
            lowest = value
            best.copy_(vector)
        return value

    try:
        value, pairs = value_at(), _Pairs(vector, memory)
        while left > 0:
            direction = pairs.direction(gradient)
            slope = float(gradient @ direction)
            if not slope < 0.0:
                if not len(pairs) or not float(gradient.abs().max()) > 0.0:
                    break
                pairs = _Pairs(vector, memory)  # rounding has spoilt them
                continue
            begin, before = vector.clone(), gradient.clone()
            first = 1.0 if len(pairs) else min(1.0, 1.0 / float(gradient.abs().sum()))

            def along(step: float, begin: Tensor = begin, direction: Tensor = direction) -> Point:
                torch.add(begin, direction, alpha=step, out=vector)
                value = value_at()
                return Point(step, value, float(gradient @ direction), gradient.clone())

            found = wolfe_step(along, Point(0.0, value, slope, before), first, evaluations=left)
            if found.step == 0.0:
                break  # nothing lower was found along a descent direction: the rounding of the objective is reached
            torch.add(begin, direction, alpha=found.step, out=vector)
            gradient.copy_(found.gradient)
            value = found.value
            pairs.append(direction * found.step, gradient - before)
            if proceed is not None and not proceed(evaluations - left, lowest):
                break
    finally:
        vector.copy_(best)


class _Pairs:
    """The last steps s and changes y of the gradient, and their inner products in float64."""

    def __init__(self, like: Tensor, memory: int) -> None:
        self._rows = like.new_zeros(2 * memory, len(like))  # s, then y
        self._memory, self._order = memory, list[int]()
        self._products = torch.zeros(2 * memory, 2 * memory, dtype=torch.float64)

    def __len__(self) -> int:
        return len(self._order)

    def append(self, step: Tensor, change: Tensor) -> None:
        """Keep a pair, in place of the oldest where there are `memory`; one without curvature is left out."""
        if float(step @ change) <= _LEAST_CURVATURE * float(change @ change):
            return
        at = self._order.pop(0) if len(self._order) == self._memory else len(self._order)
        self._order.append(at)
        self._rows[at], self._rows[self._memory + at] = step, change
        products = (self._rows @ change).double().cpu()
        self._products[:, self._memory + at] = products  # of a step only those with later changes are asked for
        self._products[self._memory + at, self._memory :] = products[self._memory :]

    def direction(self, gradient: Tensor) -> Tensor:
        """−H g, with H the inverse Hessian that the pairs say."""
        if not self._order:
            return -gradient
        s = torch.tensor(self._order)
        y = s + self._memory
        products = (self._rows @ gradient).double().cpu()[:, None]
        across, within = self._products[s][:, y], self._products[y][:, y]
        upper, curvatures = across.triu(), across.diagonal()[:, None]
        scale = float(curvatures[-1] / within[-1, -1])
        inner = solve_triangular(upper, products[s], upper=True)
        outer = curvatures * inner + scale * (within @ inner - products[y])
        coefficients = torch.zeros_like(products[:, 0])
        coefficients[s] = solve_triangular(upper.T, outer, upper=False)[:, 0]
        coefficients[y] = -scale * inner[:, 0]
        return -(scale * gradient + coefficients.to(gradient) @ self._rows)
