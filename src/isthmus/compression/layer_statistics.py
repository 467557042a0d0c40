"""What each layer of a chain reads on the rows, and how strongly the output follows what it computes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.networks.chain import Chain
from isthmus.spectra.running_covariance import Moments, MomentSum

_CHUNK = 2048  # rows whose activations are held at a time
_ROWS = 2000  # rows over which sensitivities are averaged
_EXACT = 32  # up to so many outputs each is followed back; of more, random combinations are
_PROBES = 16


@dataclass(frozen=True, eq=False)
class LayerStatistics:
    r"""Of one layer $a \mapsto \sigma(W a + b)$, over the rows.

    Attributes:
        inputs: Moments of a, `(m,)` and `(m, m)`.
        sensitivity: $H = \frac1N \sum_i J_i^\top J_i$, `(n, n)`, with J the Jacobian of the chain's outputs by
            $W a + b$: $\operatorname{tr}(H E)$ is what a small error of covariance E does to the outputs.
    """

    inputs: Moments
    sensitivity: Tensor


def layer_statistics(chain: Chain, x: Tensor, generator: torch.Generator) -> list[LayerStatistics]:
    """The statistics of every layer of a chain in float64 over the rows of `x` `(N, d)`.

    Of more than 32 outputs, random combinations with signs ±1 are followed back, which is right in the mean.
    """
    moments = [MomentSum(width) for width in chain.widths[:-1]]
    for rows in x.split(_CHUNK):
        for total, values in zip(moments, chain.trace(rows), strict=False):
            total.add(values)
    sensitivities = _sensitivities(chain, x[:: max(1, len(x) // _ROWS)], generator)
    return [LayerStatistics(total.result(), h) for total, h in zip(moments, sensitivities, strict=True)]


def _sensitivities(chain: Chain, x: Tensor, generator: torch.Generator) -> list[Tensor]:
    totals = [x.new_zeros(width, width) for width in chain.widths[1:]]
    a, slopes = x, []
    for layer in chain.layers:
        z = torch.addmm(layer.bias, a, layer.weight.T)
        slopes.append(layer.activation.derivative(z))
        a = layer.activation(z)
    is_exact = chain.d_out <= _EXACT
    for number in range(chain.d_out if is_exact else _PROBES):
        if is_exact:
            delta = torch.zeros_like(a)
            delta[:, number] = 1.0
        else:
            delta = torch.randint(0, 2, a.shape, generator=generator).to(a) * 2.0 - 1.0
        for index in reversed(range(chain.depth)):
            delta = delta * slopes[index]
            totals[index].addmm_(delta.T, delta)
            delta = delta @ chain.layers[index].weight
    return [total / (len(x) * (1 if is_exact else _PROBES)) for total in totals]
