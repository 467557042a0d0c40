"""The smaller network, what it changes, and why it may be smaller."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from isthmus.compression.fold import Fold
from isthmus.errors import DisagreementError
from isthmus.formats.chain_files import Interface, write_chain
from isthmus.formats.loading import load
from isthmus.formats.reference import agreement, by_name
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.rows import Rows
from isthmus.networks.chain import Chain
from isthmus.networks.chain_conversion import chain_module


@dataclass(frozen=True)
class Size:
    """How large a model is.

    Attributes:
        parameters: Numbers that it holds.
        depth: Matrices that it multiplies with.
        flops: Multiplications and additions of these for one row.
        widths: Numbers in a row of the inputs, of what each matrix gives, and of the outputs last.
    """

    parameters: int
    depth: int
    flops: int
    widths: tuple[int, ...]


@dataclass(frozen=True)
class CurvePoint:
    """One network on the way to a smaller one: how it was made, its parameters, its error on held-out rows."""

    method: str
    parameters: int
    error: float


@dataclass(frozen=True, eq=False)
class Compressed(ABC):
    r"""A smaller network in place of f.

    Attributes:
        before, after: Sizes of f and of the network.
        folds: The exact steps with their proofs, in order.
        rank: Through how few numbers the network passes its inputs, at its narrowest layer; 0 where it is constant,
            None of a graph.
        error: $\|f - f_k\| / \|f - \bar f\|$, outputs in `units`; of exact folds over the rows, else over held-out rows
            that nothing was fitted to.
        units: In which outputs are counted in `error`, in words.
        largest_change: Largest change of an output over rows, and over random points of the box if there is one,
            relative to the largest value of that output there.
        rounding: What evaluating f itself in its own precision changes, as `largest_change`.
        domain: Where the folds hold, in words.
        method: "exact folds", or how the last of the approximations was made.
        curve: Networks of other sizes that were seen on the way; empty where only exact folds were asked for.
        notes: What a reader should know.
    """

    before: Size
    after: Size
    folds: tuple[Fold, ...]
    rank: int | None
    error: float
    units: str
    largest_change: float
    rounding: float
    domain: str
    method: str
    curve: tuple[CurvePoint, ...]
    notes: tuple[str, ...]
    _points: Tensor = field(repr=False)

    @property
    @abstractmethod
    def module(self) -> nn.Module:
        """The network as a torch module."""

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """Of the weights."""

    @property
    @abstractmethod
    def row_shape(self) -> tuple[int, ...]:
        """Shape of a row in files."""

    @abstractmethod
    def __call__(self, x: object) -> Tensor:
        """The network at rows `(n, …)`: `(n, d_out)`."""

    @abstractmethod
    def write(self, path: str | Path) -> Path:
        """Write the network to a new file."""

    def save(self, path: str | Path) -> Path:
        """Write the network to a new file, atomically, and return its path.

        `.onnx`, and of a chain `.safetensors` or `.pt2` as well. The file is loaded again and compared with the
        network, an `.onnx` file in onnxruntime too, on rows and on random points of the box; one that differs is taken
        away again.

        Raises:
            OptionError: If the path ends otherwise.
            TargetExistsError: If something is there already.
            MissingExtraError: If onnx is needed and not installed.
            DisagreementError: If the file computes something else.
        """
        path = self.write(path)
        try:
            self._compare(path)
        except BaseException:
            path.unlink()
            raise
        return path

    def example(self, count: int) -> NDArray[np.generic]:
        """So many rows of the domain, repeated where there are fewer, in the shape and precision of files."""
        index = torch.arange(count) % len(self._points)
        rows: NDArray[np.generic] = self._points[index].to(self.dtype).numpy()
        return rows.reshape(count, *self.row_shape)

    def record(self) -> dict[str, Any]:
        """What is told, ready for JSON."""
        return {
            "kind": "compress",
            "rank": self.rank,
            "error": self.error,
            "units": self.units,
            "largest_change": self.largest_change,
            "rounding": self.rounding,
            "domain": self.domain,
            "method": self.method,
            "parameters_before": self.before.parameters,
            "parameters_after": self.after.parameters,
            "depth_before": self.before.depth,
            "depth_after": self.after.depth,
            "flops_before": self.before.flops,
            "flops_after": self.after.flops,
            "widths_before": list(self.before.widths),
            "widths_after": list(self.after.widths),
            "folds": [fold.record() for fold in self.folds],
            "curve": [vars(point) for point in self.curve],
            "notes": list(self.notes),
        }

    def _compare(self, path: Path) -> None:
        model: Any = load(path)
        rows = self._points.to(self.dtype)
        wanted = self(rows)
        shaped = rows.reshape(len(rows), *self.row_shape)
        with torch.no_grad():
            found = by_name(model(shaped if isinstance(model, nn.Module) else rows))
        off, size = _off(found, wanted), float(wanted.abs().max())
        if not off <= 1e3 * torch.finfo(self.dtype).eps * size:
            names = ", ".join(found)
            raise DisagreementError(str(path), "isthmus", names, f"differs by {off:.3g} of {size:.3g}")
        if isinstance(model, nn.Module):
            agreement(model, Rows(shaped))


def _off(found: Mapping[str, Tensor], wanted: Tensor) -> float:
    return float((torch.cat([each.flatten(1) for each in found.values()], 1) - wanted).abs().max())


@dataclass(frozen=True, eq=False)
class CompressedChain(Compressed):
    """A chain in the place of another one.

    Attributes:
        chain: The network, in the precision in which it is written.
        interface: Shape of a row and names of the tensors in files.
    """

    chain: Chain
    interface: Interface

    @property
    def module(self) -> nn.Sequential:
        """The network as a torch module that takes matrices of rows.

        Raises:
            OptionError: For the absolute value, which has no module in torch.
        """
        return chain_module(self.chain)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.chain.dtype

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of a row in files."""
        return self.interface.row_shape

    def __call__(self, x: object) -> Tensor:
        """The network at the rows of `x` `(n, d_in)`: `(n, d_out)`."""
        return self.chain(as_matrix(x))

    def write(self, path: str | Path) -> Path:
        """As `write_chain`."""
        return write_chain(self.chain, path, self.interface)


def interface_of(model: object, chain: Chain, names: Mapping[str, Any] | None = None) -> Interface:
    """How a file should call what goes in and out of a chain that was made of a model.

    Args:
        model: The model; one from a file may say the shape of its rows.
        chain: The chain.
        names: Fields of `Interface` that the given file says.
    """
    shape = getattr(model, "input_shape", None)
    is_known = isinstance(shape, tuple) and all(isinstance(size, int) for size in shape) and len(shape) > 0
    row = tuple(shape) if is_known and shape is not None else (chain.d_in,)
    given = Interface(row, **(names or {}))
    return given if given.width == chain.d_in else Interface((chain.d_in,), **(names or {}))
