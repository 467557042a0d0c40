"""The two optimisers, both from torch, on one vector."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Evaluate = Callable[[], Tensor]
"""Fills the gradient at the vector as it is now and returns the objective."""


class Adam:
    """torch's Adam on one vector, with its state in reach so that a checkpoint can hold it."""

    def __init__(self, vector: Tensor) -> None:
        self._parameter = torch.nn.Parameter(vector, requires_grad=False)
        self.gradient = torch.zeros_like(vector)
        self._parameter.grad = self.gradient
        self._optimiser = torch.optim.Adam([self._parameter], fused=True)

    def step(self, learning_rate: float) -> None:
        """Move the vector along `gradient`."""
        self._optimiser.param_groups[0]["lr"] = learning_rate
        self._optimiser.step()

    def state(self) -> dict[str, Tensor]:
        """First and second moments and the step count; empty before the first step."""
        return dict(self._optimiser.state.get(self._parameter, {}))

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a `state`."""
        if state:
            device = self._parameter.device
            self._optimiser.state[self._parameter] = {name: t.to(device) for name, t in state.items()}


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
