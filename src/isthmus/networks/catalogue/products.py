"""Direct products: ranks add."""

from __future__ import annotations

import torch

from isthmus.networks.affine_maps import affine
from isthmus.networks.algebra import direct_product
from isthmus.networks.catalogue.entry import CatalogueEntry, cube, tensor
from isthmus.networks.catalogue.folds import sawtooth

_PROOF = (
    "The Jacobian of a product is block diagonal, so Rank_J adds; factorisations go side by side, so Rank_BN adds at "
    "most; and both factors have Rank_J = Rank_BN."
)


def product_entries() -> tuple[CatalogueEntry, ...]:
    """Of saw-teeth of different depth, and of a saw-tooth and an affine map of rank 1."""
    unit, square = cube(1, 0.0, 1.0), cube(2)
    both = (torch.cat([unit[0], square[0]]), torch.cat([unit[1], square[1]]))
    mixed = direct_product(sawtooth(2), affine(tensor([[1, 2], [-1, -2]])))
    return (
        CatalogueEntry("two saw-teeth", direct_product(sawtooth(2), sawtooth(3)), cube(2, 0.0, 1.0), 2, 2, _PROOF),
        CatalogueEntry("saw-tooth times an affine map of rank 1", mixed, both, 2, 2, _PROOF),
    )
