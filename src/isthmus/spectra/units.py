"""In what units a function's inputs and outputs are counted, which decides the rank of its derivative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.networks import FullyConnected, StandardizedNetwork

Scaling = Literal["data", "unit", "none"]
SCALED_ROWS = 500  # evenly spaced rows over which spreads are taken, the same through every door
_ABOVE = 4.0  # times rounding or noise that a spread must be to count


@dataclass(frozen=True, eq=False)
class Units:
    """f between inputs and outputs that are counted in some units: $J$ becomes `outputs[:, None] * J * inputs`.

    Attributes:
        inputs: `(d_in,)` float64, the unit of each input; 0 for one that does not count because it does not vary.
        outputs: `(d_out,)` float64, one over the unit of each output; 0 for one that does not count.
        sentence: What a reader should know of them.
    """

    inputs: Tensor
    outputs: Tensor
    sentence: str

    @property
    def is_raw(self) -> bool:
        """Whether inputs and outputs are counted as they are."""
        return bool((self.inputs == 1.0).all()) and bool((self.outputs == 1.0).all())

    def of_jacobian(self, jacobian: Tensor) -> Tensor:
        """Jacobians `(n, d_out, d_in)` in these units, in their dtype."""
        return jacobian if self.is_raw else self.outputs.to(jacobian)[:, None] * jacobian * self.inputs.to(jacobian)

    def of_network(self, network: FullyConnected, *, are_inputs_counted: bool = True) -> FullyConnected:
        """The network with its outputs, and unless told otherwise its inputs, in these units."""
        if self.is_raw:
            return network
        weights, biases = list(network.weights), list(network.biases)
        if are_inputs_counted:
            weights[0] = weights[0] * self.inputs.to(weights[0])
        rows = self.outputs.to(weights[-1])
        weights[-1], biases[-1] = weights[-1] * rows[:, None], biases[-1] * rows
        return FullyConnected(tuple(weights), tuple(biases), network.activation)


def units_of(
    inputs: Tensor, outputs: Tensor, scale_inputs: Scaling, scale_outputs: Scaling, noise: Tensor | None = None
) -> Units:
    """The units that were asked for, from rows of inputs `(n, d_in)` and of outputs `(n, d_out)`.

    "data": each by its spread (standard deviation) over the rows; what does not vary there does not count. "unit": all
    by one number, the root mean square of their spreads, for numbers of one unit such as pixels. "none": as they are.
    Where nothing varies there is no spread to count in, and they are counted as they are.

    Args:
        inputs: The rows.
        outputs: f at them.
        scale_inputs: What was asked for of the inputs.
        scale_outputs: What was asked for of the outputs.
        noise: Deviation of the noise in each output `(d_out,)`, from which a spread must be told; rounding if None.

    Raises:
        OptionError: If a scaling is none of the three.
    """
    a, said_inputs, fixed_inputs = _counted(spread_of(inputs), scale_inputs, "input")
    beyond = "" if noise is None else " by more than noise"
    b, said_outputs, fixed_outputs = _counted(spread_of(outputs, noise), scale_outputs, "output", beyond)
    parts = [each for each in (fixed_inputs, fixed_outputs) if each]
    why = f"as they do not vary over the rows{beyond if fixed_outputs else ''}"
    left_out = f" Left out, {why}: {' and '.join(parts)}." if parts else ""
    sentence = f"Units: {said_inputs}, {said_outputs}.{left_out}"
    return Units(a, torch.where(b > 0, 1.0 / b.where(b > 0, 1.0), 0.0), sentence)


def units_of_chain(
    model: FullyConnected | StandardizedNetwork,
    x: Tensor,
    outputs: Tensor,
    scale_inputs: Scaling,
    scale_outputs: Scaling,
) -> Units:
    """The units for the network of `model`, from its own inputs `(n, d_in)` and outputs, or from its fit."""
    if isinstance(model, StandardizedNetwork):
        return units_of_standardized(model, scale_inputs, scale_outputs)
    return units_of(x, outputs, scale_inputs, scale_outputs)


def units_of_standardized(model: StandardizedNetwork, scale_inputs: Scaling, scale_outputs: Scaling) -> Units:
    """Relative to the network inside: "data" are the scales that it was fitted in, "none" the units of its data."""
    a, said_inputs, _ = _counted(model.inputs.scale.double(), scale_inputs, "input")
    b, said_outputs, _ = _counted(model.outputs.scale.double(), scale_outputs, "output")
    sentence = f"Units: {said_inputs}, {said_outputs}.".replace("over the rows", "in its fit")
    return Units(a / model.inputs.scale.double(), model.outputs.scale.double() / b, sentence)


def is_spread(rows: Tensor, noise: Tensor | None = None) -> bool:
    """Whether any column of rows `(n, …)` varies by more than rounding or its noise."""
    return bool((spread_of(rows, noise) > 0).any())


def spread_of(rows: Tensor, noise: Tensor | None = None) -> Tensor:
    """The standard deviation of each column of rows `(n, …)`, `(d,)` float64; 0 where it is rounding or noise."""
    exact = rows.flatten(1).double()
    spread, floor = exact.std(0, correction=0), torch.finfo(rows.dtype).eps * exact.abs().amax(0)
    floor = floor if noise is None else torch.maximum(floor, noise.to(floor))
    return torch.where(spread > _ABOVE * floor, spread, 0.0).cpu()


def _counted(spread: Tensor, how: Scaling, what: str, beyond: str = "") -> tuple[Tensor, str, str]:
    """The unit of each column, in words, and which do not count, in words."""
    if how not in ("data", "unit", "none"):
        raise OptionError(f"scale_{what}s", how, "data, unit or none")
    raw = torch.ones_like(spread)
    if how == "none":
        return raw, f"{what}s as they are", ""
    if not bool((spread > 0).any()):
        return raw, f"{what}s as they are, because they do not vary over the rows{beyond}", ""
    if how == "unit":
        return raw * spread.square().mean().sqrt(), f"all {what}s by one number", ""
    fixed = int((spread == 0).sum())
    return spread, f"each {what} by its spread over the rows", f"{fixed} {what}{'s' * (fixed > 1)}" if fixed else ""
