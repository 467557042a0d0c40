"""A graph that is kept as it is written, beside the steps that compute it, so that parts of it can be written anew."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import nn

from isthmus.formats.onnx_module import OnnxModule
from isthmus.formats.onnx_operators import Node
from isthmus.formats.onnx_steps import Step, Steps
from isthmus.formats.onnx_stretch_search import stretches_of
from isthmus.formats.onnx_stretch_writing import with_stretches
from isthmus.formats.onnx_stretches import Stretch, StretchModule

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx

_HALVES = (10, 16)  # float16 and bfloat16 in ONNX's table of types
_REALS = (1, 10, 11, 16)


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """A graph with one input.

    Attributes:
        content: The bytes of the file that it is, or would be.
        steps: As it is computed.
        rows: How many rows it takes at a time; None for any number.
    """

    content: bytes
    steps: Steps
    rows: int | None = None

    @cached_property
    def model(self) -> onnx.ModelProto:
        """As it is written."""
        import onnx

        return onnx.load_model_from_string(self.content)

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights."""
        is_double = any(t.dtype == torch.float64 for t in self.steps.constants.values())
        return torch.float64 if is_double else torch.float32

    @property
    def has_halves(self) -> bool:
        """Whether it holds numbers of half precision."""
        return any(each.data_type in _HALVES for each in self.model.graph.initializer)

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return max((each.version for each in self.model.opset_import if each.domain in ("", "ai.onnx")), default=1)

    @cached_property
    def plain(self) -> onnx.ModelProto:
        """The graph without functions of its own, so that every tensor is one of the graph's."""
        if not self.model.functions:
            return self.model
        from onnx import inliner

        plain: onnx.ModelProto = inliner.inline_local_functions(self.model)
        return plain

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """Its chain-like parts, in order."""
        return tuple(stretches_of(self.steps, self.plain))

    def written(self, stretches: Sequence[Stretch], dtype: torch.dtype) -> onnx.ModelProto:
        """The graph with these in the place of its stretches."""
        return with_stretches(self.plain, stretches, dtype)

    def module(self, stretches: Sequence[Stretch], dtype: torch.dtype) -> nn.Module:
        """The graph with these stretches as a module of `rows` rows in eval mode, `StretchModule`s among its parts."""
        made = {name: stretch for stretch in stretches for name in stretch.made}
        steps: list[Step] = []
        for step in self.steps.steps:
            stretch = made.get(step.outputs[0])
            if stretch is None:
                steps.append(replace(step, layer=copy.deepcopy(step.layer)))  # its precision is changed below
            elif stretch.output == step.outputs[0]:
                node = Node("Stretch", stretch.output, {}, 1)
                steps.append(Step(node, StretchModule(stretch, dtype), [stretch.input], [stretch.output]))
        return OnnxModule(replace(self.steps, steps=steps)).to(dtype).eval()


def number_count(model: onnx.ModelProto) -> int:
    """Real numbers that a graph holds as weights."""
    held = [*model.graph.initializer, *(a.t for n in model.graph.node if n.op_type == "Constant" for a in n.attribute)]
    return sum(math.prod(each.dims) for each in held if each.data_type in _REALS)
