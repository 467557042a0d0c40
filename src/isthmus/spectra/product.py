"""The Jacobian of a chain as a product of weights and masks, through the layer where fewest neurons are active."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.networks.activations import Activation
from isthmus.spectra.gram import gram_singular_values
from isthmus.spectra.units import Units

_WORTH_REDUCING = 0.7  # share of the core's size below which two QR decompositions are cheaper than a larger SVD
_WORTH_GATHERING = 0.8  # share of a layer's neurons above which copying out the active ones costs more than it saves


@dataclass(frozen=True, eq=False)
class Core:
    """A matrix with the singular values of the Jacobian, as two factors that meet in the narrowest layer.

    Attributes:
        left: `(n, p, r)`.
        right: `(n, r, q)`; the core is `left @ right`.
        ranks: `(n,)`: at most so many singular values differ from zero, because no more neurons are active.
    """

    left: Tensor
    right: Tensor
    ranks: Tensor


@dataclass(frozen=True, eq=False)
class _Layer:
    """The neurons of one hidden layer that let something through.

    Attributes:
        index: `(n, a)` numbers of the neurons, all active ones among them; None where all are taken.
        slopes: σ′ at these neurons, `(n, a)` or `(n, width)`; zero for those that only pad.
        active: How many have a nonzero slope, `(n,)`.
    """

    index: Tensor | None
    slopes: Tensor
    active: Tensor

    @property
    def width(self) -> int:
        return self.slopes.shape[1]


class ThinChain:
    """A network with its first and last weight replaced by the triangular factors of their thin QR decompositions.

    The outer orthogonal factors do not move singular values, so a core as wide as the hidden layers is enough,
    however wide inputs and outputs are. The factors are computed once for all points.
    """

    def __init__(self, network: FullyConnected, dtype: torch.dtype, units: Units | None = None) -> None:
        weights = [w.double() for w in network.weights]
        if units is not None and not units.is_raw:
            weights[0] = weights[0] * units.inputs.to(weights[0])
            weights[-1] = weights[-1] * units.outputs.to(weights[-1])[:, None]
        if network.depth > 1 and weights[0].shape[1] > weights[0].shape[0]:
            weights[0] = torch.linalg.qr(weights[0].T, mode="r").R.T
        if network.depth > 1 and weights[-1].shape[0] > weights[-1].shape[1]:
            weights[-1] = torch.linalg.qr(weights[-1], mode="r").R
        self.weights = [w.to(dtype).contiguous() for w in weights]
        self.activation = network.activation
        self.dtype = dtype
        # In single precision a pre-activation near zero may change its sign, and the mask with it.
        self._exact = network.to(dtype=dtype)

    @property
    def numbers_per_row(self) -> int:
        """Numbers held at a time for one point: two partial products, one gathered weight and a decomposition."""
        return 4 * max(w.numel() for w in self.weights) + sum(w.shape[0] for w in self.weights)

    def spectra(self, x: Tensor) -> Tensor:
        """Singular values of the core at the points `x` `(n, d_in)`, `(n, r)` float64, descending; r may vary."""
        if len(self.weights) == 1:
            only: Tensor = torch.linalg.svdvals(self.weights[0].double())
            return only.expand(len(x), -1)
        core = self.core(self._exact.pre_activations(x)[:-1])
        values = _singular_values(core)
        # With fewer active neurons than numbers the rest is zero exactly, whatever rounding says.
        return values * (torch.arange(values.shape[1], device=values.device) < core.ranks[:, None])

    def core(self, z: list[Tensor]) -> Core:
        r"""The core at the points with pre-activations `z`, $\tilde Z_1, …, \tilde Z_{L-1}$ `(n, n_ℓ)` each."""
        if len(self.weights) == 1:
            raise ValueError("a single affine map has no hidden layer; its Jacobian is its weight")
        layers = [_layer(each, self.activation, self.dtype) for each in z]
        cut = min(range(len(layers)), key=lambda index: layers[index].width)
        ranks = torch.stack([layer.active for layer in layers]).amin(0)
        right = _between(self.weights[cut], layers[cut], layers[cut - 1] if cut else None)
        right = layers[cut].slopes[:, :, None] * right
        for index in range(cut - 1, -1, -1):
            right = right * layers[index].slopes[:, None, :]
            right = _times(right, self.weights[index], layers[index], layers[index - 1] if index else None)
        left = _between(self.weights[cut + 1].T, layers[cut], layers[cut + 1] if cut + 1 < len(layers) else None)
        for index in range(cut + 1, len(layers)):
            left = left * layers[index].slopes[:, None, :]
            after = layers[index + 1] if index + 1 < len(layers) else None
            left = _times(left, self.weights[index + 1].T, layers[index], after)
        return Core(left.mT, right, ranks)


def _singular_values(core: Core) -> Tensor:
    (p, r), q = core.left.shape[1:], core.right.shape[2]
    if core.left.dtype == torch.float32:
        return gram_singular_values(core.left @ core.right)
    if r < _WORTH_REDUCING * min(p, q):
        matrix = _triangle(core.left) @ _triangle(core.right.mT).mT
    else:
        matrix = core.left @ core.right
    values: Tensor = torch.linalg.svdvals(matrix)
    return values


def _triangle(tall: Tensor) -> Tensor:
    triangle: Tensor = torch.linalg.qr(tall, mode="r").R
    return triangle


def _layer(z: Tensor, sigma: Activation, dtype: torch.dtype) -> _Layer:
    slopes = sigma.derivative(z)
    is_active = slopes != 0
    active = is_active.sum(1)
    most = max(1, int(active.max()))
    if most > _WORTH_GATHERING * z.shape[1]:
        return _Layer(None, slopes.to(dtype), active)
    # Active neurons first, in any order; silent ones, whose slope is 0, pad. Sorting would take twice as long.
    index = is_active.view(torch.uint8).topk(most, dim=1, sorted=False).indices
    return _Layer(index.int(), slopes.gather(1, index).to(dtype), active)


def _between(weight: Tensor, rows: _Layer, columns: _Layer | None) -> Tensor:
    """The rows and columns of `weight` that belong to the neurons of two layers, `(n, a, b)`."""
    n = len(rows.slopes)
    j = None if columns is None else columns.index
    if rows.index is None and j is None:
        return weight.expand(n, -1, -1)
    if j is None:
        assert rows.index is not None
        return weight[rows.index]
    if rows.index is None:
        return weight.T.contiguous()[j].mT
    flat = rows.index[:, :, None] * weight.shape[1] + j[:, None, :]
    return weight.contiguous().view(-1).index_select(0, flat.view(-1)).view(flat.shape)


def _times(product: Tensor, weight: Tensor, rows: _Layer, columns: _Layer | None) -> Tensor:
    """`product` `(n, r, a)` times the part of `weight` between two layers, `(n, r, b)`."""
    if rows.index is None and (columns is None or columns.index is None):
        # One large product is faster than n small ones.
        return (product.reshape(-1, product.shape[2]) @ weight).view(len(product), product.shape[1], -1)
    return product @ _between(weight, rows, columns)
