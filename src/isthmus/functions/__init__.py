"""What f is: a network as a value, what is built from networks, its standardisation, how it enters and leaves."""

from isthmus.functions.activation import ABSOLUTE, IDENTITY, RELU, Activation, activation
from isthmus.functions.affine_maps import affine, after_affine, before_affine, restricted_to_plane, scaled
from isthmus.functions.algebra import add, compose, direct_product, maximum, minimum, stack
from isthmus.functions.catalogue import CatalogueEntry, catalogue
from isthmus.functions.column_moments import ColumnMoments
from isthmus.functions.conversion import chain_depth, from_torch, to_torch
from isthmus.functions.depth import deepened
from isthmus.functions.loading import load_model
from isthmus.functions.network import FullyConnected
from isthmus.functions.rewriting import rewritten
from isthmus.functions.standardization import Affine, Scaling, StandardizedNetwork, standardization, standardization_of
from isthmus.functions.storage import load, save

__all__ = [
    "ABSOLUTE",
    "IDENTITY",
    "RELU",
    "Activation",
    "Affine",
    "CatalogueEntry",
    "ColumnMoments",
    "FullyConnected",
    "Scaling",
    "StandardizedNetwork",
    "activation",
    "add",
    "affine",
    "after_affine",
    "before_affine",
    "catalogue",
    "chain_depth",
    "compose",
    "deepened",
    "direct_product",
    "from_torch",
    "load",
    "load_model",
    "maximum",
    "minimum",
    "restricted_to_plane",
    "rewritten",
    "save",
    "scaled",
    "stack",
    "standardization",
    "standardization_of",
    "to_torch",
]
