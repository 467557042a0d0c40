"""A graph with stretches as a function of rows, whose layers can be exchanged and looked into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from isthmus.formats.onnx_graph import OnnxGraph
from isthmus.formats.onnx_stretches import Stretch, StretchModule
from isthmus.formats.reference import by_name
from isthmus.networks.chain import Layer

_CHUNK = 512  # rows at a time


@dataclass(frozen=True, eq=False)
class GraphNetwork:
    """The function of flattened rows that a graph is, all its outputs side by side.

    Attributes:
        graph: The graph.
        stretches: What stands in the place of its stretches.
        row_shape: Shape of a row of its input.
        rest: Numbers that it holds outside of them.
        units: Of the outputs, `(d_out,)`; None where they are as they are.
    """

    graph: OnnxGraph
    stretches: tuple[Stretch, ...]
    row_shape: tuple[int, ...]
    rest: int
    units: Tensor | None = None
    _modules: dict[torch.dtype, nn.Module] = field(default_factory=dict, repr=False)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Of all stretches."""
        return tuple(layer for stretch in self.stretches for layer in stretch.layers)

    @property
    def dtype(self) -> torch.dtype:
        """Of the layers."""
        return self.layers[0].weight.dtype

    @property
    def parameter_count(self) -> int:
        """Numbers in the layers and outside of them."""
        return self.rest + sum(stretch.number_count for stretch in self.stretches)

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers in a row of the inputs, and channels or columns of what each matrix gives."""
        return (int(torch.Size(self.row_shape).numel()), *(len(layer.bias) for layer in self.layers))

    def with_layers(self, layers: tuple[Layer, ...]) -> GraphNetwork:
        """The same structure with other numbers."""
        given = iter(layers)
        stretches = (each.with_layers(tuple(next(given) for _ in each.layers)) for each in self.stretches)
        return replace(self, stretches=tuple(stretches))

    def with_stretches(self, stretches: Sequence[Stretch]) -> GraphNetwork:
        """Another structure."""
        return replace(self, stretches=tuple(stretches), _modules={})

    @property
    def with_open_ends(self) -> GraphNetwork:
        """Without activations that are the last step before an output."""
        read = {name for step in self.graph.steps.steps for name in step.inputs}
        last = set(self.graph.steps.outputs) - read
        return self.with_stretches([each.with_open_end if each.output in last else each for each in self.stretches])

    def in_units(self, units: Tensor | None) -> GraphNetwork:
        """With its outputs in these units."""
        return replace(self, units=units)

    def to(self, dtype: torch.dtype) -> GraphNetwork:
        """In another precision."""
        return self.with_layers(tuple(layer.to(dtype) for layer in self.layers))

    def __call__(self, x: Tensor) -> Tensor:
        """At rows `(N, d_in)`: `(N, d_out)`, in the precision of the layers."""
        return torch.cat([self._outputs(part) for part in self._parts(x)])[: len(x)]

    def tapped(self, x: Tensor) -> Iterator[tuple[Tensor, list[list[Tensor]]]]:
        """For some rows at a time the outputs, and for each stretch its input, then W a + b and σ of every stage.

        Of a graph for a fixed number of rows the last ones are repeated to fill up.
        """
        modules = self._stretch_modules()
        for part in self._parts(x):
            for module in modules:
                module.taps = []
            try:
                yield self._outputs(part), [(module.taps or [[]])[0] for module in modules]
            finally:
                for module in modules:
                    module.taps = None

    def _parts(self, x: Tensor) -> tuple[Tensor, ...]:
        rows = self.graph.rows
        if rows is None:
            return tuple(x.split(_CHUNK))
        missing = -len(x) % rows
        return tuple((torch.cat([x, x[-1:].expand(missing, -1)]) if missing else x).split(rows))

    def _outputs(self, x: Tensor) -> Tensor:
        module = self._module()
        names = {id(part): name for name, part in module.named_modules()}
        numbers: dict[str, Tensor] = {}
        for part, stretch in zip(self._stretch_modules(), self.stretches, strict=True):
            for index, layer in enumerate(stretch.layers):
                numbers[f"{names[id(part)]}.weights.{index}"] = layer.weight
                numbers[f"{names[id(part)]}.biases.{index}"] = layer.bias
        found = by_name(functional_call(module, numbers, (x.to(self.dtype).reshape(-1, *self.row_shape),)))
        outputs = torch.cat([each.flatten(1) for each in found.values()], 1)
        return outputs if self.units is None else outputs / self.units.to(outputs)

    def _module(self) -> nn.Module:
        if self.dtype not in self._modules:
            self._modules[self.dtype] = self.graph.module(self.stretches, self.dtype)
        return self._modules[self.dtype]

    def _stretch_modules(self) -> list[StretchModule]:
        by_output = {part.output: part for part in self._module().modules() if isinstance(part, StretchModule)}
        return [by_output[stretch.output] for stretch in self.stretches]
