"""In what units the outputs of f are counted where it is said how far another function is from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.compression.refitting import relative_error
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import StandardizedNetwork
from isthmus.networks.chain import Chain
from isthmus.spectra.units import SCALED_ROWS, Scaling, units_of, units_of_standardized

_WORDS = {"data": "each output by its spread", "unit": "all outputs by one number", "none": "outputs as they are"}


@dataclass(frozen=True, eq=False)
class OutputUnits:
    """The units of `measure`, but that an output which does not vary over the rows counts here too.

    It has to stay what it is, so it is counted in the root mean square of the other units.

    Attributes:
        units: `(d_out,)` float64, positive.
        words: Which they are.
    """

    units: Tensor
    words: str

    @staticmethod
    def of(model: object, x: Tensor, outputs: Tensor, how: Scaling) -> OutputUnits:
        """From rows of inputs and what f gives there; of a network that was fitted here, those of its fit.

        Raises:
            OptionError: If `how` is none of "data", "unit" and "none".
        """
        if isinstance(model, StandardizedNetwork):
            counted = units_of_standardized(model, "none", how).outputs / model.outputs.scale.double()
        else:
            chosen = torch.linspace(0, len(x) - 1, min(len(x), SCALED_ROWS), dtype=torch.float64).round().long()
            counted = units_of(x[chosen], outputs[chosen].flatten(1), "none", how).outputs
        units = 1.0 / counted[counted > 0]
        filled = torch.full_like(counted, float(units.square().mean().sqrt()))
        filled[counted > 0] = units
        return OutputUnits(filled, _WORDS[how])

    def counted(self, outputs: Tensor) -> Tensor:
        """Outputs `(n, d_out)` in these units, in float64."""
        return outputs.double() / self.units

    def of_chain(self, chain: Chain) -> Chain:
        """The chain with its outputs in these units."""
        return _scaled(chain, 1.0 / self.units)

    def undone(self, chain: Chain) -> Chain:
        """A chain whose outputs are in these units with its outputs as they are."""
        return _scaled(chain, self.units)

    @property
    def rounded(self) -> OutputUnits:
        """The nearest powers of two, with which weights are multiplied without rounding."""
        return replace(self, units=torch.exp2(self.units.log2().round()))


def _scaled(chain: Chain, factors: Tensor) -> Chain:
    """Each output times a positive number: activations let such numbers pass."""
    last = chain.layers[-1]
    weight, bias = factors.to(last.weight)[:, None] * last.weight, factors.to(last.bias) * last.bias
    return Chain((*chain.layers[:-1], replace(last, weight=weight, bias=bias)))


def lost_outputs(found: Tensor, wanted: Tensor, tolerance: Tolerance) -> tuple[str, ...]:
    """What is to be said of outputs that are not kept: small ones hardly count in the error of all of them."""
    errors = [relative_error(found[:, [j]], wanted[:, [j]]) for j in range(wanted.shape[1])]
    lost = [(error, j) for j, error in enumerate(errors) if tolerance.relative < error < float("inf")]
    if not lost or wanted.shape[1] == 1:
        return ()
    error, worst = max(lost)
    return (
        f"Output {worst} changes by {error:.3g} of its own spread over the rows ({len(lost)} of {len(errors)} outputs "
        f"by more than {tolerance.relative:g}): the error is of all outputs together, so that those in small units "
        'hardly count. With scale_outputs="data" (--scale-outputs data) each counts by its own spread.',
    )
