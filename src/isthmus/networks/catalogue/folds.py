"""Folds: absolute values, norms, and the saw-tooth that folds an interval many times."""

from __future__ import annotations

import torch

from isthmus.errors import OptionError
from isthmus.networks.activations import ABSOLUTE
from isthmus.networks.affine_maps import affine, scaled
from isthmus.networks.algebra import compose, direct_product, maximum
from isthmus.networks.catalogue.entry import CatalogueEntry, cube, tensor
from isthmus.networks.network import FullyConnected

_SCALAR = "Not constant, so Rank_J ≥ 1, and real-valued, so f = identity ∘ f gives Rank_BN ≤ 1."


def sawtooth(folds: int) -> FullyConnected:
    r"""$T \circ \dots \circ T$ on [0, 1], `folds` times, with the tent $T(x) = 2x_+ - 4(x - 1/2)_+$.

    It has $2^{\text{folds}-1}$ teeth: $2^{\text{folds}}$ pieces, slopes ±2^folds, depth `folds` + 1, width 2.

    Raises:
        OptionError: If `folds` is below 1.

    Source:
        Telgarsky (2016), Benefits of depth in neural networks.
    """
    if folds < 1:
        raise OptionError("folds", folds, "at least 1")
    tent = FullyConnected((tensor([[1], [1]]), tensor([[2, -4]])), (tensor([0, -0.5]), tensor([0])))
    network = tent
    for _ in range(folds - 1):
        network = compose(tent, network)
    return network


def fold_entries() -> tuple[CatalogueEntry, ...]:
    """Absolute value, norms, folds of the square, saw-tooth."""
    x = affine(tensor([[1]]))
    folded = maximum(x, scaled(x, -1.0))
    axes = affine(torch.eye(2, dtype=torch.float64))
    along = [affine(row[None]) for row in (*axes.weights[0], *(-axes.weights[0]))]
    max_norm = maximum(maximum(along[0], along[1]), maximum(along[2], along[3]))
    origami = FullyConnected((axes.weights[0], axes.weights[0]), (tensor([-0.25, 0.25]), tensor([0, 0])), ABSOLUTE)
    l1 = FullyConnected(
        (torch.eye(3, dtype=torch.float64), tensor([[1, 1, 1]])), (tensor([0, 0, 0]), tensor([0])), ABSOLUTE
    )
    fold_once = "Invertible on each side of the fold, so Rank_J = 2, and two inputs, so Rank_BN ≤ 2."
    line = CatalogueEntry("absolute value of one number", folded, cube(1), 1, 1, _SCALAR)
    return (
        line,
        CatalogueEntry("maximum norm in the plane", max_norm, cube(2), 1, 1, _SCALAR),
        CatalogueEntry("l1 norm in space, absolute values", l1, cube(3), 1, 1, _SCALAR),
        CatalogueEntry("fold of the square", direct_product(folded, x), cube(2), 2, 2, fold_once),
        CatalogueEntry("two folds of the square, absolute values", origami, cube(2), 2, 2, fold_once),
        *(
            CatalogueEntry(f"saw-tooth of {folds} folds", sawtooth(folds), cube(1, 0.0, 1.0), 1, 1, _SCALAR)
            for folds in (1, 3, 6)
        ),
    )
