"""A graph in the place of a larger one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from isthmus.compression.compressed import Compressed
from isthmus.compression.graphs.network import GraphNetwork
from isthmus.errors import OptionError, TargetExistsError
from isthmus.formats.fixed_batch import FixedBatch
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.files import write_atomically
from isthmus.foundation.rows import Rows

if TYPE_CHECKING:
    import onnx

_MOST = 2**31 - 2**20  # bytes of a protobuf message, less room for the graph


def checked_graph_target(path: str | Path) -> Path:
    """`path`, if a graph can be written to it: an `.onnx` file, and nothing there.

    Raises:
        OptionError, TargetExistsError: If it cannot.
    """
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise OptionError("out", str(path), "a path that ends in .onnx: a graph is written in no other form")
    if path.exists() or path.is_symlink():
        raise TargetExistsError(path)
    return path


@dataclass(frozen=True, eq=False)
class CompressedGraph(Compressed):
    """A graph with smaller stretches, and the rest of it as it was.

    Attributes:
        network: The function, in the precision in which it is written.
        model: The graph as it is written.
    """

    network: GraphNetwork
    model: onnx.ModelProto

    @property
    def module(self) -> nn.Module:
        """The graph as a torch module that takes rows in their own shape."""
        module, rows = self.network.graph.module(self.network.stretches, self.network.dtype), self.network.graph.rows
        return module if rows is None else FixedBatch(module, rows)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.network.dtype

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of a row of the input."""
        return self.network.row_shape

    def __call__(self, x: object) -> Tensor:
        """The network at rows `(n, …)`: `(n, d_out)`, several outputs side by side."""
        rows = Rows(x).chunk(0, len(Rows(x))).flatten(1)
        with torch.no_grad():
            return self.network(as_matrix(rows))

    def write(self, path: str | Path) -> Path:
        """Write the graph to a new `.onnx` file.

        Raises:
            OptionError: If the path ends otherwise, or the graph is larger than such a file can be.
            TargetExistsError: If something is there already.
        """
        path = checked_graph_target(path)
        if self.model.ByteSize() > _MOST:
            raise OptionError("out", str(path), "of a smaller graph: an .onnx file has 2 GB at most")
        write_atomically(path, self.model.SerializeToString())
        return path
