"""torch's L-BFGS on one vector."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Evaluate = Callable[[], Tensor]
"""Fills the gradient at the vector as it is now and returns the objective."""


def lbfgs(vector: Tensor, gradient: Tensor, evaluate: Evaluate, *, evaluations: int, memory: int) -> None:
    """Minimise from `vector`, in place, by torch's L-BFGS with a strong Wolfe line search.

    `vector` and `gradient` are the tensors that `evaluate` reads and fills; they keep their memory throughout. The
    vector ends at the best point that was evaluated, also when the search is interrupted by an exception: a line
    search visits points that are worse, and an interrupted fit should leave the best one.
    """
    best = vector.clone()
    lowest = float("inf")
    parameter = torch.nn.Parameter(vector, requires_grad=False)
    parameter.grad = gradient
    optimiser = torch.optim.LBFGS(
        [parameter],
        max_iter=evaluations,
        max_eval=evaluations,
        history_size=memory,
        line_search_fn="strong_wolfe",
        tolerance_change=0.0,
        tolerance_grad=0.0,
    )

    def closure() -> Tensor:
        nonlocal lowest
        with torch.no_grad():
            value = evaluate()
        if float(value) < lowest:
            lowest = float(value)
            best.copy_(vector)
        return value

    try:
        optimiser.step(closure)
    finally:
        vector.copy_(best)
