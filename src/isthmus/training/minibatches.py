"""Which rows a step of the descent sees."""

from __future__ import annotations

import torch
from torch import Tensor


def rows_of_step(step: int, n: int, size: int, seed: int) -> Tensor | slice:
    """All n rows where a step takes so many; else the next `size` of a permutation that seed and epoch alone draw.

    So a training that goes on from a checkpoint sees the rows that it would have seen.
    """
    if size == n:
        return slice(None)
    epoch, batch = divmod(step, -(-n // size))
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
    # Sorted, as rows in a file are read fastest in their order; rows in memory too, to sum in the same order.
    return order[batch * size : (batch + 1) * size].sort()[0]
