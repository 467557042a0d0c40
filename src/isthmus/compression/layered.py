"""What is made smaller: a function with layers whose numbers can be exchanged."""

from __future__ import annotations

from typing import Protocol, TypeVar

from torch import Tensor

from isthmus.networks.chain import Layer


class Layered(Protocol):
    """A chain, or a graph with stretches."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its affine maps with their activations."""

    @property
    def parameter_count(self) -> int:
        """Numbers that it holds."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of the inputs, of what each layer gives, and of the outputs."""

    def with_layers(self: F, layers: tuple[Layer, ...]) -> F:
        """The same function with other numbers."""

    def __call__(self, x: Tensor) -> Tensor:
        """At rows `(N, d_in)`: `(N, d_out)`, in the precision of the layers."""


F = TypeVar("F", bound=Layered)
