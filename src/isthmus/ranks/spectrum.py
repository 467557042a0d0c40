"""What each layer does to the data: spectra of weights and activations, and how much its nonlinearity bends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.functions import FullyConnected

CHUNK = 8192  # rows whose activations are held at a time


@dataclass(frozen=True)
class LayerSpectrum:
    r"""Measurements of layer ℓ.

    Attributes:
        layer: ℓ, from 1 to L.
        weight_singular_values: Singular values of $W_\ell$, descending.
        activation_singular_values: Standard deviations of $A_\ell$ along its principal directions (singular values
            of the centred activations over √n), descending; of the outputs at ℓ = L.
        nonlinearity_impact: $\|\tilde Z_\ell - \sigma(\tilde Z_\ell)\|_F / \|\tilde Z_\ell\|_F$; None at ℓ = L,
            where there is no activation, and where $\tilde Z_\ell = 0$.

    Source:
        Jacot (2023), experiment on rank recovery, panels (a), (b), (c).
    """

    layer: int
    weight_singular_values: tuple[float, ...]
    activation_singular_values: tuple[float, ...]
    nonlinearity_impact: float | None


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean `(d,)` and covariance `(d, d)` of some rows, in float64."""

    mean: Tensor
    covariance: Tensor


def layer_inputs(network: FullyConnected, x: Tensor) -> Iterator[list[Tensor]]:
    r"""For each chunk of rows: $[A_0 = x, A_1, …, A_{L-1}, f(x)]$, `(chunk, n_ℓ)` each."""
    for rows in x.to(dtype=network.dtype, device=network.device).split(CHUNK):
        a, z = network.trace(rows)
        yield [*a, z[-1]]


def layer_moments(network: FullyConnected, x: Tensor) -> list[Moments]:
    """Moments of $A_0, …, A_{L-1}, f(x)$ over the rows of `x`, in memory that does not grow with the rows."""
    count = 0
    means = [torch.zeros(d, dtype=torch.float64, device=network.device) for d in network.widths]
    scatters = [torch.zeros(d, d, dtype=torch.float64, device=network.device) for d in network.widths]
    for collected in layer_inputs(network, x):
        n = len(collected[0])
        for a, mean, scatter in zip(collected, means, scatters, strict=True):
            # Chan's pairwise update: subtracting large means at the end would cost half the digits.
            centred = a.double()
            chunk_mean = centred.mean(0)
            centred = centred - chunk_mean
            shift = chunk_mean - mean
            scatter += centred.T @ centred + torch.outer(shift, shift) * (count * n / (count + n))
            mean += shift * (n / (count + n))
        count += n
    return [Moments(m, s / count) for m, s in zip(means, scatters, strict=True)]


def layer_spectra(network: FullyConnected, x: Tensor) -> list[LayerSpectrum]:
    """The measurements of every layer over the rows of `x` `(n, d_in)`."""
    bends = _squared_norms(network, x)
    spectra = []
    for layer, (w, moments) in enumerate(zip(network.weights, layer_moments(network, x)[1:], strict=True), start=1):
        deviations = torch.linalg.eigvalsh(moments.covariance).flip(0).clamp_min(0.0).sqrt()
        bent, whole = bends[layer - 1]
        spectra.append(
            LayerSpectrum(
                layer,
                tuple(torch.linalg.svdvals(w.double()).tolist()),
                tuple(deviations[: min(len(deviations), max(1, len(x) - 1))].tolist()),
                (bent / whole) ** 0.5 if layer < network.depth and whole > 0 else None,
            )
        )
    return spectra


def _squared_norms(network: FullyConnected, x: Tensor) -> list[tuple[float, float]]:
    """For each layer ‖Z̃ − σ(Z̃)‖² and ‖Z̃‖² over all rows."""
    totals = [(0.0, 0.0)] * network.depth
    for rows in x.to(dtype=network.dtype, device=network.device).split(CHUNK):
        for index, z in enumerate(network.pre_activations(rows)):
            bent, whole = totals[index]
            difference = (z - network.activation(z)).double().square().sum()
            totals[index] = (bent + float(difference), whole + float(z.double().square().sum()))
    return totals
