"""From a path to a model: every kind of file that can be measured, none of them unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn

from isthmus.errors import FileFormatError, FileMissingError
from isthmus.formats.chain_files import CHAIN_FORMAT, chain_from
from isthmus.formats.described_safetensors import described_network
from isthmus.formats.onnx_file import load_onnx, load_onnx_values
from isthmus.formats.onnx_runtime import RuntimeFunction
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


def load(
    path: str | Path,
    *,
    input: str | None = None,
    output: str | None = None,
    held: Mapping[str, np.ndarray] | None = None,
) -> FullyConnected | StandardizedNetwork | nn.Module:
    """The model in a RUN folder or a file, told by its ending.

    Args:
        path: A folder made by `isthmus fit`; a `.safetensors` file, saved by isthmus or with a `.json` beside it that
            describes its layers; an `.onnx` file; a `.pt2` file (torch.export).
        input: For `.onnx`: any tensor of the graph to begin at; its one input if None. Several inputs, with commas
            between their names, vary jointly: a row holds theirs, flattened, side by side.
        output: For `.onnx`: any tensor to end at; all outputs if None.
        held: For `.onnx`: values of further inputs, by name, which do not vary.

    Returns:
        A network of ours, or a torch module in eval mode with the attributes `input_shape`, the shape of one row as
        far as the file fixes it, None for free sizes, `()` where it says nothing; `reference`, the file's own runtime
        that measurements compare it with; and `file_name`, what messages call it.

    Raises:
        FileMissingError: If there is nothing at `path`.
        FileFormatError: If the file is damaged, would have to be unpickled, or is of no known kind.
        MissingExtraError: If onnx is needed and not installed.
        TensorChoiceError: If it is not clear between which tensors of an ONNX graph to measure.
        UnsupportedOperatorError: If an ONNX graph holds an unknown operator.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if path.is_dir():
        return load_network(path)
    if not path.is_file():
        raise FileMissingError(path, REMEDY)
    if kind == ".onnx":
        return _told(path, *load_onnx(path, input=input, output=output, held=held))
    if input is not None or output is not None or held:
        raise FileFormatError(path, "only the tensors of .onnx files have names", "Leave input, output and held out.")
    if kind == ".pt2":
        return _told(path, *load_pt2(path))
    if kind in _PICKLES:
        remedy = "Save the model with torch.export.save, torch.onnx.export or safetensors instead."
        raise FileFormatError(path, "such files hold pickles, which may run code and are never loaded", remedy)
    tensors, metadata = read_safetensors(path, REMEDY)
    if metadata.get("format") == FORMAT:
        return ours(path, tensors, metadata)
    if metadata.get("format") == CHAIN_FORMAT:
        module = chain_from(path, tensors, metadata)
        return _told(path, module, (0, module[0].in_features), None)  # type: ignore[arg-type]
    if kind != ".safetensors":
        raise FileFormatError(path, f"its format is {metadata.get('format')!r}, not {FORMAT!r}", REMEDY)
    return _told(path, described_network(path, tensors, metadata), (), None)


def load_values(
    path: str | Path,
    *,
    input: str | None = None,
    output: str | None = None,
    held: Mapping[str, np.ndarray] | None = None,
) -> RuntimeFunction:
    """What an `.onnx` file computes in onnxruntime, as a callable without derivatives.

    Args:
        path: The file.
        input: Any tensor of the graph to begin at; its one input if None.
        output: Any tensor to end at; all outputs if None.
        held: Values of further inputs, by name, which do not vary.

    Raises:
        FileMissingError, FileFormatError, MissingExtraError, TensorChoiceError: As `load`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileMissingError(path, REMEDY)
    if path.suffix.lower() != ".onnx":
        raise FileFormatError(path, "only .onnx files have a runtime of their own here", "Load it instead.")
    return load_onnx_values(path, input=input, output=output, held=held)


def _told(path: Path, module: nn.Module, shape: tuple[int | None, ...], reference: Reference | None) -> nn.Module:
    module.input_shape = shape[1:]  # type: ignore[assignment]
    module.reference = reference  # type: ignore[assignment]
    module.file_name = path.name  # type: ignore[assignment]
    return module
