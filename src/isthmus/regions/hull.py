"""How many dimensions each layer's activations span over the whole domain: an upper bound of the bottleneck rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.networks import FullyConnected

# Directions below this share of the largest are rounding: vertices are known to about 1e-12 of the domain.
_ROUNDING = 1e-9
_CHUNK = 8192


@dataclass(frozen=True)
class AffineHull:
    r"""The affine hull of $A_\ell(Ω)$.

    Attributes:
        layer: ℓ, from 0 (Ω itself) to L (the outputs).
        dimension: Its dimension, up to rounding of 1e-9 of the largest extent.
        smallest_kept: The smallest extent that was counted, relative to the largest; 0 if the dimension is 0.
        largest_dropped: The largest that was not, relative to the largest; 0 if there is none.
    """

    layer: int
    dimension: int
    smallest_kept: float
    largest_dropped: float


def affine_hulls(network: FullyConnected, vertices: NDArray[np.float64]) -> list[AffineHull]:
    r"""The affine hull of the activations of every layer over Ω.

    $A_\ell$ is affine on every region, so the hull of $A_\ell(Ω)$ is that of its values at the regions' vertices: no
    sampling. Where it has dimension k at some layer, f passes through $\mathbb R^k$ there, so
    $\operatorname{Rank}_{BN}(f; Ω) \le k$.

    Args:
        network: f on the domain of the regions.
        vertices: All vertices of all regions, `(V, d)`.
    """
    triangles: list[NDArray[np.float64] | None] = [None] * (network.depth + 1)
    origins: list[NDArray[np.float64]] = []
    for begin in range(0, len(vertices), _CHUNK):
        a, z = network.trace(torch.from_numpy(vertices[begin : begin + _CHUNK]))
        values = [t.numpy() for t in (*a, z[-1])]
        origins = origins or [v[0].copy() for v in values]
        for layer, (v, origin) in enumerate(zip(values, origins, strict=True)):
            # Triangular factors keep all digits, where a sum of squares would lose half of them.
            before = triangles[layer]
            rows = v - origin if before is None else np.concatenate([before, v - origin])
            triangles[layer] = np.asarray(np.linalg.qr(rows, mode="r"))
    return [_hull(layer, r) for layer, r in enumerate(triangles) if r is not None]


def _hull(layer: int, triangle: NDArray[np.float64]) -> AffineHull:
    values = np.linalg.svd(triangle, compute_uv=False)
    if values[0] == 0.0:
        return AffineHull(layer, 0, 0.0, 0.0)
    relative = values / values[0]
    dimension = int((relative > _ROUNDING).sum())
    dropped = float(relative[dimension]) if dimension < len(relative) else 0.0
    return AffineHull(layer, dimension, float(relative[dimension - 1]), dropped)
