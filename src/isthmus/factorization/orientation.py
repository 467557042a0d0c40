"""The sign of each latent coordinate, chosen so that two fits of one function can be compared."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.spectra import spaced

_ROWS = 2000  # rows that the correlations are taken over
_CHANCE = 3.0  # a correlation of nothing with nothing over n rows has the standard deviation 1/√n


def oriented(encoder: FullyConnected, decoder: FullyConnected, x: Tensor) -> tuple[FullyConnected, FullyConnected]:
    r"""The same $h \circ g$ with coordinates that rise with most of what they correlate with.

    A coordinate of the encoder is determined up to its sign. It gets the one for which

    $$\sum_j \operatorname{corr}(z_i, f_j)^3 \ge 0$$

    over the rows of `x`: the outputs it correlates with most decide. Where it correlates with no output beyond chance,
    as where f is even in it, the inputs stand in for the outputs. Only the functions g and h enter, so the order of
    neurons and the sign that a decomposition happened to return do not. The cube is stabler under small changes of f
    than the sign of the largest correlation alone, and unlike the plain sum it does not vanish where outputs sum to a
    constant, as logits do. Where all correlations vanish the sign stays as it was.

    Args:
        encoder: g, into $\mathbb R^k$.
        decoder: h.
        x: `(n, d_in)`, in the units of g; at most 2,000 rows, evenly spaced, are used.
    """
    rows = spaced(x, _ROWS)
    z = encoder(rows)
    with_outputs = _correlations(z, decoder(z))
    is_seen = with_outputs.abs().amax(1) > _CHANCE / len(rows) ** 0.5
    tendency = torch.where(is_seen, with_outputs.pow(3).sum(1), _correlations(z, rows).pow(3).sum(1))
    signs = torch.where(tendency < 0, -1.0, 1.0).to(z)
    return (
        replace(
            encoder,
            weights=(*encoder.weights[:-1], signs[:, None] * encoder.weights[-1]),
            biases=(*encoder.biases[:-1], signs * encoder.biases[-1]),
        ),
        replace(decoder, weights=(decoder.weights[0] * signs, *decoder.weights[1:])),
    )


def _correlations(z: Tensor, columns: Tensor) -> Tensor:
    return _standard(z).T @ _standard(columns) / len(z)


def _standard(columns: Tensor) -> Tensor:
    """Columns with mean 0 and variance 1; constant ones, which correlate with nothing, become 0."""
    centred = columns.double() - columns.double().mean(0)
    deviations = centred.square().mean(0).sqrt()
    rounding = torch.finfo(columns.dtype).eps * columns.double().abs().amax(0)
    return torch.where(deviations > rounding, centred / deviations.clamp_min(torch.finfo(torch.float64).tiny), 0.0)
