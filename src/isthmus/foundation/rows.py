"""Data as rows that are read a chunk at a time: arrays, tensors, and files mapped into memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from isthmus.errors import DtypeError, NonFiniteError, OptionError
from isthmus.foundation.arrays import as_floating, as_matrix
from isthmus.foundation.matrices import check_rows, real_array


class Rows:
    """Rows `(n, *shape)` of real numbers, checked and copied only in the chunks that are asked for.

    A matrix larger than memory works if it is a numpy memory map (`numpy.load(path, mmap_mode="r")`).

    Args:
        data: A numpy array, a torch tensor, or nested sequences of numbers; at least one row.
        what: How error messages call it.

    Raises:
        DtypeError: If the entries are not real numbers.
        ShapeError: If there are no rows, no columns, or it is ragged.
    """

    def __init__(self, data: object, what: str = "x") -> None:
        self.what = what
        self._data = data.detach() if isinstance(data, Tensor) else real_array(data, what)
        if isinstance(self._data, Tensor) and (self._data.is_complex() or self._data.is_quantized):
            raise DtypeError(what, self._data.dtype)
        self.shape = tuple(int(d) for d in self._data.shape)
        check_rows(self.shape, what)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self.shape[1:]

    @property
    def width(self) -> int:
        """Numbers in one row."""
        return int(np.prod(self.row_shape))

    def reshaped(self, row_shape: tuple[int, ...]) -> Rows:
        """The same rows, each of another shape with as many numbers."""
        data = self._data.reshape((len(self), *row_shape))
        return Rows(data, self.what)

    def matrix(self) -> Tensor:
        """All rows, each flattened, `(n, width)`.

        Raises:
            ShapeError: If a row is a single number without a dimension of its own.
            NonFiniteError: If an entry is NaN or infinite.
        """
        rows = self.chunk(0, len(self))
        return as_matrix(rows.flatten(1) if rows.dim() > 2 else rows, self.what)

    def chunk(self, begin: int, end: int) -> Tensor:
        """Rows `begin` … `end − 1`, finite; float32 or float64 as they came, other real types as float64.

        Raises:
            NonFiniteError: If an entry is NaN or infinite.
        """
        return self._checked(self._data[begin:end], range(begin, min(end, len(self))))

    def chunks(self, size: int) -> Iterator[Tensor]:
        """All rows, `size` at a time."""
        for begin in range(0, len(self), size):
            yield self.chunk(begin, begin + size)

    def spaced(self, count: int) -> tuple[Tensor, Tensor]:
        """At most `count` evenly spaced rows, the first and the last among them, and their numbers."""
        if count < 1:
            raise OptionError("points", count, "at least 1")
        if count >= len(self):
            index = torch.arange(len(self))
        else:
            index = torch.linspace(0, len(self) - 1, count, dtype=torch.float64).round().long()
        return self.at(index), index

    def at(self, index: Tensor) -> Tensor:
        """The rows of the numbers `index` `(m,)`, checked as those of `chunk`."""
        taken = self._data[index.to(self._data.device)] if isinstance(self._data, Tensor) else self._data[index.numpy()]
        return self._checked(taken, index.tolist())

    def _checked(self, part: object, numbers: range | list[int]) -> Tensor:
        tensor = as_floating(part if isinstance(part, Tensor) else _tensor(part))
        finite = torch.isfinite(tensor)
        if not finite.all():
            row, *column = (~finite).nonzero()[0].tolist()
            raise NonFiniteError(self.what, numbers[row], column[0] if len(column) == 1 else str(tuple(column)))
        return tensor


def _tensor(part: object) -> Tensor:
    array = np.asarray(part)
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:  # torch has no long double
        array = array.astype(np.float64)
    # A copy of the chunk: memory maps are read-only, and torch has no read-only tensors.
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("=")))
