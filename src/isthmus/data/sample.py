"""Rows to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.data.dataset import Floats, Integers, Weights
from isthmus.data.merging import merged_rows
from isthmus.data.row_draw import drawn_rows
from isthmus.foundation.task import Task


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows to learn from, each of them once.

    Attributes:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)`, or class indices `(n,)`; an autoencoder's is its x.
        weights: How much each row counts, `(n,)`, positive.
        task: What is learned.
        drawn_from: How many rows these were drawn from; 0 where they are all.
    """

    x: Floats
    y: Floats | Integers
    weights: Weights
    task: Task
    drawn_from: int = 0

    @staticmethod
    def merged(x: Floats, y: Floats | Integers, weights: Weights, task: Task) -> Sample:
        """The different rows of positive weight, in double precision, in an order that they alone decide.

        Of very many rows some (`drawn_rows`). Arrays may be memory maps, of which only these are copied.
        """
        targets = None if y is x else np.asarray(y, np.int64) if task == "classification" else y
        drawn = drawn_rows(x, targets, weights)
        if drawn is not None:
            x, y, weights = (rows := x[drawn.rows]), rows if y is x else y[drawn.rows], drawn.weights
        x64 = np.asarray(x, np.float64)
        y64 = x64 if y is x else y if task == "classification" else np.asarray(y, np.float64)
        return Sample(*merged_rows(x64, y64, weights), task, 0 if drawn is None else drawn.of)

    def at(self, rows: Integers) -> Sample:
        """Some of the rows."""
        x = self.x[rows]
        return Sample(x, x if self.y is self.x else self.y[rows], self.weights[rows], self.task)

    @property
    def labels(self) -> Integers | None:
        """Class indices `(n,)`; None of other tasks."""
        return np.asarray(self.y, np.int64) if self.task == "classification" else None

    @property
    def outputs(self) -> int:
        """Outputs, or classes."""
        return int(self.y.max()) + 1 if self.y.ndim == 1 else int(self.y.shape[1])

    @property
    def is_constant(self) -> bool:
        """Whether all inputs or all outputs are the same."""
        return bool((self.x == self.x[0]).all() or (self.y == self.y[0]).all())
