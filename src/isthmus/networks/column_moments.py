"""Mean, variance and range of columns in one pass over chunks of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ColumnMoments:
    r"""What standardising a matrix needs to know of it, in float64.

    Attributes:
        count: Number of rows.
        mean, variance: Of each column, `(d,)`; the variance divides by the number of rows.
        low, high: Least and largest entry of each column, `(d,)`.
        precision: Relative spacing of numbers in the dtype that the rows came in.
    """

    count: int
    mean: Tensor
    variance: Tensor
    low: Tensor
    high: Tensor
    precision: float

    @staticmethod
    def of(chunks: Iterable[Tensor]) -> ColumnMoments:
        r"""The moments of the rows of all chunks `(n_i, d)`, in memory that does not grow with their number.

        Chunks are joined by $M = M_a + M_b + \delta^2 n_a n_b / (n_a + n_b)$ with M the sums of squared deviations and
        δ the difference of the means. All of it is relative to the first chunk's mean, so that a mean that is large
        beside the deviation costs no more digits than it does when the whole matrix is at hand.

        Source:
            Chan, Golub & LeVeque (1983).
        """
        count = 0
        for chunk in chunks:
            exact = chunk.double()
            low, high = exact.amin(0), exact.amax(0)
            if not count:
                shift, precision = exact.mean(0), torch.finfo(chunk.dtype).eps
                mean, squares, lowest, highest = torch.zeros_like(shift), torch.zeros_like(shift), low, high
            exact = exact - shift
            here = exact.mean(0)
            total = count + len(exact)
            delta = here - mean
            squares = squares + (exact - here).square().sum(0) + delta.square() * (count * len(exact) / total)
            mean = mean + delta * (len(exact) / total)
            count, lowest, highest = total, torch.minimum(lowest, low), torch.maximum(highest, high)
        return ColumnMoments(count, shift + mean, squares / count, lowest, highest, precision)

    @property
    def largest(self) -> Tensor:
        """Largest magnitude in each column, `(d,)`."""
        return torch.maximum(self.low.abs(), self.high.abs())

    @property
    def is_constant(self) -> bool:
        """Whether all rows are the same."""
        return bool((self.low == self.high).all())
