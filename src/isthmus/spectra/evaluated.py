"""A callable on arrays as a function of rows: called in batches, counted, and watched."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isthmus.errors import (
    DtypeError,
    EvaluationBudgetError,
    IsthmusError,
    MixedRowsError,
    ModelCallError,
    NonFiniteOutputError,
    NotDifferentiableError,
    RowCountError,
)

BATCH = 1 << 22  # numbers that are handed over in one call
_FAR = 10.0  # times its deviation, which noise that was measured rightly is not off by
_SAME = 1e-3  # relative difference of a row alone and among others that rounding does not explain


class EvaluatedFunction:
    """f: `(n, *row)` to `(n, m)`, values only.

    Args:
        call: Takes a numpy array of rows, float64 or what it was given, and returns one output a row.
        row_shape: Shape of one row.
        dtype: What the rows are handed over as.
        budget: How many rows may be evaluated in all.
        reserved: How many of them are kept for the end.

    Attributes:
        budget, reserved: The same, without those that are kept for the end; they may be set free.
        evaluations, calls: How often f was evaluated, and in how many calls.
        name: What messages call it.
        changes_argument: Whether it has written into the array that it was given.
        size: The root of the summed squares of the largest outputs seen.
        spread: Largest difference between two evaluations of the same rows; 0 for a function that repeats itself.
        unrepeated: At how many of the rows evaluated again at the end it was off by far more than the measured noise.
        deviation: Standard deviation of what it does not repeat, or what a row alone and among others differs by.
    """

    def __init__(
        self, call: Callable[[Any], Any], row_shape: tuple[int, ...], dtype: Any, budget: int, reserved: int = 0
    ) -> None:
        self._call, self.row_shape, self._dtype = call, row_shape, dtype
        self.budget, self.reserved = budget - reserved, reserved
        self.evaluations = self.calls = 0
        named = getattr(call, "func", call)  # a partial function is called as what it completes
        self.name = getattr(named, "__qualname__", getattr(named, "__name__", type(named).__name__))
        self.changes_argument = False
        self.size = self.spread = self.deviation = 0.0
        self.unrepeated = 0

    @property
    def d_in(self) -> int:
        """Numbers in one row."""
        return math.prod(self.row_shape)

    def exceeded(self, more: int) -> EvaluationBudgetError:
        """The error of so many evaluations more, in what was asked for."""
        return EvaluationBudgetError(self.name, self.evaluations + more + self.reserved, self.budget + self.reserved)

    @property
    def left(self) -> int:
        """Evaluations that the budget still allows."""
        return self.budget - self.evaluations

    def __call__(self, x: Tensor, numbers: Tensor | None = None) -> Tensor:
        """f at the rows of `x` `(n, d_in)`, `(n, m)` float64.

        Args:
            x: Where to evaluate.
            numbers: Of the rows in the data, for messages; None near rows of the data.

        Raises:
            EvaluationBudgetError, ModelCallError, RowCountError, DtypeError, NonFiniteOutputError: As they say.
        """
        if len(x) > self.left:
            raise self.exceeded(len(x))
        size = max(1, BATCH // max(1, self.d_in))
        parts = [self._values(part) for part in x.split(size)]
        result = torch.cat(parts)
        finite = torch.isfinite(result)
        if not finite.all():
            row, column = (~finite).nonzero()[0].tolist()
            raise NonFiniteOutputError(self.name, None if numbers is None else int(numbers[row]), column)
        return result

    def _values(self, x: Tensor) -> Tensor:
        given = np.ascontiguousarray(x.reshape(len(x), *self.row_shape).numpy().astype(self._dtype))
        kept = given.copy()
        self.evaluations, self.calls = self.evaluations + len(x), self.calls + 1
        try:
            returned = self._call(given)
        except (IsthmusError, MemoryError):
            raise
        except Exception as raised:  # whatever a user's function raises
            cause = (str(raised).strip().splitlines() or [type(raised).__name__])[0].rstrip(".")
            remedy = "It is given an array of rows and must return one output a row."
            raise ModelCallError(self.name, self.row_shape, f"{type(raised).__name__}: {cause}", remedy) from raised
        self.changes_argument |= not np.array_equal(given, kept)
        return self._as_rows(returned, len(x))

    def _as_rows(self, returned: Any, rows: int) -> Tensor:
        if isinstance(returned, Tensor):
            returned = returned.detach().cpu().numpy()
        array = np.asarray(returned)
        if array.dtype.kind in "iub" or array.dtype.kind in "US":
            raise NotDifferentiableError(self.name, f"it returns {array.dtype}, labels or counts, not real numbers")
        if array.dtype.kind != "f":
            raise DtypeError(f"the output of {self.name}", array.dtype)
        if array.ndim == 0 or len(array) != rows:
            raise RowCountError(self.name, rows, 0 if array.ndim == 0 else len(array))
        return torch.from_numpy(array.astype(np.float64).reshape(rows, -1))

    def watch(self, x: Tensor) -> Tensor:
        """f at a few rows, evaluated again and one by one: whether it repeats itself and keeps rows apart.

        Raises:
            MixedRowsError: If a row among others gives another output than alone, by more than f varies by itself.
        """
        first, again = self(x), self(x)
        self.size = float(first.abs().amax(0).norm())
        self.spread = float((first - again).abs().max())
        alone = torch.cat([self(row[None]) for row in x])
        size, change = float(first.abs().max()), float((first - alone).abs().max())
        if change > _SAME * size + 10.0 * self.spread:
            raise MixedRowsError(self.name, change / size if size else math.inf)
        repeated = float(((first - again).square().mean() / 2.0).sqrt())
        self.deviation = max(repeated, change if self.spread == 0.0 else 0.0)
        return first

    def watch_again(self, x: Tensor, before: Tensor, noise: Tensor) -> None:
        """Evaluate rows `(n, d_in)` once more whose outputs were `before`, long ago: chance may be rare or drift.

        Args:
            x: The rows.
            before: f there, `(n, m)`.
            noise: Deviation of each output as it was measured, `(m,)`.
        """
        difference = (self(x) - before).abs()
        self.unrepeated = int((difference > _FAR * noise).any(1).sum())
        self.spread = max(self.spread, float(difference.max()))
