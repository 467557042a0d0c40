"""Rows of a data set in the units of a network that was fitted to it."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.data import Dataset
from isthmus.data.dataset import Integers
from isthmus.training import FittedNetwork


def standardized_rows(dataset: Dataset, fitted: FittedNetwork, rows: Integers) -> tuple[Tensor, Tensor]:
    """Inputs `(n, d_in)` and outputs `(n, d_out)` or class indices `(n,)`, on the network's device."""
    outputs = dataset.x if dataset.task == "autoencoder" else dataset.y
    return fitted.standardized(torch.from_numpy(dataset.x[rows]), torch.from_numpy(outputs[rows]))
