"""What linear functions alone say of the rank: Bartlett's test of canonical correlations."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.ranks import spaced
from isthmus.threads import one_thread
from isthmus.weighted_means import effective_rows, weighted_mean

NOTHING_LEFT = -2.0
"""What is said of k for which there are no correlations left to test."""
_ROWS = 5000  # that are tested; with more of them every bend of f is found to be significant
_ROWS_PER_COLUMN = 4  # of x and of y; columns beyond that are left out, the least varying directions first
_LEAST = 1e-6  # of the largest singular value, below which directions do not vary
_MOST = 1.0 - 1e-9  # a correlation of 1 would be infinitely significant


def canonical_correlations(x: Tensor, y: Tensor, weights: Tensor | None = None) -> tuple[Tensor, int, int]:
    r"""Correlations $\rho_1 \ge \rho_2 \ge \dots$ of linear forms of x and of y, each uncorrelated with those before.

    Columns are scaled to variance 1, and of each side as many principal directions are taken as there are rows for.

    Args:
        x: `(n, d)`.
        y: `(n, m)`.
        weights: How much each row counts, `(n,)`, positive.

    Returns:
        `(min(p, q),)` float64, and p and q, the directions of x and of y.

    Source:
        Hotelling (1936).
    """
    ours, theirs = (_directions(each.double(), weights) for each in (x, y))
    return torch.linalg.svdvals(ours.T @ theirs), ours.shape[1], theirs.shape[1]


def linear_significance(x: Tensor, y: Tensor, weights: Tensor | None = None) -> Tensor:
    r"""How significantly more than k linear functions of x are needed to predict y linearly, k = 0, 1, ….

    With p and q directions of x and y and n rows, $-(n - 1 - \tfrac{p + q + 1}{2}) \sum_{i > k} \log(1 - \rho_i^2)$
    is about χ² distributed with (p − k)(q − k) degrees of freedom if k are enough; returned is its distance from their
    number in standard deviations.

    Args:
        x: Inputs `(n, d)`; at most 5000 evenly spaced rows are used.
        y: Outputs `(n, m)`, or classes `(n,)` from 0 on.
        weights: How much each row counts, `(n,)`, positive; their effective number is that of `standard_error`.

    Returns:
        `(min(p, q),)` float64.

    Source:
        Bartlett (1941).
    """
    with one_thread():
        outputs = spaced(y if y.is_floating_point() else torch.nn.functional.one_hot(y), _ROWS)
        counted = None if weights is None else spaced(weights, _ROWS)
        rows = len(outputs) if counted is None else effective_rows(counted)
        correlations, p, q = canonical_correlations(spaced(x, _ROWS), outputs, counted)
        left = -torch.log1p(-correlations.clamp(0.0, _MOST).square())
        statistics = (rows - 1.0 - (p + q + 1.0) / 2.0) * left.flip(0).cumsum(0).flip(0)
        k = torch.arange(len(correlations), dtype=torch.float64)
        degrees = ((p - k) * (q - k)).to(statistics)
        distances: Tensor = (statistics - degrees) / (2.0 * degrees).sqrt()
        return distances


def _directions(columns: Tensor, weights: Tensor | None) -> Tensor:
    """Orthonormal `(n, p)`: the principal directions of the centred, scaled columns that vary."""
    centred = columns - weighted_mean(columns, weights)
    if weights is not None:
        centred = centred * (weights / weights.sum() * len(weights)).sqrt().to(centred)[:, None]
    scales = centred.square().mean(0).sqrt()
    scaled = centred[:, scales > 0] / scales[scales > 0]
    vectors: Tensor
    vectors, values, _ = torch.linalg.svd(scaled, full_matrices=False)
    count = int((values > _LEAST * values[:1]).sum())
    rows = len(columns) if weights is None else effective_rows(weights)
    return vectors[:, : min(count, int(rows / _ROWS_PER_COLUMN))]
