"""Layers without their activation: those whose values the rows see as an affine function of what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from isthmus.compression.layer_statistics import LayerStatistics
from isthmus.networks import IDENTITY
from isthmus.networks.chain import Chain

_RIDGE = 1e-9  # of the mean variance, along directions that the rows do not use


def linearised(chain: Chain, statistics: Sequence[LayerStatistics], x: Tensor) -> Chain | None:
    r"""The chain with one layer affine: where that changes the outputs least, to first order.

    Of a layer that reads a and gives s, the best affine map is by least squares over the rows; with R the covariance
    of what it leaves of s and G what an error of s does to the outputs, the change is $\operatorname{tr}(G R)^{1/2}$.

    Args:
        chain: In float64.
        statistics: Of its layers.
        x: The rows `(N, d)`.

    Returns:
        A chain of the same depth, whose affine layers then follow each other; None if no layer has an activation.
    """
    values = chain.trace(x)
    best: tuple[float, int, Tensor, Tensor] | None = None
    for number, layer in enumerate(chain.layers[:-1]):
        if layer.activation.is_linear:
            continue
        read, given = statistics[number].inputs, statistics[number + 1].inputs
        crossed = (values[number + 1] - given.mean).T @ (values[number] - read.mean) / len(x)
        ridge = _RIDGE * float(read.covariance.diagonal().mean()) + torch.finfo(torch.float64).tiny
        eye = torch.eye(len(read.mean), dtype=torch.float64)
        weight = torch.linalg.solve(read.covariance + ridge * eye, crossed.T).T
        rest = given.covariance - weight @ crossed.T
        reader = chain.layers[number + 1].weight
        change = float(((reader.T @ statistics[number + 1].sensitivity @ reader) * rest).sum())
        if best is None or change < best[0]:
            best = change, number, weight, given.mean - weight @ read.mean
    if best is None:
        return None
    _, number, weight, bias = best
    layers = list(chain.layers)
    layers[number] = replace(layers[number], weight=weight, bias=bias, activation=IDENTITY)
    return Chain(tuple(layers))
