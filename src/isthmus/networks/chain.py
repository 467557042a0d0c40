"""A chain of affine maps with an activation of its own after each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.errors import ShapeError
from isthmus.foundation.arrays import check_columns
from isthmus.networks.activations import IDENTITY, Activation
from isthmus.networks.network import FullyConnected


@dataclass(frozen=True, eq=False)
class Layer:
    r"""$a \mapsto \sigma(W a + b)$.

    Attributes:
        weight: W, `(n, m)`.
        bias: b, `(n,)`.
        activation: σ; the identity where nothing follows.
        name: What the model that it comes from calls it.
    """

    weight: Tensor
    bias: Tensor
    activation: Activation = IDENTITY
    name: str = ""

    def __call__(self, a: Tensor) -> Tensor:
        """Of rows `(N, m)`: `(N, n)`, in the precision of the rows."""
        return self.activation(torch.addmm(self.bias.to(a), a, self.weight.to(a).T))

    @property
    def exact(self) -> Layer:
        """The same layer in float64: what a float32 number is, a float64 number is too."""
        return self.to(torch.float64)

    def to(self, dtype: torch.dtype) -> Layer:
        """The same layer in another precision."""
        return replace(self, weight=self.weight.to(dtype), bias=self.bias.to(dtype))


@dataclass(frozen=True, eq=False)
class Chain:
    r"""The function $x \mapsto \ell_L(\dots \ell_1(x))$ of layers $\ell_i(a) = \sigma_i(W_i a + b_i)$.

    Unlike a `FullyConnected`, two affine maps may follow each other, so that a matrix of low rank can be held as two
    factors, and the last layer may have an activation.

    Raises:
        ShapeError: If there is no layer, or two that follow each other do not fit.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ShapeError("A chain needs at least one layer.")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            if before.weight.shape[0] != after.weight.shape[1]:
                raise ShapeError(
                    f"Layer {after.name} takes {after.weight.shape[1]} numbers but {before.name} before it gives "
                    f"{before.weight.shape[0]}. Check the order of the layers."
                )

    @staticmethod
    def of(network: FullyConnected) -> Chain:
        """The same function, sharing the tensors."""
        last = network.depth
        return Chain(
            tuple(
                Layer(w, b, network.activation if number < last else IDENTITY, f"layer {number}")
                for number, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1)
            )
        )

    def with_layers(self, layers: tuple[Layer, ...]) -> Chain:
        """A chain of these layers."""
        return Chain(layers)

    @property
    def depth(self) -> int:
        """Number of matrices."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, what each layer gives, the outputs last."""
        return (self.d_in, *(len(layer.bias) for layer in self.layers))

    @property
    def d_in(self) -> int:
        """Number of inputs."""
        return self.layers[0].weight.shape[1]

    @property
    def d_out(self) -> int:
        """Number of outputs."""
        return len(self.layers[-1].bias)

    @property
    def dtype(self) -> torch.dtype:
        """dtype of the weights."""
        return self.layers[0].weight.dtype

    @property
    def parameter_count(self) -> int:
        """Number of weights and biases."""
        return sum(layer.weight.numel() + layer.bias.numel() for layer in self.layers)

    @property
    def is_constant(self) -> bool:
        """Whether a matrix of zeros lets nothing of the inputs pass."""
        return any(not bool(layer.weight.any()) for layer in self.layers)

    @property
    def flops(self) -> int:
        """Multiplications and additions of the matrices for one row."""
        return 2 * sum(layer.weight.numel() for layer in self.layers)

    def to(self, dtype: torch.dtype) -> Chain:
        """The same chain in another precision."""
        return Chain(tuple(layer.to(dtype) for layer in self.layers))

    @property
    def with_open_end(self) -> Chain:
        """The chain without the activation of its last layer."""
        return Chain((*self.layers[:-1], replace(self.layers[-1], activation=IDENTITY)))

    def in_reverse(self, x: Tensor) -> Tensor:
        """The function with the terms of sums over neurons in reverse: it differs by rounding, in any precision."""
        check_columns(x, self.d_in)
        a = self.layers[0](x.to(self.dtype))
        for layer in self.layers[1:]:
            a = replace(layer, weight=layer.weight.flip(1))(a.flip(1))
        return a

    def trace(self, x: Tensor) -> list[Tensor]:
        """What each layer reads, and the output: `(N, n_i)` for i = 0 … L."""
        check_columns(x, self.d_in)
        values = [x.to(self.dtype)]
        for layer in self.layers:
            values.append(layer(values[-1]))
        return values

    def exact(self, x: Tensor) -> Tensor:
        """The function at the rows of `x`, computed in float64 a layer at a time, however the weights are held."""
        check_columns(x, self.d_in)
        a = x.double()
        for layer in self.layers:
            a = layer(a)
        return a

    def __call__(self, x: Tensor) -> Tensor:
        """The function at the rows of `x` `(N, d_in)`: `(N, d_out)`."""
        check_columns(x, self.d_in)
        a = x.to(self.dtype)
        for layer in self.layers:
            a = layer(a)
        return a


def joined(parts: Iterable[Chain]) -> Chain:
    """One chain behind the other, the first first."""
    return Chain(tuple(layer for part in parts for layer in part.layers))
