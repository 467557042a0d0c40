"""onnxruntime as the runtime that an ONNX file is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from isthmus.errors import MissingExtraError, OutputChoiceError
from isthmus.formats.reference import CannotRunError, Reference

if TYPE_CHECKING:
    import onnx

_HALVES = {10: 2.0**-10, 16: 2.0**-7}  # float16 and bfloat16 in ONNX's table of types, and their rounding
_DOUBLE = 11
_QUIET = 4  # onnxruntime's own messages: fatal ones only


def onnx_reference(
    path: Path, part: onnx.ModelProto, content: bytes | None, given: Any, left_out: Sequence[str] = ()
) -> Reference:
    """The file at `path`, or the part of it that is measured, as onnxruntime runs it.

    Args:
        path: The file as it was given.
        part: The graph between the tensors that were chosen.
        content: The bytes that it was before operators were replaced by their definitions; None beyond 2 GB.
        given: Its one input.
        left_out: Outputs of the file that hold no real numbers.
    """
    name, kind = given.name, given.type.tensor_type.elem_type
    sizes = [d.dim_value for d in given.type.tensor_type.shape.dim]
    rows = sizes[0] if sizes and sizes[0] > 0 else None
    halves = sorted(_halves(part) | ({kind} & set(_HALVES)))
    precision = max((_HALVES[each] for each in halves), default=2.0**-52 if kind == _DOUBLE else 2.0**-23)
    notes = ("The half precision of the file is computed in single precision.",) if halves else ()
    if left_out:
        notes = (*notes, f"Outputs that are no real numbers are left out: {', '.join(left_out)}.")
    try:
        import onnxruntime
    except ImportError:
        cause = "onnxruntime is not installed (pip install onnxruntime)"
        return Reference("onnxruntime", _nothing, precision, str(path), cause, notes)
    if content is None:
        return Reference("onnxruntime", _nothing, precision, str(path), "its graph is larger than 2 GB", notes)
    made: list[Any] = []

    def run(x: Tensor) -> dict[str, Tensor]:
        options = onnxruntime.SessionOptions()
        options.log_severity_level, options.intra_op_num_threads = _QUIET, torch.get_num_threads()
        try:
            if not made:
                made.append(onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]))
            return _outputs(made[0], name, x, kind, rows)
        except Exception as refused:  # its errors have no common base
            raise CannotRunError(str(refused)) from refused

    return Reference(f"onnxruntime {onnxruntime.__version__}", run, precision, str(path), "", notes)


class RuntimeFunction:
    """A file as its own runtime computes it: values without derivatives, for what has no translation.

    Args:
        reference: The runtime.
        outputs: Names of the outputs.
        given: The input, as the file describes it.

    Attributes:
        input_shape: Shape of one row as far as the file fixes it, None for free sizes.
        notes: What a reader should know.
    """

    def __init__(self, reference: Reference, outputs: list[str], given: Any) -> None:
        if reference.unavailable:
            raise MissingExtraError("Running .onnx files", "onnxruntime", "onnx")
        self._reference, self.outputs = reference, outputs
        sizes = given.type.tensor_type.shape.dim
        self.input_shape = tuple(d.dim_value if d.dim_value > 0 else None for d in sizes)[1:]
        self.notes = reference.notes
        self.__qualname__ = f"{Path(reference.source).name} in {reference.runtime}"

    def __call__(self, x: Any, output: str | None = None) -> Any:
        """The output at the rows of an array.

        Raises:
            OutputChoiceError: If there are several and none was chosen.
        """
        if (output is None and len(self.outputs) > 1) or output not in (None, *self.outputs):
            raise OutputChoiceError(self.__qualname__, self.outputs, output)
        return self._reference.run(torch.from_numpy(x))[output or self.outputs[0]].numpy()


def _nothing(x: Tensor) -> dict[str, Tensor]:
    return {}


def _outputs(session: Any, name: str, x: Tensor, kind: int, rows: int | None) -> dict[str, Tensor]:
    """All outputs at the rows of `x`, so many at a time; the last rows are filled up with the last of them."""
    import numpy as np

    size = rows or len(x)
    missing = -len(x) % size
    filled = torch.cat([x, x[-1:].expand(missing, *x.shape[1:])]) if missing else x
    dtype = {10: np.float16, _DOUBLE: np.float64}.get(kind, np.float32)
    if kind == 16:
        raise CannotRunError("bfloat16 inputs cannot be handed to it from numpy")
    parts = [session.run(None, {name: part.numpy().astype(dtype)}) for part in filled.split(size)]
    names = [each.name for each in session.get_outputs()]
    return {
        each: torch.from_numpy(np.concatenate([np.atleast_1d(part[i]) for part in parts])[: len(x) or None])
        if rows
        else torch.from_numpy(np.asarray(parts[0][i]))
        for i, each in enumerate(names)
    }


def _halves(model: onnx.ModelProto) -> set[int]:
    """The kinds of half precision among the weights and casts of a graph."""
    weights = {each.data_type for each in model.graph.initializer}
    casts = {a.i for node in model.graph.node for a in node.attribute if a.name == "to"}
    return (weights | casts) & set(_HALVES)
