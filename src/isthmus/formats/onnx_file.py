"""ONNX files: read with care, then a torch module that computes the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from isthmus.errors import FileFormatError, MissingExtraError
from isthmus.formats.fixed_batch import FixedBatch
from isthmus.formats.onnx_graph import OnnxGraph
from isthmus.formats.onnx_inlining import inlined, inlined_size
from isthmus.formats.onnx_joint import joined, joint_names
from isthmus.formats.onnx_module import onnx_module
from isthmus.formats.onnx_part import part_of
from isthmus.formats.onnx_runtime import RuntimeFunction, onnx_reference
from isthmus.formats.onnx_steps import Steps, Translator
from isthmus.formats.reference import Reference

if TYPE_CHECKING:
    import numpy as np
    import onnx

_REMEDY = "Export the model again, for example with torch.onnx.export."
_IR_WEIGHTS = 4  # before this version every weight is an input as well
_MOST_NODES = 1_000_000  # of which a graph takes a minute to read
_DOUBLE = 11  # in ONNX's table of types


def load_onnx(
    path: Path,
    *,
    input: str | None = None,
    output: str | None = None,
    held: Mapping[str, np.ndarray] | None = None,
) -> tuple[nn.Module, tuple[int | None, ...], Reference]:
    """The graph in an `.onnx` file as a differentiable module, the shape of its input (None: free), and its runtime.

    A single path of Gemm, MatMul, Conv, AveragePool, BatchNormalization, Flatten and one activation becomes a
    `Sequential`, which `from_torch` converts exactly; any other graph of known operators a module that walks it.

    Args:
        path: The file.
        input: Any tensor of the graph to begin at; its one input if None. Several inputs, with commas between their
            names, vary jointly as one vector a row.
        output: Any tensor to end at; all outputs if None.
        held: Values of other inputs, which do not vary.

    Raises:
        MissingExtraError: If onnx is not installed.
        FileFormatError: If the file is damaged, no ONNX, or keeps weights outside its own folder.
        TensorChoiceError: If it is not clear between which tensors to measure.
        UnsupportedOperatorError: If the graph holds an operator that has no counterpart here; the message names it.
    """
    part, given, left_out = _part(path, input, output, held)
    shape = tuple(d.dim_value if d.dim_value > 0 else None for d in given.type.tensor_type.shape.dim)
    content = _content(part)
    reference = onnx_reference(path, part, content, given, left_out)
    steps = steps_of(part, given, path)
    module = onnx_module(steps, shape)
    rows = shape[0] if shape else None
    if rows is not None and not isinstance(module, nn.Sequential):
        module = FixedBatch(module, rows)
    is_chain = isinstance(module, nn.Sequential) and not any(isinstance(each, nn.Conv2d) for each in module)
    if not is_chain and content is not None:
        module.graph = OnnxGraph(content, steps, rows)  # type: ignore[assignment]
    return module, shape, reference


def load_onnx_values(
    path: Path,
    *,
    input: str | None = None,
    output: str | None = None,
    held: Mapping[str, np.ndarray] | None = None,
) -> RuntimeFunction:
    """What the file's own runtime computes, as a callable without derivatives; arguments as of `load_onnx`.

    Raises:
        MissingExtraError: If onnx or onnxruntime is not installed.
        FileFormatError, TensorChoiceError: As `load_onnx`.
    """
    part, given, left_out = _part(path, input, output, held)
    return RuntimeFunction(
        onnx_reference(path, part, _content(part), given, left_out), [each.name for each in part.graph.output], given
    )


def _part(
    path: Path, start: str | None, end: str | None, held: Mapping[str, np.ndarray] | None
) -> tuple[onnx.ModelProto, Any, list[str]]:
    """The part of the file's graph between two tensors, its input, and the outputs of other than real numbers."""
    model = read_onnx(path)
    names = joint_names(model, start)
    if names and start is not None:
        model = joined(model, names, start, path)
    part = part_of(model, path, input=start, output=end, held=held)
    kept = {each.name for each in part.graph.output}
    left_out = [] if end else [each.name for each in model.graph.output if each.name not in kept]
    return part, next(iter(part.graph.input)), left_out


def read_onnx(path: Path) -> onnx.ModelProto:
    """The content of an `.onnx` file, checked, with the weights that it keeps in files beside it.

    Raises:
        MissingExtraError, FileFormatError: As `load_onnx`.
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
    if model.functions and inlined_size(model) > _MOST_NODES:
        raise FileFormatError(path, f"its functions make more than {_MOST_NODES:,} nodes of a graph", _REMEDY)
    if not model.graph.node:
        raise FileFormatError(path, "its graph is empty: the file is cut off or not an ONNX file", _REMEDY)
    return model


def _content(part: onnx.ModelProto) -> bytes | None:
    """A graph as bytes; None where it is larger than a protobuf message may be."""
    try:
        content: bytes = part.SerializeToString()
    except ValueError:
        return None
    return content


def steps_of(model: onnx.ModelProto, given: Any, path: Path) -> Steps:
    """A graph with the one input `given` as it is computed; `path` is what messages call it."""
    model = inlined(model)
    opsets = {"" if each.domain == "ai.onnx" else each.domain: each.version for each in model.opset_import}
    is_double = given.type.tensor_type.elem_type == _DOUBLE
    translator = Translator(path, opsets, torch.float64 if is_double else torch.float32)
    translator.add_initializers(model.graph)
    translator.add(model.graph.node)
    outputs = [each.name for each in model.graph.output]
    return Steps(translator.steps, translator.constants, given.name, outputs)


def _checkable(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with what ONNX's checker wants and runtimes do without: shapes of outputs, weights among the inputs."""
    has_shapes = all(each.type.tensor_type.HasField("shape") for each in model.graph.output)
    if has_shapes and model.ir_version >= _IR_WEIGHTS:
        return model
    copy = type(model)()
    copy.CopyFrom(model)
    copy.ir_version = max(copy.ir_version, _IR_WEIGHTS)
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


def onnx_names(path: Path) -> dict[str, str | int]:
    """What a file calls its input and its output, and the version of its operators; empty where it has several."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    weights = {each.name for each in model.graph.initializer}
    inputs = [each.name for each in model.graph.input if each.name not in weights]
    outputs = [each.name for each in model.graph.output]
    opsets = [each.version for each in model.opset_import if each.domain in ("", "ai.onnx")]
    if len(inputs) != 1 or len(outputs) != 1 or len(opsets) != 1:
        return {}
    return {"input": inputs[0], "output": outputs[0], "opset": opsets[0]}
