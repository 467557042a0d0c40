"""What f is: a network as a value, what is built from networks, its standardisation, how it enters and leaves torch."""

from isthmus.networks.activations import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
    activation,
)
from isthmus.networks.affine_maps import (
    affine,
    after_affine,
    before_affine,
    restricted_to_plane,
    scaled,
)
from isthmus.networks.algebra import (
    add,
    compose,
    direct_product,
    maximum,
    minimum,
    stack,
)
from isthmus.networks.column_moments import ColumnMoments
from isthmus.networks.conversion import chain_depth, from_torch, to_torch
from isthmus.networks.depth import deepened
from isthmus.networks.leaky_resnet import LeakyResNet
from isthmus.networks.network import FullyConnected
from isthmus.networks.rewriting import rewritten
from isthmus.networks.scaling import (
    Affine,
    Scaling,
    StandardizedNetwork,
    standardization,
    standardization_of,
)

__all__ = [
    "ABSOLUTE",
    "IDENTITY",
    "RELU",
    "Activation",
    "Affine",
    "ColumnMoments",
    "FullyConnected",
    "LeakyResNet",
    "Scaling",
    "StandardizedNetwork",
    "activation",
    "add",
    "affine",
    "after_affine",
    "before_affine",
    "chain_depth",
    "compose",
    "deepened",
    "direct_product",
    "from_torch",
    "maximum",
    "minimum",
    "restricted_to_plane",
    "rewritten",
    "scaled",
    "stack",
    "standardization",
    "standardization_of",
    "to_torch",
]
