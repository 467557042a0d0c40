"""From a path to a model: every kind of file that can be measured, none of them unpickled."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from isthmus.errors import FileFormatError, FileMissingError
from isthmus.formats.described_safetensors import described_network
from isthmus.formats.onnx_file import load_onnx
from isthmus.formats.pt2_file import load_pt2
from isthmus.formats.reference import Reference
from isthmus.formats.storage import (
    FORMAT,
    REMEDY,
    load_network,
    ours,
    read_safetensors,
)
from isthmus.networks.network import FullyConnected
from isthmus.networks.scaling import StandardizedNetwork

_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib")


def load(path: str | Path) -> FullyConnected | StandardizedNetwork | nn.Module:
    """The model in a RUN folder or a file, told by its ending.

    Args:
        path: A folder made by `isthmus fit`; a `.safetensors` file, saved by isthmus or with a `.json` beside it that
            describes its layers; an `.onnx` file; a `.pt2` file (torch.export).

    Returns:
        A network of ours, or a torch module in eval mode with the attributes `input_shape`, the shape of one row as
        far as the file fixes it, None for free sizes, `()` where it says nothing; and `reference`, the file's own
        runtime that measurements compare it with.

    Raises:
        FileMissingError: If there is nothing at `path`.
        FileFormatError: If the file is damaged, would have to be unpickled, or is of no known kind.
        MissingExtraError: If onnx is needed and not installed.
        UnsupportedOperatorError: If an ONNX graph holds an unknown operator.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if path.is_dir():
        return load_network(path)
    if not path.is_file():
        raise FileMissingError(path, REMEDY)
    if kind == ".onnx":
        return _with_shape(*load_onnx(path))
    if kind == ".pt2":
        return _with_shape(*load_pt2(path))
    if kind in _PICKLES:
        remedy = "Save the model with torch.export.save, torch.onnx.export or safetensors instead."
        raise FileFormatError(path, "such files hold pickles, which may run code and are never loaded", remedy)
    tensors, metadata = read_safetensors(path, REMEDY)
    if metadata.get("format") == FORMAT:
        return ours(path, tensors, metadata)
    if kind != ".safetensors":
        raise FileFormatError(path, f"its format is {metadata.get('format')!r}, not {FORMAT!r}", REMEDY)
    return _with_shape(described_network(path, tensors), (), None)


def _with_shape(module: nn.Module, shape: tuple[int | None, ...], reference: Reference | None) -> nn.Module:
    module.input_shape = shape[1:]  # type: ignore[assignment]
    module.reference = reference  # type: ignore[assignment]
    return module
