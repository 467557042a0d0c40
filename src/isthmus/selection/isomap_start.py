"""A network through k numbers that are coordinates along the sheet of its outputs: a start that no descent finds."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from isthmus.networks import Activation, FullyConnected, compose
from isthmus.selection.isomap import isomap
from isthmus.spectra import spaced
from isthmus.training import Schedule, TrainingConfig, fit, rebalance

MOST_UNFOLDED = 3  # some hundred points are fewer than eight along each side of a sheet of four dimensions
_ROWS, _FEWEST_ROWS = 300, 50
_SHARE = (
    0.85  # of the distances along a sheet, which k coordinates must tell: else it has more dimensions, or is closed
)
_WIDTH = 60
_PLAN = Schedule(steps=100, rounds=1, evaluations=50)  # what follows trains on


@dataclass(frozen=True, eq=False)
class IsomapStart:
    """A network that is narrow at a layer.

    Attributes:
        network: Of the depth of the one it was made from.
        layer: ℓ, where it is narrow.
    """

    network: FullyConnected
    layer: int


def isomap_start(network: FullyConnected, x: torch.Tensor, rank: int, *, ridge: float) -> IsomapStart | None:
    r"""About the same function through k numbers that follow the bends of its outputs.

    The outputs at rows of x lie on a sheet. If it has k dimensions it may be folded so that k coordinates that are
    linear functions of a layer fall on one another, and descending from a network through k + 1 numbers does not part
    them. Here g learns coordinates along the sheet (`isomap`), and h the outputs from what g has learned.

    Args:
        network: f of depth L.
        x: Rows `(n, d_in)` in its units; at most 300, evenly spaced, are used.
        rank: k.
        ridge: λ of either half, in losses of the best constant.

    Returns:
        None where there is nothing to unfold: of depth 1, of fewer than 50 rows, where f does not vary on them, or
        where its outputs lie on no sheet of k dimensions.
    """
    rows = spaced(x, _ROWS)
    outputs = network(rows)
    varies = bool((outputs != outputs[0]).any()) and bool((rows != rows[0]).any())
    if network.depth == 1 or len(rows) < _FEWEST_ROWS or not varies:
        return None
    coordinates, share = isomap(outputs.cpu(), rank)
    if share < _SHARE:
        return None
    coordinates = coordinates.to(rows)
    above = (network.depth + 1) // 2  # layers of g; the last of them and the first of h become one
    encoder = _learned(rows, coordinates, above, network.activation, ridge)
    decoder = _learned(encoder(rows), outputs, network.depth + 1 - above, network.activation, ridge)
    return IsomapStart(rebalance(compose(decoder, encoder)), above - 1)


def _learned(x: torch.Tensor, y: torch.Tensor, depth: int, activation: Activation, ridge: float) -> FullyConnected:
    found = fit(
        x,
        y,
        config=TrainingConfig(
            depth=depth,
            width=_WIDTH,
            ridge=ridge * float(y.double().var(0, correction=0).sum()),
            standardize="none",
            activation=activation,
            schedule=_PLAN,
            device=str(x.device),
        ),
    )
    return found.complete().network
