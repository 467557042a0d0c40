"""What a fit leaves: the two halves, or a constant, and the evidence for the rank."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import ShapeError
from isthmus.factoring import Factorization


@dataclass(frozen=True, eq=False)
class Learned:
    r"""A function through $\mathbb R^k$ in the units of the data, in float64 on the CPU.

    Attributes:
        factorization: g and h; None at rank 0.
        constant: The constant that fits the training rows best, `(d_out,)`: mean outputs, or logs of the frequencies
            of the classes up to a constant.
        rank: k.
        interval: Its ends, as `RankDecision.lower` and `.upper`.
        probabilities: k -> share of the resampled held-out rows that decide for k.
        errors: Held-out error of the best function through k = 0, 1, 2, … numbers.
        evaluations: Gradient evaluations of the fit.
    """

    factorization: Factorization | None
    constant: Tensor
    rank: int
    interval: tuple[int, int]
    probabilities: dict[int, float]
    errors: tuple[float, ...]
    evaluations: int

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """g at the rows of `x` `(n, d_in)`: `(n, k)`."""
        return x.new_zeros(len(x), 0) if self.factorization is None else self.factorization.encode(x)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """h at the rows of `z` `(n, k)`: `(n, d_out)`, of a classification the logits."""
        if self.factorization is not None:
            return self.factorization.decode(z)
        if z.shape[1]:
            raise ShapeError(f"z has {z.shape[1]} columns but the rank is 0: there is nothing to decode. Pass none.")
        return self.constant.expand(len(z), -1).clone()
