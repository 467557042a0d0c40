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
        off: Largest change of each output by evaluating f in its own precision, relative to its largest value,
            `(d_out,)`.
        dtype: That precision.
    """

    outputs: Tensor
    off: Tensor
    dtype: torch.dtype

    @staticmethod
    def of(outputs: Tensor, own: Tensor, dtype: torch.dtype) -> OwnOutputs:
        """From the outputs in float64, and in the precision of f."""
        return OwnOutputs(outputs, _off(own, outputs), dtype)

    def change(self, found: Tensor) -> float:
        """Largest change of an output, relative to the largest value of that output."""
        return float(_off(found, self.outputs).max())

    @property
    def rounding(self) -> float:
        """What evaluating f in its own precision changes."""
        return float(self.off.max())

    def are_kept_by(self, found: Tensor) -> bool:
        """Whether no output is farther from f's than rounding explains."""
        return bool((_off(found, self.outputs) <= _OWN * self.off + _UNITS * torch.finfo(self.dtype).eps).all())


def _off(found: Tensor, wanted: Tensor) -> Tensor:
    """Of each output: a small one beside a large one is an output too."""
    sizes = wanted.abs().amax(0)
    sizes = torch.where(sizes > 0, sizes, sizes.max() if bool(sizes.max() > 0) else 1.0)
    return (found.double() - wanted).abs().amax(0) / sizes
