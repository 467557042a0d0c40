"""Shift and scale of inputs and outputs, as part of the function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.foundation.statistics import weighted_mean
from isthmus.networks.column_moments import ColumnMoments
from isthmus.networks.network import FullyConnected

Scaling = Literal["columns", "global", "none"]


@dataclass(frozen=True, eq=False)
class Affine:
    r"""A shift and a positive scale for each column, $z = (x - \text{mean}) / \text{scale}$.

    Attributes:
        mean: `(d,)`, in the units of the data.
        scale: `(d,)`, positive, in the units of the data.
    """

    mean: Tensor
    scale: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """From the units of the data to standard units; same shape."""
        return (x - self.mean.to(x)) / self.scale.to(x)

    def backward(self, z: Tensor) -> Tensor:
        """From standard units to the units of the data; same shape."""
        return z * self.scale.to(z) + self.mean.to(z)

    @staticmethod
    def identity(d: int) -> Affine:
        """No shift, no scale."""
        return Affine(torch.zeros(d, dtype=torch.float64), torch.ones(d, dtype=torch.float64))


def standardization(data: Tensor, scaling: Scaling, weights: Tensor | None = None) -> Affine:
    """The affine map that centres `data` `(n, d)` and scales it to unit variance.

    Args:
        data: The rows to learn the map from (training rows only).
        scaling: "columns": each column by its own standard deviation. "global": all by one number, the root of the
            mean column variance, so that columns in one unit keep their proportions (images, points in space).
            "none": the identity.
        weights: Of the rows, `(n,)` in float64 and positive; None weighs them equally.

    Returns:
        Mean and scale in float64. A constant column gets scale 1: it carries nothing and must not blow up.

    Raises:
        OptionError: If `scaling` is none of the three.
    """
    if scaling == "none":
        return Affine.identity(data.shape[1])
    exact = data.double()
    mean = weighted_mean(exact, weights)
    variance = weighted_mean((exact - mean).square(), weights)
    return _affine(mean, variance, exact.abs().amax(0), torch.finfo(data.dtype).eps, scaling)


def standardization_of(moments: ColumnMoments, scaling: Scaling) -> Affine:
    """As `standardization`, from the moments of the rows instead of the rows."""
    return _affine(moments.mean, moments.variance, moments.largest, moments.precision, scaling)


def _affine(mean: Tensor, variance: Tensor, largest: Tensor, precision: float, scaling: Scaling) -> Affine:
    if scaling not in ("columns", "global", "none"):
        raise OptionError("standardize", scaling, "columns, global or none")
    if scaling == "none":
        return Affine.identity(len(mean))
    # Rounding leaves a constant column of size m a variance near (eps m)², which is not variation.
    noise = (precision * largest).square() * 16
    variance = torch.where(variance > noise, variance, torch.zeros_like(variance))
    if scaling == "global":
        variance = variance.mean().expand(len(variance))
    scale = torch.where(variance > 0, variance.sqrt(), torch.ones_like(variance))
    return Affine(mean.cpu(), scale.cpu())


@dataclass(frozen=True, eq=False)
class StandardizedNetwork:
    r"""A network between two standardisations: $f = S_y^{-1} \circ \text{network} \circ S_x$, in the units of the data.

    Attributes:
        network: Maps standardised inputs to standardised outputs.
        inputs: $S_x$.
        outputs: $S_y$.
    """

    network: FullyConnected
    inputs: Affine
    outputs: Affine

    def __call__(self, x: Tensor) -> Tensor:
        """f at the rows of `x` `(n, d_in)` in the units of the data: `(n, d_out)`."""
        return self.outputs.backward(self.network(self.inputs.forward(x)))

    def folded(self) -> FullyConnected:
        """The same function as one bare network: the standardisations are absorbed by the first and last layer."""
        net = self.network
        weights, biases = list(net.weights), list(net.biases)
        shrink = 1.0 / self.inputs.scale.to(weights[0])
        biases[0] = biases[0] - weights[0] @ (self.inputs.mean.to(weights[0]) * shrink)
        weights[0] = weights[0] * shrink
        grow = self.outputs.scale.to(weights[-1])
        weights[-1] = weights[-1] * grow[:, None]
        biases[-1] = biases[-1] * grow + self.outputs.mean.to(grow)
        return FullyConnected(tuple(weights), tuple(biases), net.activation)
