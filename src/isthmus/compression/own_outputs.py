"""What f gives at points of its domain, and how well its own precision holds that."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_OWN = 4.0  # times its own rounding, and 16 units: how far from f a folded network may be to count as f
_UNITS = 16.0


@dataclass(frozen=True, eq=False)
class OwnOutputs:
    """Outputs of f, and the rounding of each.

    Attributes:
        outputs: In float64, `(m, d_out)`.
        sizes: Largest magnitude of each before the activation that may be its last step, `(d_out,)`: of an output that
            a ReLU hardly lets through the rounding is that of what it cuts off.
        off: Largest change of each output by evaluating f in its own precision, relative to its size, `(d_out,)`.
        dtype: That precision.
    """

    outputs: Tensor
    sizes: Tensor
    off: Tensor
    dtype: torch.dtype

    @staticmethod
    def of(outputs: Tensor, before: Tensor, own: Tensor, dtype: torch.dtype) -> OwnOutputs:
        """From the outputs in float64, these before their activation, and in the precision of f."""
        sizes = before.abs().amax(0)
        sizes = torch.where(sizes > 0, sizes, sizes.max() if bool(sizes.max() > 0) else 1.0)
        return OwnOutputs(outputs, sizes, (own.double() - outputs).abs().amax(0) / sizes, dtype)

    def change(self, found: Tensor) -> float:
        """Largest change of an output, relative to its size: a small one beside a large one is an output too."""
        return float(self._off(found).max())

    @property
    def rounding(self) -> float:
        """What evaluating f in its own precision changes."""
        return float(self.off.max())

    def are_kept_by(self, found: Tensor) -> bool:
        """Whether no output is farther from f's than rounding explains."""
        return bool((self._off(found) <= _OWN * self.off + _UNITS * torch.finfo(self.dtype).eps).all())

    def _off(self, found: Tensor) -> Tensor:
        return (found.double() - self.outputs).abs().amax(0) / self.sizes
