"""`.pt2` files (torch.export) as torch modules with layers that hooks find and conversion recognises."""

from __future__ import annotations

import inspect
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
from isthmus.formats.reference import Reference, by_name
from isthmus.networks.evaluation import evaluating

_REMEDY = "Export the model again with torch.export.save, taking one tensor of rows."
Maker = Callable[..., nn.Module | None]


def load_pt2(path: Path) -> tuple[nn.Module, tuple[int | None, ...], Reference]:
    """The exported program in a `.pt2` file, the shape of its input (None: free), and the program unchanged.

    A single path of layers becomes a `Sequential`, any other program its graph, with linear layers, convolutions and
    activations as modules. Nothing in the file is unpickled or executed; see `pt2_archive`.

    Raises:
        FileFormatError: If the file is damaged, holds what may run code, or does not take exactly one tensor.
    """
    archive = cleaned(path)
    try:
        program = torch.export.load(archive)
        graph, unchanged = program.module(check_guards=False), program.module(check_guards=False)
    except Exception as damaged:  # torch raises whatever its parts raise; the content is at fault
        cause = str(damaged).strip().splitlines() or [type(damaged).__name__]
        raise FileFormatError(path, f"torch cannot load it ({cause[0].rstrip('.')})", _REMEDY) from damaged
    assert isinstance(graph, GraphModule)
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
    if len(inputs) != 1:
        raise FileFormatError(path, f"the program takes {len(inputs)} inputs, not one tensor", _REMEDY)
    value = inputs[0].meta.get("val")
    shape: tuple[int | None, ...] = tuple(s if isinstance(s, int) else None for s in getattr(value, "shape", ()))
    for part in (*graph.modules(), *unchanged.modules()):
        part.training = False  # an exported program refuses .eval()
    rows = shape[0] if shape else None
    reference = _reference(path, unchanged, rows)
    try:
        layered = _layered(graph)
    except (RuntimeError, IndexError) as mismatched:  # of shapes that torch looks at only when they are used
        raise FileFormatError(path, f"its weights do not fit together ({mismatched})", _REMEDY) from mismatched
    sequence = _sequence(layered)
    if sequence is not None:
        return sequence.eval(), shape, reference
    return (layered if rows is None else FixedBatch(layered, rows)), shape, reference


def _reference(path: Path, program: nn.Module, rows: int | None) -> Reference:
    """The program as torch.export gives it back, before layers are recognised in it."""
    tensors = [t for t in (*program.parameters(), *program.buffers()) if t.is_floating_point()]
    dtype = tensors[0].dtype if tensors else torch.float32
    whole = program if rows is None else FixedBatch(program, rows)

    def run(x: Tensor) -> dict[str, Tensor]:
        with evaluating(program), torch.no_grad():
            return by_name(whole(x.to(dtype)))

    return Reference(f"torch.export {torch.__version__}", run, torch.finfo(dtype).eps, str(path))


def _layered(graph: GraphModule) -> GraphModule:
    """The graph with calls of known layers replaced by torch's modules."""
    for number, node in enumerate(list(graph.graph.nodes)):
        built = _made(graph, node)
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


def _made(graph: GraphModule, node: Node) -> nn.Module | None:
    """The layer that a call is, its arguments bound by torch's own schema; None where it stays a call."""
    make = _MAKERS.get(str(node.target)) if node.op == "call_function" else None
    if make is None or not node.args or not isinstance(node.args[0], Node):
        return None
    schema = getattr(node.target, "_schema", None)
    if schema is None or (schema.is_mutable and not _is_unshared(node.args[0])):
        return None
    others = schema.arguments[1:]
    bound = {each.name: each.default_value for each in others}
    bound |= dict(zip((each.name for each in others), node.args[1:], strict=False))
    values = {name: _value(graph, value) for name, value in (bound | dict(node.kwargs)).items()}
    if any(isinstance(each, Node) for each in values.values()):
        return None
    given = (node.args[0].meta["val"].ndim,) if make is _batch_norm else ()
    try:
        inspect.signature(make).bind(*given, **values)
    except TypeError:
        return None
    return make(*given, **values)


def _is_unshared(node: Node) -> bool:
    """Whether nothing else reads what a call in place is about to change, or a tensor that it is a view of."""
    while len(node.users) == 1 and node.op == "call_function":
        schema = getattr(node.target, "_schema", None)
        is_view = schema is not None and any(each.alias_info is not None for each in schema.returns)
        if not is_view or not node.args or not isinstance(node.args[0], Node):
            return True
        node = node.args[0]
    return len(node.users) == 1 and node.op == "call_module"


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


def _linear(weight: Any, bias: Any) -> nn.Module | None:
    return linear(weight, bias) if isinstance(weight, Tensor) else None


def _convolution(weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> nn.Module | None:
    if not isinstance(weight, Tensor):
        return None
    sizes = {"stride": stride, "padding": padding, "dilation": dilation}
    plain = {name: tuple(v) if isinstance(v, list | tuple) else v for name, v in sizes.items()}
    return convolution(weight, bias, groups=groups, **plain)


def _batch_norm(
    dimensions: int,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> nn.Module | None:
    parameters = [weight, bias, running_mean, running_var]
    if training or not all(isinstance(p, Tensor) for p in parameters) or dimensions not in (2, 4, 5):
        return None
    return batch_norm(dimensions, float(eps), parameters)


def _flatten(start_dim: int, end_dim: int) -> nn.Module | None:
    return nn.Flatten() if (start_dim, end_dim) == (1, -1) else None


def _avg_pool(
    kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool, divisor_override: int | None
) -> nn.Module:
    return nn.AvgPool2d(kernel_size, stride or None, padding, ceil_mode, count_include_pad, divisor_override)


# Each takes, by the names of the schema, every argument but the first; an operator of another schema stays a call.
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
    "aten.avg_pool2d.default": _avg_pool,
    "aten.adaptive_avg_pool2d.default": nn.AdaptiveAvgPool2d,
    "aten.dropout.default": lambda p, train: None if train else nn.Identity(),
}
