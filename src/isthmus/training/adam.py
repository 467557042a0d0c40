"""Adam on one tensor, for descents that must be as others describe them."""

from __future__ import annotations

import torch
from torch import Tensor

_FIRST, _SECOND, _SMALL = 0.9, 0.999, 1e-8  # the usual constants


class Adam:
    """Steps down the gradient over the root of its mean square, both decaying means.

    Torch's own imports its compiler, a second, when it is first made.

    Args:
        vector: Is moved.
        gradient: Where its gradient is when `step` is called, of the same shape.

    Source:
        Kingma and Ba (2014).
    """

    def __init__(self, vector: Tensor, gradient: Tensor) -> None:
        self._vector, self._gradient, self._steps = vector, gradient, 0
        self._first, self._second = torch.zeros_like(vector), torch.zeros_like(vector)

    def step(self, rate: float) -> None:
        """Move the vector."""
        self._steps += 1
        self._first.lerp_(self._gradient, 1.0 - _FIRST)
        self._second.lerp_(self._gradient.square(), 1.0 - _SECOND)
        size = (self._second / (1.0 - _SECOND**self._steps)).sqrt_().add_(_SMALL)
        self._vector.addcdiv_(self._first, size, value=-rate / (1.0 - _FIRST**self._steps))
