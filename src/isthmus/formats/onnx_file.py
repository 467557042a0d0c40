"""ONNX files: read with care, then a torch module that computes the same."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from torch import nn

from isthmus.errors import FileFormatError, MissingExtraError
from isthmus.formats.fixed_batch import FixedBatch
from isthmus.formats.onnx_module import onnx_module

if TYPE_CHECKING:
    import onnx

_REMEDY = "Export the model again, for example with torch.onnx.export."


def load_onnx(path: Path) -> tuple[nn.Module, tuple[int | None, ...]]:
    """The graph in an `.onnx` file as a differentiable module, and the shape of its input, None for free sizes.

    A single path of Gemm, MatMul, Conv, AveragePool, BatchNormalization, Flatten and one activation becomes a
    `Sequential`, which `from_torch` converts exactly; any other graph of known operators a module that walks it.

    Raises:
        MissingExtraError: If onnx is not installed.
        FileFormatError: If the file is damaged, no ONNX, or keeps weights outside its own folder.
        UnsupportedOperatorError: If the graph holds an operator that has no counterpart here; the message names it.
    """
    try:
        import onnx
    except ImportError as missing:
        raise MissingExtraError("Reading .onnx files", "onnx", "onnx") from missing
    from google.protobuf.message import DecodeError
    from onnx.external_data_helper import load_external_data_for_model

    _refuse_disguise(path)
    try:
        model = onnx.load(str(path), load_external_data=False)
        _check_external(path, model)
        load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError, OSError, RuntimeError) as damaged:
        if isinstance(damaged, FileFormatError):
            raise
        cause = str(damaged).strip().splitlines() or ["no reason given"]
        raise FileFormatError(path, f"it is damaged or not an ONNX file ({cause[0].rstrip('.')})", _REMEDY) from damaged
    if not model.graph.node:
        raise FileFormatError(path, "its graph is empty: the file is cut off or not an ONNX file", _REMEDY)
    module, shape = onnx_module(model, path)
    rows = shape[0] if shape else None
    is_fixed = rows is not None and not isinstance(module, nn.Sequential)
    return (FixedBatch(module, rows) if is_fixed and rows is not None else module), shape


def _refuse_disguise(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head[:2] == b"PK" or head[:1] == b"\x80":
        kind = "a zip archive, as torch.save writes it" if head[:2] == b"PK" else "a pickle"
        raise FileFormatError(path, f"it is {kind}, named .onnx; pickles may run code and are never loaded", _REMEDY)


def _check_external(path: Path, model: onnx.ModelProto) -> None:
    """Refuse weights in files that are not in the folder of the model: a path may point anywhere."""
    folder = path.parent.resolve()
    for tensor in _tensors(model.graph):
        for entry in tensor.external_data:
            if entry.key != "location":
                continue
            given = entry.value
            is_plain = not (PurePosixPath(given).is_absolute() or PureWindowsPath(given).drive or "\\" in given)
            if not is_plain or not (folder / given).resolve().is_relative_to(folder):
                raise FileFormatError(
                    path,
                    f"its weight {tensor.name!r} is kept in {given!r}, outside the folder of the model",
                    "Put all files of the model into one folder and export it again with relative names.",
                )
            if not (folder / given).is_file():
                raise FileFormatError(path, f"its weights are in {given!r}, which is missing", "Copy that file too.")


def _tensors(graph: onnx.GraphProto) -> Any:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)
            for inner in attribute.graphs:
                yield from _tensors(inner)
