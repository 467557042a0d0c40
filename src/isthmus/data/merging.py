"""Equal rows as one row that counts more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Floats, Integers, Weights


def merged_rows(x: Floats, y: Floats | Integers, weights: Weights) -> tuple[Floats, Floats | Integers, Weights]:
    """The different rows of positive weight, in an order that depends on what they hold alone.

    Equal pairs (x, y) become one whose weight is their sum. So a row that is repeated and a row of that weight are the
    same data, bit for bit, and so are the same rows in another order.

    Args:
        x: Inputs `(n, d_in)`, finite.
        y: Outputs `(n, d_out)`, finite, or class indices `(n,)`; `x` itself for an autoencoder.
        weights: `(n,)`, ≥ 0, some of them positive.

    Returns:
        x, y and weights of the m different rows; y is x itself where it was.
    """
    is_counted = weights > 0
    columns = [x[is_counted]] if y is x else [x[is_counted], y[is_counted].reshape(int(is_counted.sum()), -1)]
    key = row_bytes(np.concatenate([c.astype(np.float64) for c in columns], 1))
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    merged = x[is_counted][first]
    return (
        merged,
        merged if y is x else y[is_counted][first],
        np.bincount(group.ravel(), weights[is_counted]).astype(np.float64),
    )


def row_bytes(x: Floats) -> NDArray[np.void]:
    """One value a row of `x` `(n, d)`: equal where the rows are."""
    rows = np.ascontiguousarray(x + 0.0)  # bytes are compared, and −0.0 + 0.0 = 0.0
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
