"""What a linear map through as many numbers achieves on the same rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from isthmus.data import Dataset
from isthmus.factorization import linear_baseline
from isthmus.foundation.likelihood import row_losses
from isthmus.runs.held_out import standardized_rows
from isthmus.training import FittedNetwork


def baselines(dataset: Dataset, fitted: FittedNetwork, *, rank: int, most: int) -> list[dict[str, Any]]:
    """PCA for an autoencoder, reduced-rank regression otherwise: validation errors over k, test error at the rank.

    Args:
        dataset: The data.
        fitted: The network that was fitted to the training rows.
        rank: The decided rank.
        most: The largest k.
    """
    is_classification = fitted.classes is not None
    train, outputs = fitted.objective.sample()
    x_v, y_v = standardized_rows(dataset, fitted, dataset.split.validation)
    x_t, y_t = standardized_rows(dataset, fitted, dataset.split.test)
    if dataset.task == "autoencoder":
        linear = linear_baseline(train, train)
    else:
        targets = _targets(outputs, fitted)
        linear = linear_baseline(train, targets, held_out=(x_v, _targets(y_v, fitted)))
    ranks = [k for k in range(most + 1) if k <= linear.directions.shape[1]]
    curve = {k: row_losses(linear(x_v, k), y_v, is_classification=is_classification) for k in ranks}
    at = min(rank, linear.directions.shape[1])
    test = row_losses(linear(x_t, at), y_t, is_classification=is_classification)
    return [
        {
            "name": linear.name,
            "errors": {str(k): float(losses.mean()) for k, losses in curve.items()},
            "test_error_at_rank": float(test.mean()),
        }
    ]


def _targets(y: Tensor, fitted: FittedNetwork) -> Tensor:
    if fitted.classes is None:
        return y
    return torch.nn.functional.one_hot(y, len(fitted.classes)).double()
