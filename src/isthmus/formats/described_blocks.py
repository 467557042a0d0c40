"""Blocks of layers that description files name beside torch's own: what transformers and pipelines are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class Residual(nn.Module):
    """x + layers(x)."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        result: Tensor = x + self.layers(x)
        return result


class Gated(nn.Module):
    """down(activation(gate(x)) · up(x))."""

    def __init__(self, gate: nn.Module, up: nn.Module, down: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.gate, self.up, self.down, self.activation = gate, up, down, activation

    def forward(self, x: Tensor) -> Tensor:
        """`(…, width)` to `(…, width)`."""
        result: Tensor = self.down(self.activation(self.gate(x)) * self.up(x))
        return result


class Attention(nn.Module):
    """Self-attention of tokens `(n, tokens, width)`.

    Args:
        projections: Query, key and value, or one that gives all three beside one another.
        output: Of the heads, put beside one another.
        heads: Of the queries; keys and values may have fewer, each for several of them.
        is_causal: Whether a token sees itself and those before it only.
        rotary: Base of rotary positions, whose pairs are a half of a head apart; None without.
    """

    def __init__(
        self, projections: list[nn.Linear], output: nn.Module, heads: int, is_causal: bool, rotary: float | None
    ) -> None:
        super().__init__()
        self.projections, self.output = nn.ModuleList(projections), output
        self.heads, self.is_causal, self.rotary = heads, is_causal, rotary
        given = projections[0].out_features // (3 if len(projections) == 1 else 1)
        self.size = given // heads
        widths = [given] * 3 if len(projections) == 1 else [each.out_features for each in projections]
        if self.size * heads != given or any(width % self.size for width in widths) or widths[1] != widths[2]:
            raise ValueError(f"{heads} heads do not share queries, keys and values of widths {widths}")
        if heads % (widths[1] // self.size):
            raise ValueError(f"{heads} heads of queries do not share {widths[1] // self.size} of keys")

    def forward(self, x: Tensor) -> Tensor:
        """`(n, tokens, width)` to `(n, tokens, width)`."""
        n, tokens = x.shape[:2]
        parts = [projection(x) for projection in self.projections]
        parts = list(parts[0].chunk(3, -1)) if len(parts) == 1 else parts
        query, key, value = (part.reshape(n, tokens, -1, self.size).transpose(1, 2) for part in parts)
        if self.rotary is not None:
            query, key = self._turned(query), self._turned(key)
        key, value = (part.repeat_interleave(self.heads // part.shape[1], 1) for part in (key, value))
        found = scaled_dot_product_attention(query, key, value, is_causal=self.is_causal)
        result: Tensor = self.output(found.transpose(1, 2).reshape(n, tokens, -1))
        return result

    def _turned(self, heads: Tensor) -> Tensor:
        """Each pair of numbers turned by an angle that grows with the position of the token."""
        assert self.rotary is not None
        half = self.size // 2
        speeds = self.rotary ** (-torch.arange(half, dtype=heads.dtype, device=heads.device) / half)
        angles = torch.arange(heads.shape[2], dtype=heads.dtype, device=heads.device)[:, None] * speeds
        first, second = heads[..., :half], heads[..., half:]
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


class Added(nn.Module):
    """x and one tensor for all rows: positions, of as many tokens as there are."""

    tensor: Tensor

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.register_buffer("tensor", tensor[None] if tensor.ndim == 2 else tensor)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x + (self.tensor[:, : x.shape[1]] if x.ndim == self.tensor.ndim > 1 else self.tensor)


class Prepended(nn.Module):
    """One tensor as the first token of every row."""

    tensor: Tensor

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.register_buffer("tensor", tensor.reshape(1, -1, tensor.shape[-1]))

    def forward(self, x: Tensor) -> Tensor:
        """`(n, tokens, width)` to `(n, tokens + 1, width)`."""
        return torch.cat([self.tensor.expand(len(x), -1, -1), x], 1)


class Token(nn.Module):
    """The token at a position; the mean of all where there is none."""

    def __init__(self, index: int | None = None) -> None:
        super().__init__()
        self.index = index

    def forward(self, x: Tensor) -> Tensor:
        """`(n, tokens, width)` to `(n, width)`."""
        return x.mean(1) if self.index is None else x[:, self.index]


class Transposed(nn.Module):
    """Two dimensions exchanged."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.dims = first, second

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers."""
        return x.transpose(*self.dims)
