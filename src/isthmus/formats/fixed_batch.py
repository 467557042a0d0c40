"""Graphs that were exported for one number of rows, made to take any number."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class FixedBatch(nn.Module):
    """Calls `inner` on so many rows at a time, the last of them repeated to fill up, and puts the outputs together.

    Attributes:
        inner: A module that takes exactly `rows` rows.
        rows: How many.
    """

    def __init__(self, inner: nn.Module, rows: int) -> None:
        super().__init__()
        self.inner, self.rows = inner, rows

    def forward(self, x: Tensor) -> Any:
        """The outputs of `inner` at all rows of `x` `(n, …)`."""
        missing = -len(x) % self.rows
        filled = torch.cat([x, x[-1:].expand(missing, *x.shape[1:])]) if missing else x
        results = [self.inner(rows) for rows in filled.split(self.rows)]
        return _joined(results, len(x))


def _joined(results: list[Any], count: int) -> Any:
    first = results[0]
    if isinstance(first, Tensor):
        return torch.cat(results)[:count]
    if isinstance(first, dict):
        return {key: _joined([result[key] for result in results], count) for key in first}
    return tuple(_joined([result[i] for result in results], count) for i in range(len(first)))
