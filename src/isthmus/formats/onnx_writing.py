"""A chain as an ONNX graph of Gemm and activations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from isthmus.errors import MissingExtraError, OptionError
from isthmus.networks.chain import Chain

if TYPE_CHECKING:
    import onnx

_MOST = 2**31 - 2**20  # bytes of a protobuf message, less room for the graph
_IR = 8  # the version of the format that opsets 15 to 17 came with; runtimes read older ones
_OLDEST, _NEWEST = 13, 22  # opsets in which Gemm and the activations mean the same


def onnx_content(chain: Chain, row_shape: Sequence[int], input: str, output: str, opset: int) -> bytes:
    """The bytes of an `.onnx` file that computes `chain`, checked by onnx's own checker.

    Args:
        chain: The function.
        row_shape: Shape of one row; rows of more than one dimension are flattened first.
        input: Name of the input.
        output: Name of the output.
        opset: The version of the operators; the nearest one from 13 to 22 is written.

    Raises:
        MissingExtraError: If onnx is not installed.
        OptionError: If the file would be larger than an ONNX file can be.
    """
    try:
        import onnx
    except ImportError as missing:
        raise MissingExtraError("Writing .onnx files", "onnx", "onnx") from missing
    size = chain.parameter_count * chain.dtype.itemsize
    if size > _MOST:
        raise OptionError(
            "out", ".onnx", f"a .safetensors or .pt2 file: the weights take {size / 1e9:.3g} GB, ONNX has 2"
        )
    graph = _graph(chain, row_shape, input, output)
    opsets = [onnx.helper.make_opsetid("", min(max(opset, _OLDEST), _NEWEST))]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=_IR, producer_name="isthmus")
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _graph(chain: Chain, row_shape: Sequence[int], input: str, output: str) -> onnx.GraphProto:
    from onnx import helper, numpy_helper

    kind = helper.np_dtype_to_tensor_dtype(torch.empty(0, dtype=chain.dtype).numpy().dtype)
    nodes: list[Any] = []
    weights: list[Any] = []
    current = input
    if len(row_shape) > 1:
        nodes.append(helper.make_node("Flatten", [input], ["isthmus_rows"], "flatten", axis=1))
        current = "isthmus_rows"
    for number, layer in enumerate(chain.layers, start=1):
        # A prefix that no name of the given file begins with by accident.
        names = [f"isthmus_weight_{number}", f"isthmus_bias_{number}"]
        for name, tensor in zip(names, (layer.weight, layer.bias), strict=True):
            weights.append(numpy_helper.from_array(tensor.detach().cpu().contiguous().numpy(), name))
        is_last, is_linear = number == chain.depth, layer.activation.is_linear
        result = output if is_last and is_linear else f"isthmus_z_{number}"
        nodes.append(helper.make_node("Gemm", [current, *names], [result], f"gemm_{number}", transB=1))
        current = result
        if not is_linear:
            result = output if is_last else f"isthmus_a_{number}"
            is_double = chain.dtype == torch.float64
            nodes += activation_nodes(layer.activation.negative_slope, current, result, str(number), is_double)
            current = result
    ends: list[tuple[str, list[str | int | None]]] = [
        (input, ["rows", *row_shape]),
        (output, ["rows", chain.d_out]),
    ]
    inputs, outputs = ([helper.make_tensor_value_info(name, kind, shape)] for name, shape in ends)
    return helper.make_graph(nodes, "isthmus", inputs, outputs, weights)


def activation_nodes(slope: float, current: str, result: str, number: str, is_double: bool) -> list[Any]:
    """The nodes of an activation with a negative slope, from one tensor to another."""
    from onnx import helper, numpy_helper

    if slope == 0.0:
        return [helper.make_node("Relu", [current], [result], f"activation_{number}")]
    if slope == -1.0:
        return [helper.make_node("Abs", [current], [result], f"activation_{number}")]
    if not is_double:
        return [helper.make_node("LeakyRelu", [current], [result], f"activation_{number}", alpha=slope)]
    # onnxruntime has no LeakyRelu in double precision.
    factor, side = f"isthmus_slope_{number}", f"isthmus_s_{number}"
    return [
        helper.make_node("Constant", [], [factor], f"slope_{number}", value=numpy_helper.from_array(np.array(slope))),
        helper.make_node("Mul", [current, factor], [side], f"scaled_{number}"),
        helper.make_node("Max" if slope <= 1.0 else "Min", [current, side], [result], f"activation_{number}"),
    ]
