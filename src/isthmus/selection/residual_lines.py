"""What linear functions of the inputs see in what networks through k numbers leave."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from isthmus.foundation.statistics import effective_rows
from isthmus.foundation.threads import one_thread
from isthmus.selection.canonical_correlations import bartlett, principal_directions

_MEAN, _DEVIATION = -1.2065, 1.2680  # of the law of Tracy and Widom of order 1
_LEAST, _MOST = 1e-12, 1.0 - 1e-9  # squared correlations whose logits are finite


def residual_lines(x: Tensor, residuals: Tensor, weights: Tensor) -> Tensor:
    r"""By how much clearer lines see what k = 0 … K numbers leave than what the whole network leaves, `(K + 1,)`.

    That inputs and residuals are independent has two tests, each counted in standard deviations from what is expected
    if they are: Bartlett's of all their canonical correlations, and $\log \rho^2/(1 - \rho^2)$ of the largest alone,
    which has about the law of Tracy and Widom. Of each the whole network's is taken off, and the larger is returned.
    What regularisation and few rows leave everywhere, lines see in both; a number that k leave out and the network has
    learned they see in the first alone.

    Results do not depend on the number of threads. 0 where there are too few rows for a correlation below 1.

    Args:
        x: Inputs at held-out rows `(n, d)`.
        residuals: Of the functions through k = 0 … K numbers and last of the whole network, `(K + 2, n, d_out)`.
        weights: How much each row counts, `(n,)`, positive.

    Source:
        Bartlett (1941); Johnstone (2008) for the law of the largest root.
    """
    with one_thread():
        rows = effective_rows(weights)
        ours = principal_directions(x.double(), weights, rows)
        seen = [_tested(ours, principal_directions(left.double(), weights, rows), rows) for left in residuals]
    found = torch.tensor(seen, dtype=torch.float64)
    return (found[:-1] - found[-1]).amax(1)


def _tested(ours: Tensor, theirs: Tensor, rows: float) -> tuple[float, float]:
    """Both statistics of orthonormal `(n, p)` and `(n, q)`: of all correlations, and of the largest."""
    p, q = ours.shape[1], theirs.shape[1]
    if min(p, q) == 0 or p + q + 1 >= rows:
        return 0.0, 0.0
    correlations = torch.linalg.svdvals(ours.T @ theirs)
    statistics, degrees = bartlett(correlations, p, q, rows)
    square = min(max(float(correlations[0]) ** 2, _LEAST), _MOST)
    middle, deviation = _largest_logit(p, q, rows)
    of_all = float((statistics[0] - degrees[0]) / (2.0 * degrees[0]).sqrt())
    return of_all, (math.log(square / (1.0 - square)) - middle) / deviation


def _largest_logit(p: int, q: int, rows: float) -> tuple[float, float]:
    """Mean and deviation of the logit of the largest of the squared correlations of independent p and q columns."""
    count = rows - 2.0
    less, more = (2.0 * math.asin(math.sqrt((each - 0.5) / count)) for each in sorted((p, q)))
    scale = (16.0 / (count**2 * math.sin(more + less) ** 2 * math.sin(more) * math.sin(less))) ** (1.0 / 3.0)
    return 2.0 * math.log(math.tan((more + less) / 2.0)) + _MEAN * scale, _DEVIATION * scale
