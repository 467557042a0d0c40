"""The best k coordinates of a layer, weighing each direction by what it carries and by what it does afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.foundation.span import is_wide, span_axes
from isthmus.networks import FullyConnected, before_affine
from isthmus.spectra.jacobian import spaced
from isthmus.spectra.layer_spectrum import layer_moments
from isthmus.spectra.running_covariance import Moments

_ROWS = 1000  # rows over which the decoder's sensitivity is averaged
_FLOPS, _FEWEST_ROWS = 4 * 10**12, 100  # a minute or two: of very wide networks fewer rows are averaged over
_CHUNK_NUMBERS = 32_000_000


@dataclass(frozen=True, eq=False)
class BalancedTruncation:
    r"""Coordinates of the inputs of a weight matrix, in the order of their effect on f.

    With C the covariance of the activations $a_\ell$ and $H = \frac1N \sum_i J_i^\top J_i$ the sensitivity of the
    output to them ($J_i$: the Jacobian of the layers after ℓ at point i), the eigenvectors of $C^{1/2} H C^{1/2}$
    give the rank-k projection that changes f least to first order; `values` are the roots of its eigenvalues.
    Principal components (H = I) rank directions by what they carry and keep a bend that the later layers ignore;
    here such a direction comes last. On a linear network this is balanced truncation and exact.

    Attributes:
        layer: ℓ in 0 … L − 1: the coordinates are of $a_\ell$, which $W_{\ell+1}$ reads ($a_0 = x$).
        mean: Mean of $a_\ell$, `(n_ℓ,)`.
        encode: E, `(r, n_ℓ)`; $z = E (a_\ell - \text{mean})$ has mean 0 and covariance I over the data.
        decode: D, `(n_ℓ, r)`; $a_\ell = \text{mean} + D z$ on the data; E D = I.
        values: `(r,)`, descending: root mean square change of f, to first order, carried by each coordinate.

    Source:
        Moore (1981), balanced truncation, applied to a layer of a network.
    """

    layer: int
    mean: Tensor
    encode: Tensor
    decode: Tensor
    values: Tensor

    def along(self, axes: Tensor) -> BalancedTruncation:
        """The same coordinates of `(n_ℓ, r)` orthonormal axes along which it was found."""
        mean, decode = axes @ self.mean, axes @ self.decode
        return replace(self, mean=mean, encode=self.encode @ axes.T, decode=decode)

    @property
    def rank(self) -> int:
        """R, the number of coordinates along which the activations vary."""
        return len(self.values)


def balanced_truncations(
    network: FullyConnected,
    x: Tensor,
    *,
    layers: Sequence[int] | None = None,
    points: int = _ROWS,
    dtype: torch.dtype = torch.float64,
) -> list[BalancedTruncation]:
    """One for each layer ℓ = 0 … L − 1.

    Args:
        network: f.
        x: Rows `(n, d_in)`.
        layers: Some of the layers, ascending; None for all.
        points: At most so many rows, evenly spaced, over which the decoder's sensitivity is averaged.
        dtype: Of the derivatives. In single precision, twice as fast, directions of less than some 10⁻⁴ of the largest
            effect come in any order.
    """
    wanted = range(network.depth) if layers is None else layers
    if is_wide(x) and network.d_in > len(x):
        axes = span_axes(x.to(network.weights[0]))
        inside = before_affine(network, axes.to(network.weights[0]))
        rows = (x.double() @ axes).to(network.weights[0])
        found = balanced_truncations(inside, rows, layers=wanted, points=points, dtype=dtype)
        return [each if each.layer else each.along(axes) for each in found]
    moments = layer_moments(network, x)
    sensitivities = output_sensitivities(network, spaced(x, points), down_to=min(wanted), dtype=dtype)
    return [_balanced(layer, moments[layer], sensitivities[layer]) for layer in wanted]


def output_sensitivities(
    network: FullyConnected, x: Tensor, *, down_to: int = 0, dtype: torch.dtype = torch.float64
) -> list[Tensor]:
    r"""$H_\ell = \frac1N \sum_i J_{\ell,i}^\top J_{\ell,i}$ for ℓ = 0 … L − 1, `(n_ℓ, n_ℓ)` float64.

    Those of layers below `down_to` are not computed, and zero.
    """
    last = network.weights[-1].to(dtype)
    if last.shape[0] > last.shape[1]:  # JᵀJ only sees the triangular factor
        last = torch.linalg.qr(last, mode="r").R
    totals = [torch.zeros(d, d, dtype=torch.float64, device=network.device) for d in network.widths[:-1]]
    products = sum(4 * last.shape[0] * w.numel() for w in network.weights)  # flops for one row
    x = spaced(x, max(_FEWEST_ROWS, min(len(x), _FLOPS // products)))
    rows = max(1, _CHUNK_NUMBERS // (max(network.widths[:-1]) * last.shape[0]))
    for chunk in x.split(rows):
        z = network.pre_activations(chunk)
        jacobian = last.expand(len(chunk), -1, -1)
        for layer in reversed(range(down_to, network.depth)):
            flat = jacobian.reshape(-1, jacobian.shape[-1])
            totals[layer] += flat.T @ flat
            if layer > down_to:
                slopes = network.activation.derivative(z[layer - 1]).to(dtype)
                jacobian = (jacobian * slopes[:, None, :]) @ network.weights[layer - 1].to(dtype)
    return [h / len(x) for h in totals]


def _balanced(layer: int, moments: Moments, sensitivity: Tensor) -> BalancedTruncation:
    variances, axes = torch.linalg.eigh(moments.covariance)
    # Activations are computed in float32 at worst: directions below its rounding of the signal are not there.
    scale = float(variances[-1].clamp_min(0.0)) + float(moments.mean.square().sum()) * torch.finfo(torch.float32).eps
    keep = variances > scale * torch.finfo(torch.float32).eps ** 2 * len(variances)
    roots = variances[keep].sqrt()
    axes = axes[:, keep]
    spread = axes * roots
    values, rotation = torch.linalg.eigh(spread.T @ sensitivity @ spread)
    rotation = rotation.flip(1)
    return BalancedTruncation(
        layer=layer,
        mean=moments.mean,
        encode=(axes / roots @ rotation).T,
        decode=spread @ rotation,
        values=values.flip(0).clamp_min(0.0).sqrt(),
    )


def truncated(network: FullyConnected, truncation: BalancedTruncation, rank: int) -> FullyConnected:
    r"""The network that keeps `rank` coordinates of layer ℓ and holds the others at their mean.

    $W_{\ell+1} \leftarrow W_{\ell+1} D_k E_k$, a matrix of rank at most k, and the bias moves so that the mean of the
    layer is mapped as before: the result factors through $\mathbb R^k$ exactly.
    """
    index = truncation.layer
    w, b = network.weights[index].double(), network.biases[index].double()
    projected = (w @ truncation.decode[:, :rank]) @ truncation.encode[:rank]
    shifted = b + (w - projected) @ truncation.mean
    weights, biases = list(network.weights), list(network.biases)
    weights[index], biases[index] = projected.to(network.dtype), shifted.to(network.dtype)
    return FullyConnected(tuple(weights), tuple(biases), network.activation)
