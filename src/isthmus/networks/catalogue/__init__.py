"""Functions whose ranks are known by proof: the cases on which every rank must be right."""

from __future__ import annotations

from isthmus.networks.catalogue.affine_functions import affine_entries
from isthmus.networks.catalogue.bijections import bijection_entries
from isthmus.networks.catalogue.entry import CatalogueEntry
from isthmus.networks.catalogue.folds import fold_entries, sawtooth
from isthmus.networks.catalogue.products import product_entries
from isthmus.networks.catalogue.through import through_entries
from isthmus.networks.catalogue.tripods import tripod, tripod_entries
from isthmus.networks.catalogue.varying import varying_entries

__all__ = ["CatalogueEntry", "catalogue", "sawtooth", "tripod"]


def catalogue(seed: int) -> tuple[CatalogueEntry, ...]:
    """Every entry: inputs of dimension 1 to 3, ReLU mainly, leaky ReLU and absolute values, all in float64.

    Weights are multiples of small powers of two, so that rational arithmetic on them stays short.

    Args:
        seed: Of the random compositions; the other entries do not depend on it.
    """
    return (
        *affine_entries(),
        *bijection_entries(),
        *fold_entries(),
        *varying_entries(),
        *tripod_entries(),
        *product_entries(),
        *through_entries(seed),
    )
