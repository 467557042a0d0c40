"""ONNX files: read with care, then a torch module that computes the same."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from isthmus.errors import FileFormatError, MissingExtraError
from isthmus.formats.fixed_batch import FixedBatch
from isthmus.formats.onnx_inlining import inlined
from isthmus.formats.onnx_module import onnx_module
from isthmus.formats.onnx_runtime import onnx_reference
from isthmus.formats.onnx_steps import Steps, Translator
from isthmus.formats.reference import Reference

if TYPE_CHECKING:
    import onnx

_REMEDY = "Export the model again, for example with torch.onnx.export."
_ONE_INPUT = "Export a graph with one input of real numbers."
_DOUBLE = 11  # in ONNX's table of types
_REALS = (1, 10, 11, 16)  # float, float16, double, bfloat16


def load_onnx(path: Path) -> tuple[nn.Module, tuple[int | None, ...], Reference]:
    """The graph in an `.onnx` file as a differentiable module, the shape of its input (None: free), and its runtime.

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
        onnx.checker.check_model(_checkable(model))
    except (DecodeError, onnx.checker.ValidationError, ValueError, OSError, RuntimeError) as damaged:
        if isinstance(damaged, FileFormatError):
            raise
        cause = str(damaged).strip().splitlines() or ["no reason given"]
        raise FileFormatError(path, f"it is damaged or not an ONNX file ({cause[0].rstrip('.')})", _REMEDY) from damaged
    if not model.graph.node:
        raise FileFormatError(path, "its graph is empty: the file is cut off or not an ONNX file", _REMEDY)
    given = _input(model.graph, path)
    shape = tuple(d.dim_value if d.dim_value > 0 else None for d in given.type.tensor_type.shape.dim)
    module = onnx_module(_steps(model, given, path), shape)
    rows = shape[0] if shape else None
    reference = onnx_reference(path, model, given.name, given.type.tensor_type.elem_type, rows)
    is_fixed = rows is not None and not isinstance(module, nn.Sequential)
    return (FixedBatch(module, rows) if is_fixed and rows is not None else module), shape, reference


def _input(graph: onnx.GraphProto, path: Path) -> Any:
    """The one input that is no weight."""
    weights = {each.name for each in graph.initializer} | {each.values.name for each in graph.sparse_initializer}
    free = [each for each in graph.input if each.name not in weights]
    if len(free) != 1:
        names = ", ".join(each.name for each in free) or "none"
        raise FileFormatError(path, f"its graph has {len(free)} inputs ({names}), not one", _ONE_INPUT)
    if free[0].type.tensor_type.elem_type not in _REALS:
        raise FileFormatError(
            path,
            f"its input {free[0].name!r} holds no real numbers, so there is no derivative",
            "Export the part after the embedding, which takes real numbers.",
        )
    (only,) = free
    return only


def _steps(model: onnx.ModelProto, given: onnx.ValueInfoProto, path: Path) -> Steps:
    """The graph as steps."""
    model = inlined(model)
    opset = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 1)
    translator = Translator(
        path, opset, torch.float64 if given.type.tensor_type.elem_type == _DOUBLE else torch.float32
    )
    translator.add_initializers(model.graph)
    translator.add(model.graph.node)
    outputs = [each.name for each in model.graph.output]
    return Steps(translator.steps, translator.constants, given.name, outputs)


def _checkable(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with a shape for outputs that declare none: ONNX's checker wants one, nothing else does."""
    if all(each.type.tensor_type.HasField("shape") for each in model.graph.output):
        return model
    copy = type(model)()
    copy.CopyFrom(model)
    for each in copy.graph.output:
        if each.type.HasField("tensor_type") and not each.type.tensor_type.HasField("shape"):
            each.type.tensor_type.shape.CopyFrom(type(each.type.tensor_type.shape)())
    return copy


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
