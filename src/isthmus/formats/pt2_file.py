"""`.pt2` files (torch.export) as torch modules with layers that hooks find and conversion recognises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node

from isthmus.errors import FileFormatError
from isthmus.formats.fixed_batch import FixedBatch
from isthmus.formats.onnx_layers import batch_norm, convolution, linear
from isthmus.formats.pt2_archive import cleaned

_REMEDY = "Export the model again with torch.export.save, taking one tensor of rows."
Maker = Callable[..., nn.Module | None]


def load_pt2(path: Path) -> tuple[nn.Module, tuple[int | None, ...]]:
    """The exported program in a `.pt2` file, and the shape of its input, None for sizes that are free.

    A single path of layers becomes a `Sequential`, any other program its graph, with linear layers, convolutions and
    activations as modules. Nothing in the file is unpickled or executed; see `pt2_archive`.

    Raises:
        FileFormatError: If the file is damaged, holds what may run code, or does not take exactly one tensor.
    """
    archive = cleaned(path)
    try:
        program = torch.export.load(archive)
        graph = program.module(check_guards=False)
    except Exception as damaged:  # torch raises whatever its parts raise; the content is at fault
        cause = str(damaged).strip().splitlines() or [type(damaged).__name__]
        raise FileFormatError(path, f"torch cannot load it ({cause[0].rstrip('.')})", _REMEDY) from damaged
    assert isinstance(graph, GraphModule)
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
    if len(inputs) != 1:
        raise FileFormatError(path, f"the program takes {len(inputs)} inputs, not one tensor", _REMEDY)
    value = inputs[0].meta.get("val")
    shape: tuple[int | None, ...] = tuple(s if isinstance(s, int) else None for s in getattr(value, "shape", ()))
    for part in graph.modules():
        part.training = False  # an exported program refuses .eval()
    layered = _layered(graph)
    sequence = _sequence(layered)
    if sequence is not None:
        return sequence.eval(), shape
    rows = shape[0] if shape else None
    return (layered if rows is None else FixedBatch(layered, rows)), shape


def _layered(graph: GraphModule) -> GraphModule:
    """The graph with calls of known layers replaced by torch's modules."""
    for number, node in enumerate(list(graph.graph.nodes)):
        make = _MAKERS.get(str(node.target)) if node.op == "call_function" else None
        if make is None or not isinstance(node.args[0], Node):
            continue
        arguments = [_value(graph, each) for each in node.args[1:]]
        if make is _batch_norm:
            arguments = [node.args[0].meta["val"].ndim, *arguments]
        built = None if node.kwargs or any(isinstance(a, Node) for a in arguments) else make(*arguments)
        if built is None:
            continue
        name = f"layer_{number}_{type(built).__name__}"
        graph.add_submodule(name, built.eval())
        with graph.graph.inserting_before(node):
            new = graph.graph.call_module(name, (node.args[0],))
        new.meta = dict(node.meta)  # the next layer may ask for the shape of its input
        node.replace_all_uses_with(new)
        graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


def _value(graph: GraphModule, argument: Any) -> Any:
    """The tensor behind a get_attr node, any other argument as it is."""
    if not isinstance(argument, Node) or argument.op != "get_attr":
        return argument
    found: Any = graph
    for name in str(argument.target).split("."):
        found = getattr(found, name)
    return found.detach() if isinstance(found, Tensor) else found


def _sequence(graph: GraphModule) -> nn.Sequential | None:
    """The modules one after the other, where the graph calls nothing else and does not branch."""
    layers: list[nn.Module] = []
    current: Node | None = None
    for node in graph.graph.nodes:
        if node.op == "placeholder":
            current = node
        elif node.op == "call_module" and node.args == (current,):
            if "guards" in str(node.target):
                continue
            layers.append(graph.get_submodule(str(node.target)))
            current = node
        elif node.op == "output":
            returned = node.args[0]
            single = returned[0] if isinstance(returned, tuple | list) and len(returned) == 1 else returned
            return nn.Sequential(*layers) if single is current and layers else None
        elif node.op != "get_attr":
            return None
    return None


def _linear(weight: Any, bias: Any = None) -> nn.Module | None:
    return linear(weight, bias) if isinstance(weight, Tensor) else None


def _convolution(
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> nn.Module | None:
    if not isinstance(weight, Tensor):
        return None
    sizes = {"stride": stride, "padding": padding, "dilation": dilation}
    plain = {name: tuple(v) if isinstance(v, list | tuple) else v for name, v in sizes.items()}
    return convolution(weight, bias, groups=groups, **plain)


def _batch_norm(dimensions: int, *given: Any) -> nn.Module | None:
    *parameters, is_training, _, epsilon, _ = given
    if is_training or not all(isinstance(p, Tensor) for p in parameters) or dimensions not in (2, 4, 5):
        return None
    return batch_norm(dimensions, float(epsilon), parameters)


def _flatten(start: int = 0, end: int = -1) -> nn.Module | None:
    return nn.Flatten() if (start, end) == (1, -1) else None


_MAKERS: dict[str, Maker] = {
    "aten.linear.default": _linear,
    "aten.conv1d.default": _convolution,
    "aten.conv2d.default": _convolution,
    "aten.conv3d.default": _convolution,
    "aten.batch_norm.default": _batch_norm,
    "aten.relu.default": nn.ReLU,
    "aten.relu_.default": nn.ReLU,
    "aten.leaky_relu.default": nn.LeakyReLU,
    "aten.gelu.default": nn.GELU,
    "aten.tanh.default": nn.Tanh,
    "aten.sigmoid.default": nn.Sigmoid,
    "aten.silu.default": nn.SiLU,
    "aten.flatten.using_ints": _flatten,
    "aten.avg_pool2d.default": lambda kernel, stride=None, padding=0, *_: nn.AvgPool2d(kernel, stride or None, padding),
    "aten.adaptive_avg_pool2d.default": nn.AdaptiveAvgPool2d,
    "aten.dropout.default": lambda p, training: None if training else nn.Identity(),
}
