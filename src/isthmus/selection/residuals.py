"""What networks through k numbers leave at the rows that a fold holds out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from isthmus.spectra import spaced

_ROWS = 1700  # of a fold: of three folds as many as lines of the outputs are asked of


def kept_rows(rows: Tensor) -> Tensor:
    """Those of the held-out rows `(m, …)` whose residuals a fold keeps: evenly spaced, at most 1,700."""
    return spaced(rows, _ROWS)


def held_out_residuals(predicted: Sequence[Tensor], truths: Tensor) -> Tensor:
    """Outputs less predictions: of one-hot rows and probabilities the gradient of the loss by the logits, reversed.

    Args:
        predicted: At the held-out rows, `(m, d_out)` each, in standardised units; nothing is kept of none.
        truths: `(m, d_out)`.

    Returns:
        `(len(predicted), r, d_out)` float32, as networks compute, at the r `kept_rows`.
    """
    if not predicted:
        return torch.zeros(0, 0, 0)
    outputs = kept_rows(truths).double()
    return torch.stack([outputs - kept_rows(each).double() for each in predicted]).float().cpu()
