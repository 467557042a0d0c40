"""Training rows that stay in their file."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from isthmus.foundation.rows import Rows
from isthmus.networks import Affine, ColumnMoments

STREAMED_FROM = 64 * 2**20  # bytes; a memory map that is smaller is loaded
_PIECE = 8 * 2**20  # bytes of float64 that are standardised at a time, so that wide rows need no more memory


class StoredRows:
    """Rows of a memory map, standardised in float64 as they are read, as float32 on the training device.

    It has of a tensor `(n, d)` what the training reads: length, shape, dtype, device, slices and rows by number. Rows
    by number are fastest in increasing order. Memory is needed for the rows that are asked for only; the pages of a
    read-only map are given back after each read, and what remains is the system's cache of the file. A file in Fortran
    order works, but every row then touches every page.

    Args:
        data: A numpy memory map or a view of one, `(n, d)`.
        affine: The standardisation.
        device: Where the rows go.
        what: How error messages call the data.
    """

    dtype = torch.float32

    def __init__(self, data: np.ndarray, affine: Affine, device: torch.device | str, what: str) -> None:
        self._data, self._rows, self._pages, self._affine = data, Rows(data, what), _pages(data), affine
        self.device = torch.device(device)
        self.shape = torch.Size(self._rows.shape)
        self._piece = max(1, _PIECE // (8 * self.shape[1]))

    def __len__(self) -> int:
        return self.shape[0]

    def is_floating_point(self) -> bool:
        """True, as for a tensor of float32."""
        return True

    def __getitem__(self, index: slice | Tensor) -> Tensor:
        """The rows of a slice, or of row numbers `(m,)`."""
        numbers = torch.arange(*index.indices(len(self))) if isinstance(index, slice) else index.cpu()
        is_run = isinstance(index, slice) and index.step in (None, 1)
        out = torch.empty(len(numbers), self.shape[1])
        for begin in range(0, len(numbers), self._piece):
            piece = numbers[begin : begin + self._piece]
            rows = self._rows.chunk(int(piece[0]), int(piece[-1]) + 1) if is_run else self._rows.at(piece)
            out[begin : begin + self._piece] = self._affine.forward(rows.double())
            self._give_back()
        return out.to(self.device)

    @cached_property
    def moments(self) -> ColumnMoments:
        """Of the columns as they are in the file: the first look at them reads, and checks, every row once."""
        return ColumnMoments.of(self.raw_chunks())

    def standardized(self, affine: Affine) -> StoredRows:
        """The same rows under another standardisation."""
        return StoredRows(self._data, affine, self.device, self._rows.what)

    def raw_chunks(self) -> Iterator[Tensor]:
        """All rows in order as they are in the file, checked, some at a time."""
        for chunk in self._rows.chunks(self._piece):
            yield chunk
            self._give_back()

    def chunks(self) -> Iterator[Tensor]:
        """All rows in order, standardised, some at a time."""
        for begin in range(0, len(self), self._piece):
            yield self[begin : begin + self._piece]

    def _give_back(self) -> None:
        if self._pages is not None:
            self._pages.madvise(mmap.MADV_DONTNEED)


def is_streamed(data: object) -> bool:
    """Whether `data` is a memory map, or a view of one, of more than 64 MiB."""
    return isinstance(data, np.ndarray) and _mapping(data) is not None and data.nbytes > STREAMED_FROM


def _mapping(data: np.ndarray) -> np.ndarray | None:
    """The array that lies directly on the mapped file, if `data` is a view of one."""
    at: object = data
    while isinstance(at, np.ndarray):
        base: object = at.base
        if isinstance(base, mmap.mmap):
            return at
        at = base
    return None


def _pages(data: np.ndarray) -> mmap.mmap | None:
    """The mapping, if its pages may be dropped: a writable one may hold changes that are in no file."""
    root = _mapping(data)
    if root is None or root.flags.writeable or not hasattr(mmap, "MADV_DONTNEED"):
        return None
    return root.base if isinstance(root.base, mmap.mmap) else None
