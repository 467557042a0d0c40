"""What f is: a network as a value, its standardisation, and how it enters and leaves."""

from isthmus.functions.activation import ABSOLUTE, IDENTITY, RELU, Activation, activation
from isthmus.functions.conversion import chain_depth, from_torch, to_torch
from isthmus.functions.loading import load_model
from isthmus.functions.network import FullyConnected
from isthmus.functions.standardization import Affine, Scaling, StandardizedNetwork, standardization
from isthmus.functions.storage import load, save

__all__ = [
    "ABSOLUTE",
    "IDENTITY",
    "RELU",
    "Activation",
    "Affine",
    "FullyConnected",
    "Scaling",
    "StandardizedNetwork",
    "activation",
    "chain_depth",
    "from_torch",
    "load",
    "load_model",
    "save",
    "standardization",
    "to_torch",
]
