"""Matrices of low rank in place of a chain's, weighed by what they read and by what is done with their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.compression.layer_statistics import LayerStatistics
from isthmus.networks.chain import Chain, Layer
from isthmus.spectra.running_covariance import Moments

_ROUNDING = 1e-12  # of the largest value: what is below is none
_RIDGE = 1e-9  # of the mean sensitivity: directions that the output does not follow at the rows are still directions


@dataclass(frozen=True, eq=False)
class WeightedSvd:
    r"""Coordinates of $W a$ in the order of their effect on the chain's outputs.

    The singular vectors U of $H^{1/2} W C^{1/2}$, C the covariance of a and H the sensitivity, give the rank-k matrix
    $H^{-1/2} U_k U_k^\top H^{1/2} W$ that changes the outputs least to first order: balanced truncation at this layer.

    Attributes:
        layer: The layer.
        mean: Of W a, `(n,)`.
        encode: $U^\top H^{1/2}$, `(r, n)`.
        decode: $H^{-1/2} U$, `(n, r)`.
        values: Root mean square change of the outputs that each coordinate carries, to first order; descending.

    Source:
        Moore (1981); of layers of networks with H = I, Wang et al. (2024), SVD-LLM.
    """

    layer: Layer
    mean: Tensor
    encode: Tensor
    decode: Tensor
    values: Tensor

    @staticmethod
    def of(layer: Layer, statistics: LayerStatistics) -> WeightedSvd:
        """The coordinates of a layer in float64."""
        values, axes = torch.linalg.eigh(statistics.sensitivity)
        roots = _roots(values)
        spread, directions = torch.linalg.eigh(statistics.inputs.covariance)
        carried = (roots[:, None] * axes.T) @ layer.weight @ (directions * spread.clamp_min(0.0).sqrt())
        u, s, _ = torch.linalg.svd(carried, full_matrices=False)
        s = torch.where(s > _ROUNDING * s[0], s, 0.0)
        return WeightedSvd(layer, layer.weight @ statistics.inputs.mean, (u.T * roots) @ axes.T, (axes / roots) @ u, s)

    @staticmethod
    def of_outputs(layer: Layer, given: Moments, sensitivity: Tensor) -> WeightedSvd:
        """The same from the moments of W a: what a convolution reads is larger than what it gives."""
        values, axes = torch.linalg.eigh(sensitivity)
        roots = _roots(values)
        spread, u = torch.linalg.eigh((roots[:, None] * axes.T) @ given.covariance @ (axes * roots))
        s, u = spread.flip(0).clamp_min(0.0).sqrt(), u.flip(1)
        # Squared, rounding hides what is below the root of the unit.
        s = torch.where(s > _ROUNDING**0.5 * s[0], s, 0.0)
        return WeightedSvd(layer, given.mean, (u.T * roots) @ axes.T, (axes / roots) @ u, s)

    @property
    def cost(self) -> int:
        """Numbers that one coordinate takes."""
        return sum(self.layer.weight.shape) + 1

    @property
    def most(self) -> int:
        """Most coordinates with which two factors are smaller than the matrix."""
        return min(len(self.values), (self.layer.weight.numel() - 1) // self.cost)

    def factors(self, rank: int) -> tuple[Layer, Layer]:
        """Two layers through `rank` coordinates; the mean of a is mapped as before."""
        inner = self.encode[:rank] @ self.layer.weight
        outer = self.decode[:, :rank]
        # Both factors of a coordinate of one size: they are trained and quantised together.
        size = (outer.norm(dim=0) / inner.norm(dim=1).clamp_min(torch.finfo(inner.dtype).tiny)).sqrt()
        inner, outer = size[:, None] * inner, outer / size
        # Of the mean only what the factors do not carry goes into the bias.
        bias = self.layer.bias + self.mean - outer @ (size * (self.encode[:rank] @ self.mean))
        first = Layer(inner, inner.new_zeros(rank), name=f"{self.layer.name}, in")
        return first, Layer(outer, bias, self.layer.activation, f"{self.layer.name}, out")


def _roots(sensitivities: Tensor) -> Tensor:
    if not bool((sensitivities > 0.0).any()):  # nothing that the outputs follow at the rows
        return torch.ones_like(sensitivities)
    floor = _RIDGE * float(sensitivities.clamp_min(0.0).mean()) + torch.finfo(sensitivities.dtype).tiny
    return (sensitivities.clamp_min(0.0) + floor).sqrt()


def weighted_svds(chain: Chain, statistics: Sequence[LayerStatistics]) -> list[WeightedSvd]:
    """One for each layer."""
    return [WeightedSvd.of(layer, each) for layer, each in zip(chain.layers, statistics, strict=True)]


def with_ranks(svds: Sequence[WeightedSvd], ranks: Sequence[int | None]) -> Chain:
    """The chain with some of the layers as two factors; None leaves a layer as it is."""
    layers: list[Layer] = []
    for svd, rank in zip(svds, ranks, strict=True):
        layers += [svd.layer] if rank is None else svd.factors(rank)
    return Chain(tuple(layers))


def allocated_ranks(svds: Sequence[WeightedSvd], parameters: int) -> list[int | None]:
    """Ranks for which the chain has at most so many parameters, where possible, and the least predicted change.

    A coordinate is worth its squared value for each number that it takes. All that are worth more than a common price
    are kept, which is found by halving an interval; a layer whose factors are no smaller stays as it is.
    """
    worth = [svd.values.square() / svd.cost for svd in svds]

    def at(price: float) -> list[int | None]:
        counts = [max(1, int((each > price).sum())) for each in worth]
        return [count if count <= svd.most else None for count, svd in zip(counts, svds, strict=True)]

    def size(ranks: Sequence[int | None]) -> int:
        return sum(
            svd.layer.weight.numel() + len(svd.layer.bias) if rank is None else rank * svd.cost + len(svd.layer.bias)
            for svd, rank in zip(svds, ranks, strict=True)
        )

    top = float(torch.cat(worth).max())
    low, high = 0.0, top
    ranks = at(high)
    if size(at(0.0)) <= parameters:
        return at(0.0)
    for _ in range(60):
        # Between prices many orders of magnitude apart the middle is the geometric one.
        middle = (low * high) ** 0.5 if low > 0 else high * 1e-3
        if size(at(middle)) <= parameters:
            high, ranks = middle, at(middle)
        else:
            low = middle
        if low == 0.0 and high < top * 1e-40:
            break
    return ranks
