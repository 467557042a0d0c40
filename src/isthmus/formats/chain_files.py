"""Chains in files: ONNX for any runtime, safetensors for us, torch.export for torch."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from isthmus.errors import FileFormatError, IsthmusError, OptionError, TargetExistsError
from isthmus.formats.onnx_writing import onnx_content
from isthmus.formats.serialization import safetensors_bytes
from isthmus.formats.storage import REMEDY, content
from isthmus.foundation.files import write_atomically
from isthmus.networks.activations import activation
from isthmus.networks.chain import Chain, Layer
from isthmus.networks.chain_conversion import chain_module
from isthmus.networks.network import FullyConnected

CHAIN_FORMAT = "isthmus-chain"
_VERSION = "1"


@dataclass(frozen=True)
class Interface:
    """How a file calls what goes in and comes out.

    Attributes:
        row_shape: Shape of one row of the input; its numbers are what the chain takes.
        input, output: Names of the tensors.
        opset: Version of the ONNX operators.
    """

    row_shape: tuple[int, ...]
    input: str = "input"
    output: str = "output"
    opset: int = 17

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return math.prod(self.row_shape)


def checked_target(path: str | Path) -> Path:
    """`path`, if a chain can be written to it: of a known kind, and nothing there.

    Raises:
        OptionError: If it does not end in .onnx, .safetensors or .pt2.
        TargetExistsError: If something is there.
    """
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise OptionError("out", str(path), "a path that ends in .onnx, .safetensors or .pt2")
    if path.exists() or path.is_symlink():
        raise TargetExistsError(path)
    return path


def write_chain(chain: Chain, path: str | Path, interface: Interface | None = None) -> Path:
    """Write a chain to a file that is told by its ending, atomically, and return its path.

    Args:
        chain: The function.
        path: A new file; what is there is never replaced.
        interface: Names and the shape of a row; plain rows if None.

    Raises:
        OptionError, TargetExistsError: As `checked_target`; also if the kind of file has no such activation.
        MissingExtraError: If onnx is needed and not installed.
    """
    path = checked_target(path)
    write_atomically(path, _WRITERS[path.suffix.lower()](chain, interface or Interface((chain.d_in,))))
    return path


def chain_from(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> nn.Sequential:
    """The module of the chain that `write_chain` has written as these tensors and metadata.

    Raises:
        FileFormatError: If they are no chain of ours, or do not fit together.
    """
    if metadata.get("version") != _VERSION:
        raise FileFormatError(path, f"its version is {metadata.get('version')!r}", "Update isthmus.")
    try:
        names = json.loads(metadata["activations"])
        layers = tuple(
            Layer(tensors[f"weight.{number}"], tensors[f"bias.{number}"], activation(str(name)))
            for number, name in enumerate(names, start=1)
        )
        return chain_module(Chain(layers))
    except (KeyError, ValueError, TypeError, IsthmusError) as damaged:
        raise FileFormatError(path, f"its content does not fit together ({damaged})", REMEDY) from damaged


def _safetensors_content(chain: Chain, interface: Interface) -> bytes:
    del interface  # a matrix of rows has no names
    network = _as_network(chain)
    if network is not None:
        return safetensors_bytes(*content(network))
    chain_module(chain)  # what it is loaded as again
    tensors: dict[str, Tensor] = {}
    for number, layer in enumerate(chain.layers, start=1):
        tensors[f"weight.{number}"] = layer.weight.cpu().contiguous().clone()
        tensors[f"bias.{number}"] = layer.bias.cpu().contiguous().clone()
    names = json.dumps([layer.activation.name for layer in chain.layers])
    metadata = {"format": CHAIN_FORMAT, "version": _VERSION, "activations": names}
    return safetensors_bytes(tensors, metadata)


def _as_network(chain: Chain) -> FullyConnected | None:
    """The chain as a network with one activation, where it is one."""
    kinds = {layer.activation for layer in chain.layers[:-1]}
    if len(kinds) > 1 or not chain.layers[-1].activation.is_linear:
        return None
    weights, biases = (tuple(getattr(layer, name) for layer in chain.layers) for name in ("weight", "bias"))
    return FullyConnected(weights, biases, *kinds)


def _pt2_content(chain: Chain, interface: Interface) -> bytes:
    module = chain_module(chain)
    if len(interface.row_shape) > 1:
        module = nn.Sequential(nn.Flatten(), *module).eval()
    rows = torch.zeros(2, *interface.row_shape, dtype=chain.dtype)
    program = torch.export.export(module, (rows,), dynamic_shapes=({0: torch.export.Dim("rows")},))
    stream = io.BytesIO()
    torch.export.save(program, stream)
    return stream.getvalue()


def _onnx_bytes(chain: Chain, interface: Interface) -> bytes:
    return onnx_content(chain, interface.row_shape, interface.input, interface.output, interface.opset)


_WRITERS: dict[str, Callable[[Chain, Interface], Any]] = {
    ".onnx": _onnx_bytes,
    ".safetensors": _safetensors_content,
    ".pt2": _pt2_content,
}
