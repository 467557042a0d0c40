"""onnxruntime as the runtime that an ONNX file is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from isthmus.formats.reference import CannotRunError, Reference

if TYPE_CHECKING:
    import onnx

_HALVES = {10: 2.0**-10, 16: 2.0**-7}  # float16 and bfloat16 in ONNX's table of types, and their rounding
_DOUBLE = 11
_QUIET = 4  # onnxruntime's own messages: fatal ones only


def onnx_reference(path: Path, model: onnx.ModelProto, name: str, kind: int, rows: int | None) -> Reference:
    """The file at `path` as onnxruntime runs it.

    Args:
        path: The file as it was given, not what was made of it.
        model: Its content.
        name: Its one input.
        kind: Type of that input, in ONNX's table.
        rows: How many rows it takes; None for any number.
    """
    halves = sorted(_halves(model) | ({kind} & set(_HALVES)))
    precision = max((_HALVES[each] for each in halves), default=2.0**-52 if kind == _DOUBLE else 2.0**-23)
    notes = ("The half precision of the file is computed in single precision.",) if halves else ()
    try:
        import onnxruntime
    except ImportError:
        cause = "onnxruntime is not installed (pip install onnxruntime)"
        return Reference("onnxruntime", _nothing, precision, str(path), cause, notes)

    def run(x: Tensor) -> dict[str, Tensor]:
        options = onnxruntime.SessionOptions()
        options.log_severity_level, options.intra_op_num_threads = _QUIET, torch.get_num_threads()
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            return _outputs(session, name, x, kind, rows)
        except Exception as refused:  # its errors have no common base
            raise CannotRunError(str(refused)) from refused

    return Reference(f"onnxruntime {onnxruntime.__version__}", run, precision, str(path), "", notes)


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
