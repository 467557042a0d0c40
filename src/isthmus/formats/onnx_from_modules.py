"""Torch modules that convolve, one part after the other, as an ONNX graph with a node for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from isthmus.errors import IncompressibleModelError, MissingExtraError, ModelCallError
from isthmus.formats.onnx_file import steps_of
from isthmus.formats.onnx_graph import OnnxGraph
from isthmus.networks.conversion import leaves
from isthmus.networks.evaluation import evaluating
from isthmus.networks.wrappers import in_single_precision, name_of, unwrapped

_IR, _OPSET = 8, 17


def graph_of(model: object, row_shape: Sequence[int], names: Mapping[str, Any]) -> OnnxGraph | None:
    """The graph that a model is: of a file, or of modules that convolve; None where it is rather a chain.

    Args:
        model: Any model.
        row_shape: Shape of one row.
        names: `input`, `output` and `opset` of a graph that is written for modules.

    Raises:
        IncompressibleModelError: If a part of a module is none that is known here; the message names it.
        MissingExtraError: If onnx is needed and not installed.
    """
    if not isinstance(model, nn.Module):
        return None
    graph = getattr(model, "graph", None)
    if isinstance(graph, OnnxGraph):
        return graph
    if not any(isinstance(part, nn.Conv1d | nn.Conv2d | nn.Conv3d) for part in model.modules()):
        return None
    if find_spec("onnx") is None:
        raise MissingExtraError("Compressing a network that convolves", "onnx", "onnx")
    module = in_single_precision(unwrapped(model))[0]
    with evaluating(module):
        proto = _proto(module, row_shape, names)
    (given,) = proto.graph.input
    found = OnnxGraph(proto.SerializeToString(), steps_of(proto, given, Path(name_of(model))))
    _compare(module, found, row_shape)
    return found


def _compare(module: nn.Module, graph: OnnxGraph, row_shape: Sequence[int]) -> None:
    x = torch.randn(3, *row_shape, dtype=graph.dtype, generator=torch.Generator().manual_seed(0))
    with evaluating(module), torch.no_grad():
        wanted, found = module(x), graph.module(graph.stretches, graph.dtype)(x)
    if found.shape != wanted.shape or not torch.allclose(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.std())):
        raise IncompressibleModelError(type(module).__name__, "as a graph it would compute something else")


def _proto(module: nn.Module, row_shape: Sequence[int], names: Mapping[str, Any]) -> Any:
    from onnx import helper, numpy_helper

    nodes: list[Any] = []
    weights: list[Any] = []
    given, end = names.get("input", "input"), names.get("output", "output")
    current, dtype = given, next(module.parameters()).dtype
    values = torch.zeros(1, *row_shape, dtype=dtype)
    for number, (name, leaf) in enumerate(leaves(module)):
        made = _operator(leaf)
        if made is None:
            raise IncompressibleModelError(name, "no operator of a graph is known for it")
        if isinstance(leaf, nn.Linear) and values.ndim != 2:
            raise IncompressibleModelError(name, "it acts on the last dimension of images: flatten them before")
        values = _called(module, leaf, values, row_shape)
        operator, attributes, tensors = made
        read = [current]
        for index, tensor in enumerate(tensors):
            read.append(f"{name} {index} {number}")
            weights.append(numpy_helper.from_array(tensor.detach().cpu().contiguous().numpy(), read[-1]))
        current = f"{name} {number}"
        nodes.append(helper.make_node(operator, read, [current], name, **attributes))
    nodes[-1].output[0] = end
    kind = helper.np_dtype_to_tensor_dtype(torch.empty(0, dtype=dtype).numpy().dtype)
    inputs, outputs = (
        [helper.make_tensor_value_info(name, kind, ["rows", *sizes])]
        for name, sizes in ((given, row_shape), (end, values.shape[1:]))
    )
    graph = helper.make_graph(nodes, "isthmus", inputs, outputs, weights)
    opset = min(max(int(names.get("opset", _OPSET)), 13), 22)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=_IR)


def _called(module: nn.Module, leaf: nn.Module, values: Tensor, row_shape: Sequence[int]) -> Tensor:
    try:
        with torch.no_grad():
            result: Tensor = leaf(values)
            return result
    except RuntimeError as refused:
        cause = str(refused).splitlines()[0].rstrip(".")
        remedy = "Pass rows of the shape that the model takes, such as (n, channels, height, width)."
        raise ModelCallError(name_of(module), tuple(row_shape), cause, remedy) from refused


_Operator = tuple[str, dict[str, Any], Sequence[Tensor]]


def _operator(leaf: nn.Module) -> _Operator | None:
    """The operator, its attributes and its constants; None where a module is of no known kind or form."""
    for kind, write in _WRITERS:
        if isinstance(leaf, kind) and type(leaf).forward is kind.forward:
            return write(leaf)
    return None


def _convolution(leaf: Any) -> _Operator | None:
    if isinstance(leaf.padding, str) or leaf.padding_mode != "zeros":
        return None
    window = {"strides": leaf.stride, "pads": (*leaf.padding, *leaf.padding), "dilations": leaf.dilation}
    bias = [] if leaf.bias is None else [leaf.bias]
    return "Conv", {**window, "kernel_shape": leaf.kernel_size, "group": leaf.groups}, [leaf.weight, *bias]


def _norm(leaf: Any) -> _Operator | None:
    if leaf.running_mean is None:
        return None
    ones, zeros = torch.ones_like(leaf.running_mean), torch.zeros_like(leaf.running_mean)
    own = (leaf.weight, leaf.bias) if leaf.affine else (ones, zeros)
    return "BatchNormalization", {"epsilon": leaf.eps}, (*own, leaf.running_mean, leaf.running_var)


def _pool(leaf: Any) -> _Operator | None:
    kernel, stride, padding = (_pair(size) for size in (leaf.kernel_size, leaf.stride, leaf.padding))
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": stride, "pads": padding * 2}
    if leaf.ceil_mode:
        return None
    if isinstance(leaf, nn.MaxPool2d):
        return None if leaf.return_indices else ("MaxPool", {**attributes, "dilations": _pair(leaf.dilation)}, ())
    if leaf.divisor_override is not None:
        return None
    return "AveragePool", {**attributes, "count_include_pad": int(leaf.count_include_pad)}, ()


def _whole(operator: str) -> Callable[[Any], _Operator | None]:
    def write(leaf: Any) -> _Operator | None:
        return (operator, {}, ()) if leaf.output_size in (1, (1, 1)) else None

    return write


def _flatten(leaf: Any) -> _Operator | None:
    return ("Flatten", {"axis": 1}, ()) if (leaf.start_dim, leaf.end_dim) == (1, -1) else None


def _linear(leaf: Any) -> _Operator:
    # Of a matrix of rows: torch itself takes the last dimension, which a graph that flattens before has only one of.
    return "Gemm", {"transB": 1}, [leaf.weight, *([] if leaf.bias is None else [leaf.bias])]


def _plain(operator: str) -> Callable[[Any], _Operator]:
    return lambda leaf: (operator, {"alpha": leaf.negative_slope} if operator == "LeakyRelu" else {}, ())


def _pair(size: Any) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


_WRITERS: tuple[tuple[Any, Callable[[Any], _Operator | None]], ...] = (
    (nn.Conv1d, _convolution),
    (nn.Conv2d, _convolution),
    (nn.Conv3d, _convolution),
    (nn.BatchNorm1d, _norm),
    (nn.BatchNorm2d, _norm),
    (nn.BatchNorm3d, _norm),
    (nn.MaxPool2d, _pool),
    (nn.AvgPool2d, _pool),
    (nn.AdaptiveAvgPool2d, _whole("GlobalAveragePool")),
    (nn.AdaptiveMaxPool2d, _whole("GlobalMaxPool")),
    (nn.Flatten, _flatten),
    (nn.Linear, _linear),
    (nn.ReLU, _plain("Relu")),
    (nn.LeakyReLU, _plain("LeakyRelu")),
    (nn.Sigmoid, _plain("Sigmoid")),
    (nn.Tanh, _plain("Tanh")),
    (nn.Identity, _plain("Identity")),
    (nn.Dropout, _plain("Identity")),
)
