"""What linear functions of the inputs see in what networks through k numbers leave."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.statistics import effective_rows
from isthmus.foundation.threads import one_thread
from isthmus.selection.canonical_correlations import NOTHING_LEFT, bartlett, principal_directions

_MEAN, _DEVIATION = -1.2065, 1.2680  # of the law of Tracy and Widom of order 1
_LEAST, _MOST = 1e-12, 1.0 - 1e-9  # squared correlations whose logits are finite


@dataclass(frozen=True, eq=False)
class ResidualLines:
    """Tests that residuals through k = 0 … K numbers, and last of the whole network, do not depend on inputs: `(K + 2,)`.

    In standard deviations from what is expected where they are; `NOTHING_LEFT` where nothing varies.

    Attributes:
        every: Bartlett's statistic of all correlations.
        largest: The logit of the largest squared correlation.

    Source:
        Bartlett (1941); Johnstone (2008) for the law of the largest root, that of Tracy and Widom.
    """

    every: Tensor
    largest: Tensor

    @staticmethod
    def of(x: Tensor, residuals: Tensor, weights: Tensor) -> ResidualLines:
        """Of held-out rows, with results that do not depend on the number of threads.

        Args:
            x: Inputs `(n, d)`.
            residuals: Of the functions through k = 0 … K numbers and of the whole network, `(K + 2, n, d_out)`.
            weights: How much each row counts, `(n,)`, positive.
        """
        with one_thread():
            rows = effective_rows(weights)
            ours = principal_directions(x.double(), weights, rows)
            found = [_tested(ours, principal_directions(left.double(), weights, rows), rows) for left in residuals]
        return ResidualLines(*torch.tensor(found, dtype=torch.float64).T)


def _tested(ours: Tensor, theirs: Tensor, rows: float) -> tuple[float, float]:
    """Both statistics of orthonormal `(n, p)` and `(n, q)`."""
    p, q = ours.shape[1], theirs.shape[1]
    if min(p, q) == 0 or p + q + 1 >= rows:
        return NOTHING_LEFT, NOTHING_LEFT
    correlations = torch.linalg.svdvals(ours.T @ theirs)
    statistics, degrees = bartlett(correlations, p, q, rows)
    square = min(max(float(correlations[0]) ** 2, _LEAST), _MOST)
    middle, deviation = _largest_logit(p, q, rows)
    of_largest = (math.log(square / (1.0 - square)) - middle) / deviation
    return float((statistics[0] - degrees[0]) / (2.0 * degrees[0]).sqrt()), of_largest


def _largest_logit(p: int, q: int, rows: float) -> tuple[float, float]:
    """Mean and deviation of the logit of the largest of the squared correlations of independent p and q columns."""
    count = rows - 2.0
    less, more = (2.0 * math.asin(math.sqrt((each - 0.5) / count)) for each in sorted((p, q)))
    scale = (16.0 / (count**2 * math.sin(more + less) ** 2 * math.sin(more) * math.sin(less))) ** (1.0 / 3.0)
    return 2.0 * math.log(math.tan((more + less) / 2.0)) + _MEAN * scale, _DEVIATION * scale
