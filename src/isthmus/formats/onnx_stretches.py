"""Chain-like stretches of a graph: affine maps and activations in a row, between the places where it branches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from isthmus.formats.onnx_steps import Step
from isthmus.networks.activations import IDENTITY
from isthmus.networks.chain import Layer


@dataclass(frozen=True)
class Window:
    """How a convolution passes over an image: height and width of each."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    @property
    def is_pointwise(self) -> bool:
        """Whether it is a matrix at every position by itself."""
        return self == Window((1, 1))

    @property
    def is_padded(self) -> bool:
        """Whether it reads zeros around the image."""
        return self.padding != (0, 0)


@dataclass(frozen=True, eq=False)
class Link:
    """An operator that takes each channel by itself and multiplies with positive numbers: pooling and flattening.

    Attributes:
        step: The operator.
        others: Its further inputs, which are constant.
    """

    step: Step
    others: tuple[Tensor | None, ...]

    def __call__(self, a: Tensor) -> Tensor:
        """Its output at `a` `(n, channels, …)`."""
        if self.is_flattening:
            return a.flatten(1)
        result: Tensor = self.step.computed([a, *self.others][: 1 if self.step.layer is not None else None])[0]
        return result

    @property
    def is_flattening(self) -> bool:
        """Whether it makes rows of images."""
        return self.step.node.operator in ("Flatten", "Reshape")


@dataclass(frozen=True, eq=False)
class Stage:
    r"""$a \mapsto \lambda(\sigma(W a + b))$, W a matrix on the last dimension or a convolution of channels.

    Attributes:
        layer: W `(n, m)` or, of a convolution, `(n, channels · height · width)`; b and σ.
        window: Of a convolution; None for a matrix.
        links: λ, what happens to each channel by itself before the next stage reads it.
    """

    layer: Layer
    window: Window | None = None
    links: tuple[Link, ...] = ()

    @property
    def is_flat(self) -> bool:
        """Whether it gives rows rather than images."""
        return self.window is None or any(link.is_flattening for link in self.links)

    @property
    def is_open(self) -> bool:
        """Whether what follows reads W a + b itself."""
        return self.layer.activation.is_linear and not self.links

    def affine(self, a: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """W a + b with other numbers in the place of the layer's."""
        if self.window is None:
            return nn.functional.linear(a, weight, bias)
        kernel = weight.view(len(bias), -1, *self.window.kernel)
        return nn.functional.conv2d(a, kernel, bias, self.window.stride, self.window.padding, self.window.dilation)

    def linked(self, a: Tensor) -> Tensor:
        """λ(a)."""
        for link in self.links:
            a = link(a)
        return a

    def samples(self, z: Tensor) -> Tensor:
        """Values at every position as rows, `(N, n)`."""
        return z.reshape(-1, z.shape[-1]) if self.window is None else z.movedim(1, -1).reshape(-1, z.shape[1])


@dataclass(frozen=True, eq=False)
class Stretch:
    """Stages one after the other in a graph, of whose tensors nothing else reads but the last.

    Attributes:
        stages: In order.
        input: Name of the tensor that the first stage reads.
        output: Name of what the last one gives.
        made: Names of all tensors that it takes the place of, `output` among them.
        is_matrix: Whether it is known to read matrices, rather than tensors of any shape.
    """

    stages: tuple[Stage, ...]
    input: str
    output: str
    made: frozenset[str]
    is_matrix: bool

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Of all stages."""
        return tuple(stage.layer for stage in self.stages)

    @property
    def number_count(self) -> int:
        """Numbers that are written: a bias of zeros is not."""
        return sum(layer.weight.numel() + (len(layer.bias) if bool(layer.bias.any()) else 0) for layer in self.layers)

    @property
    def with_open_end(self) -> Stretch:
        """Without the activation of its last stage."""
        return self.with_layers((*self.layers[:-1], replace(self.layers[-1], activation=IDENTITY)))

    def with_layers(self, layers: tuple[Layer, ...]) -> Stretch:
        """The same stages with other numbers."""
        stages = (replace(stage, layer=layer) for stage, layer in zip(self.stages, layers, strict=True))
        return replace(self, stages=tuple(stages))


class StretchModule(nn.Module):
    """A stretch as a module, so that derivatives reach its weights.

    Attributes:
        output: Name of the tensor that it gives.
        taps: Where a list, each call appends its input, and W a + b and σ(W a + b) of every stage.
    """

    def __init__(self, stretch: Stretch, dtype: torch.dtype) -> None:
        super().__init__()
        self._stages, self.output = stretch.stages, stretch.output
        self.weights, self.biases = (
            nn.ParameterList(nn.Parameter(getattr(layer, name).to(dtype), False) for layer in stretch.layers)
            for name in ("weight", "bias")
        )
        self.taps: list[Any] | None = None

    def forward(self, a: Tensor) -> Tensor:
        """The last stage's values at the tensor that the first one reads."""
        tapped: list[Tensor] = [a]
        for stage, weight, bias in zip(self._stages, self.weights, self.biases, strict=True):
            z = stage.affine(a, weight, bias)
            values = stage.layer.activation(z)
            tapped += [z, values]
            a = stage.linked(values)
        if self.taps is not None:
            self.taps.append(tapped)
        return a


def positions(stage: Stage, z: Tensor) -> int:
    """At how many places of one row the stage's matrix is multiplied with."""
    return math.prod(z.shape[1:]) // z.shape[-1 if stage.window is None else 1]
