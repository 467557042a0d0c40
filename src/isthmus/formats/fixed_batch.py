"""Graphs that were exported for one number of rows, made to take any number."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from isthmus.errors import MixedRowsError, RowCountError
from isthmus.networks.wrappers import name_of

_SAME = 1e-3  # relative difference of one row in two places that rounding does not explain


class FixedBatch(nn.Module):
    """Calls `inner` on so many rows at a time, the last of them repeated to fill up, and puts the outputs together.

    Attributes:
        inner: A module that takes exactly `rows` rows.
        rows: How many.
    """

    def __init__(self, inner: nn.Module, rows: int) -> None:
        super().__init__()
        self.inner, self.rows = inner, rows
        self._is_tried = False

    def forward(self, x: Tensor) -> Any:
        """The outputs of `inner` at all rows of `x` `(n, …)`.

        Raises:
            RowCountError: If the output has another number of rows.
            MixedRowsError: If the output of a row depends on the others, or on where among them it stands.
        """
        if not self._is_tried:
            self._try(x.detach())
        missing = -len(x) % self.rows
        filled = torch.cat([x, x[-1:].expand(missing, *x.shape[1:])]) if missing else x
        results = [self.inner(rows) for rows in filled.split(self.rows)]
        return _joined(results, len(x))

    def _try(self, x: Tensor) -> None:
        """A row must give the same output in every place, and whatever the other rows are."""
        with torch.no_grad():
            alone = _tensors(self.inner(x[:1].expand(self.rows, *x.shape[1:]).contiguous()))
            others = x[torch.arange(self.rows, device=x.device) % len(x)]
            among = _tensors(self.inner(others))
        for each, mixed in zip(alone, among, strict=True):
            if each.ndim == 0 or len(each) != self.rows:
                raise RowCountError(name_of(self), self.rows, 0 if each.ndim == 0 else len(each))
            if each.is_floating_point() and each.numel():
                size = float(torch.nan_to_num(each).abs().amax())
                change = max(_largest(each - each[:1]), _largest(mixed[0] - each[0]))
                if change > _SAME * size:
                    raise MixedRowsError(name_of(self), change / size if size else float("inf"))
        self._is_tried = True


def _largest(difference: Tensor) -> float:
    return float(torch.nan_to_num(difference, nan=0.0).abs().amax())


def _tensors(result: Any) -> list[Tensor]:
    if isinstance(result, Tensor):
        return [result]
    return [each for part in (result.values() if isinstance(result, dict) else result) for each in _tensors(part)]


def _joined(results: list[Any], count: int) -> Any:
    first = results[0]
    if isinstance(first, Tensor):
        return torch.cat(results)[:count]
    if isinstance(first, dict):
        return {key: _joined([result[key] for result in results], count) for key in first}
    return tuple(_joined([result[i] for result in results], count) for i in range(len(first)))
