"""The nodes of an ONNX graph as steps that torch computes; what depends on no input is computed here, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from isthmus.errors import FileFormatError, IsthmusError
from isthmus.formats.onnx_layers import Constants, layer
from isthmus.formats.onnx_loop import one_pass
from isthmus.formats.onnx_operators import OPERATORS, Node

if TYPE_CHECKING:
    import onnx

_MOST_PASSES = 10_000  # of a loop that are written out
_NUMBERS = {"f", "i", "u", "b"}
_REMEDY = "Export the model again, for example with torch.onnx.export."


@dataclass(frozen=True, eq=False)
class Step:
    """One node: a torch layer that takes its first input, or a translation that takes all of them."""

    node: Node
    layer: nn.Module | None
    inputs: list[str]
    outputs: list[str]

    def computed(self, inputs: list[Any]) -> tuple[Any, ...]:
        """The outputs, from as many values as there are names in `inputs`."""
        if self.layer is not None:
            return (self.layer(inputs[0]),)
        result = OPERATORS[self.node.operator].function(self.node, *inputs)
        return result if isinstance(result, tuple) else (result,)


@dataclass(frozen=True, eq=False)
class Steps:
    """A graph in the order in which it is computed.

    Attributes:
        steps: Those that depend on the input.
        constants: Tensors by name: weights, and whatever follows from them alone.
        input_name, outputs: As the file calls them.
    """

    steps: list[Step]
    constants: Constants
    input_name: str
    outputs: list[str]


class Translator:
    """Turns nodes into steps, one graph at a time.

    Args:
        path: The file, for messages.
        opsets: The version of the operators of each domain that the file is written in; "" is ONNX's own.
        dtype: Of every real number that is kept.
    """

    def __init__(self, path: Path, opsets: Mapping[str, int], dtype: torch.dtype) -> None:
        self._path, self._opsets, self._dtype = path, opsets, dtype
        self.constants: Constants = {}
        self.steps: list[Step] = []

    def add_initializers(self, graph: onnx.GraphProto) -> None:
        """Keep the weights of a graph."""
        for each in graph.initializer:
            self.constants[each.name] = self._tensor(each, each.name)
        for sparse in graph.sparse_initializer:
            self.constants[sparse.values.name] = self._dense(sparse)

    def add(self, nodes: Iterable[onnx.NodeProto]) -> None:
        """Translate nodes in order; the weights they read must have been added.

        Raises:
            UnsupportedOperatorError: If a node, or the form it has, is not translated.
        """
        for proto in nodes:
            if proto.op_type == "Constant" and proto.domain in ("", "ai.onnx"):
                self.constants[proto.output[0]] = self._constant(proto)
            elif proto.op_type == "If" and proto.domain in ("", "ai.onnx"):
                self._add_branch(proto)
            elif proto.op_type == "Loop" and proto.domain in ("", "ai.onnx"):
                self._add_loop(proto)
            else:
                self._add_node(proto)

    def _add_node(self, proto: onnx.NodeProto) -> None:
        node = self._node(proto)
        translation = OPERATORS.get(node.operator)
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        if translation is None or translation.domain != domain:
            whose = f" of {domain}" if domain else ""
            raise node.refuse(f"an operator{whose} that is not known")
        reason = translation.reason_against(node)
        if reason:
            raise node.refuse(reason)
        inputs, outputs = list(proto.input), list(proto.output)
        if all(not name or name in self.constants for name in inputs):
            self._fold(Step(node, None, inputs, outputs))
        else:
            made = layer(node, inputs, self.constants) if not domain else None
            self.steps.append(Step(node, made, inputs, outputs))

    def _fold(self, step: Step) -> None:
        values = [self.constants[name] if name else None for name in step.inputs]
        try:
            with torch.no_grad():
                results = step.computed(values)
        except IsthmusError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError) as refused:
            cause = str(refused).strip().splitlines() or [type(refused).__name__]
            raise step.node.refuse(f"its constant inputs do not fit ({cause[0]})") from refused
        for name, value in zip(step.outputs, results, strict=False):
            self.constants[name] = value.to(self._dtype) if value.is_floating_point() else value

    def _add_branch(self, proto: onnx.NodeProto) -> None:
        """The branch that is taken, where the condition follows from the weights alone."""
        if proto.input[0] not in self.constants:
            raise self._node(proto).refuse("its condition depends on the input")
        is_met = bool(self.constants[proto.input[0]].all())
        wanted = "then_branch" if is_met else "else_branch"
        branch = next(attribute.g for attribute in proto.attribute if attribute.name == wanted)
        self.add_initializers(branch)
        self.add(branch.node)
        for inner, outer in zip(branch.output, proto.output, strict=True):
            self._call(inner.name, outer, proto)

    def _add_loop(self, proto: onnx.NodeProto) -> None:
        """The passes of a loop one after the other, where how many there are follows from the weights alone."""
        node = self._node(proto)
        body = next(attribute.g for attribute in proto.attribute if attribute.name == "body")
        most, go_on, *carried = (*proto.input, "")[: max(2, len(proto.input))]
        if (most and most not in self.constants) or len(carried) + 1 < len(body.output):
            raise node.refuse("a number of passes that depends on the input, or outputs of every pass")
        passes = int(self.constants[most]) if most else _MOST_PASSES + 1
        self.add_initializers(body)
        for number in range(passes):
            if go_on and go_on not in self.constants:
                raise node.refuse("its condition depends on the input")
            if go_on and not bool(self.constants[go_on].all()):
                break
            if number == _MOST_PASSES:
                raise node.refuse(f"more than {_MOST_PASSES} passes")
            mark = f"/{proto.output[0]}#{number}"
            count, condition, *variables = (each.name for each in body.input)
            self.constants[count + mark] = torch.tensor(number)
            self.constants[condition + mark] = torch.tensor(True)
            given = {count: count + mark, condition: condition + mark, **dict(zip(variables, carried, strict=True))}
            nodes, (go_on, *carried) = one_pass(body, given, mark)
            self.add(nodes)
        for inner, outer in zip(carried, proto.output, strict=True):
            self._call(inner, outer, proto)

    def _call(self, inner: str, outer: str, proto: onnx.NodeProto) -> None:
        """Give what is called `inner` another name as well."""
        if inner in self.constants:
            self.constants[outer] = self.constants[inner]
        else:
            same = Node("Identity", proto.name, {}, 1, 1, self._path)
            self.steps.append(Step(same, None, [inner], [outer]))

    def _node(self, proto: onnx.NodeProto) -> Node:
        from onnx import defs, helper

        used = [i for i, name in enumerate(proto.output, 1) if name]
        try:
            since = defs.get_schema(proto.op_type, self._opsets.get(proto.domain, 1), proto.domain).since_version
        except defs.SchemaError:
            since = self._opsets.get(proto.domain, 1)
        attributes = {a.name: self._attribute(helper.get_attribute_value(a)) for a in proto.attribute}
        return Node(proto.op_type, proto.name, attributes, since, max(used, default=1), self._path)

    def _attribute(self, value: Any) -> Any:
        from onnx import TensorProto

        if isinstance(value, bytes):
            return value.decode(errors="replace")
        if isinstance(value, list) and value and isinstance(value[0], bytes):
            return [each.decode(errors="replace") for each in value]
        return self._tensor(value, "an attribute") if isinstance(value, TensorProto) else value

    def _constant(self, proto: onnx.NodeProto) -> Tensor:
        from onnx import helper

        for attribute in proto.attribute:
            value = helper.get_attribute_value(attribute)
            if attribute.name == "value":
                return self._tensor(value, proto.output[0])
            if attribute.name == "sparse_value":
                return self._dense(value)
            if attribute.name in ("value_float", "value_floats"):
                return torch.tensor(value, dtype=self._dtype)
            if attribute.name in ("value_int", "value_ints"):
                return torch.tensor(value, dtype=torch.int64)
        raise self._node(proto).refuse("a constant that is no tensor of numbers")

    def _tensor(self, proto: onnx.TensorProto, name: str) -> Tensor:
        """A tensor of the file; real numbers of any precision in the one dtype of the graph."""
        import numpy as np
        from onnx import TensorProto, numpy_helper

        kinds = {number: text for text, number in TensorProto.DataType.items()}
        kind = kinds.get(proto.data_type, f"type {proto.data_type}")
        try:
            array = numpy_helper.to_array(proto)
        except (ValueError, TypeError, KeyError) as damaged:
            raise FileFormatError(self._path, f"the tensor {name!r} is damaged ({damaged})", _REMEDY) from damaged
        if kind in ("BFLOAT16", "FLOAT16"):
            array = array.astype(np.float32)
        if array.dtype.kind not in _NUMBERS or kind in ("UINT16", "UINT32", "UINT64"):
            cause = f"the tensor {name!r} holds numbers of type {kind}, which torch does not compute with"
            raise FileFormatError(self._path, cause, _REMEDY)
        tensor = torch.from_numpy(np.array(array))
        return tensor.to(self._dtype) if tensor.is_floating_point() else tensor

    def _dense(self, proto: onnx.SparseTensorProto) -> Tensor:
        values, places = self._tensor(proto.values, proto.values.name), self._tensor(proto.indices, "indices")
        result = torch.zeros(list(proto.dims), dtype=values.dtype)
        if places.ndim == 1:
            result.view(-1)[places] = values
        else:
            result[tuple(places.T)] = values
        return result
