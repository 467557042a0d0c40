"""What a fit leaves: the two halves, or a constant, and the evidence for the rank."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import ShapeError
from isthmus.factorization import Factorization
from isthmus.selection import CrossDecision


@dataclass(frozen=True, eq=False)
class Learned:
    r"""A function through $\mathbb R^k$ in the units of the data, in float64 on the CPU.

    Attributes:
        factorization: g and h; None at rank 0.
        constant: The constant that fits the rows best, `(d_out,)`: mean outputs, or logs of the shares of the classes.
        decision: The rank and what speaks for it.
        evaluations: Gradient evaluations of the fit to all rows.
    """

    factorization: Factorization | None
    constant: Tensor
    decision: CrossDecision
    evaluations: int

    @property
    def rank(self) -> int:
        """k."""
        return self.decision.rank

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
