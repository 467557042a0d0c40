"""What networks through k numbers leave at the rows that a fold holds out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from isthmus.foundation.likelihood import Likelihood
from isthmus.spectra import spaced

_ROWS = 1700  # of a fold: of three folds as many as lines of the outputs are asked of


def kept_rows(rows: Tensor) -> Tensor:
    """Those of the held-out rows `(m, …)` whose residuals a fold keeps: evenly spaced, at most 1,700."""
    return spaced(rows, _ROWS)


def held_out_residuals(outputs: Sequence[Tensor], targets: Tensor, likelihood: Likelihood) -> Tensor:
    """Targets as numbers less what outputs say of them: of classes the gradient of the loss by the logits, reversed.

    Args:
        outputs: Of functions at the held-out rows, `(m, d_out)` each, in standardised units; nothing is kept of none.
        targets: `(m, d_out)`, or classes `(m,)`.
        likelihood: Says what outputs say.

    Returns:
        `(len(outputs), r, d_out)` float32 at the r `kept_rows`, as networks compute.
    """
    if not outputs:
        return torch.zeros(0, 0, 0)
    numbers = kept_rows(likelihood.as_numbers(targets, outputs[0].shape[1])).double()
    left = [numbers - likelihood.expectation(kept_rows(each)).double() for each in outputs]
    return torch.stack(left).float().cpu()
