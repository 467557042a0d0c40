"""Networks and torch modules as chains, layer by layer as they are: nothing is multiplied out."""

from __future__ import annotations

import torch
from torch import nn

from isthmus.errors import IncompressibleModelError, OptionError
from isthmus.networks.activations import ABSOLUTE, Activation
from isthmus.networks.chain import Chain, Layer
from isthmus.networks.conversion import AffineMap, named_parts
from isthmus.networks.network import FullyConnected
from isthmus.networks.scaling import StandardizedNetwork
from isthmus.networks.wrappers import in_single_precision, unwrapped


def chain_of(model: object) -> Chain:
    """The chain that a model is: one layer for each Linear and each BatchNorm, in the model's precision.

    Args:
        model: A network, a standardised network (in the units of its data, in float64), a chain, or a torch module of
            Linear, ReLU, LeakyReLU, Flatten, Identity, and Dropout and BatchNorm1d in eval mode.

    Raises:
        IncompressibleModelError: If it is no such chain; the message names what it holds instead.
        UnsupportedModuleError: If a part of a module has no exact form.
    """
    if isinstance(model, Chain):
        return model
    if isinstance(model, FullyConnected):
        return Chain.of(model)
    if isinstance(model, StandardizedNetwork):
        exact = StandardizedNetwork(model.network.to(dtype=torch.float64), model.inputs, model.outputs)
        return Chain.of(exact.folded())
    if isinstance(model, nn.Module):
        return _chain(in_single_precision(unwrapped(model))[0])
    raise IncompressibleModelError(type(model).__name__, "it is no network, and a function's values do not say how")


def chain_module(chain: Chain) -> nn.Sequential:
    """A `Sequential` of Linear and activation modules that computes the chain, in eval mode.

    Raises:
        OptionError: For the absolute value, which has no module in torch.
    """
    modules: list[nn.Module] = []
    for layer in chain.layers:
        built = nn.Linear(layer.weight.shape[1], layer.weight.shape[0], dtype=layer.weight.dtype)
        with torch.no_grad():
            built.weight.copy_(layer.weight)
            built.bias.copy_(layer.bias)
        modules.append(built)
        if layer.activation == ABSOLUTE:
            raise OptionError("out", "a file for torch", "an .onnx file: torch has no module for the absolute value")
        if not layer.activation.is_linear:
            slope = layer.activation.negative_slope
            modules.append(nn.ReLU() if slope == 0.0 else nn.LeakyReLU(slope))
    return nn.Sequential(*modules).eval()


def _chain(module: nn.Module) -> Chain:
    operators = getattr(module, "operators", None)
    if operators is not None:  # an ONNX graph that is no path of layers
        what = ", ".join(operators)
        raise IncompressibleModelError("The graph", f"it branches, or holds more than layers in one row ({what})")
    layers: list[Layer] = []
    for name, part in named_parts(module):
        if isinstance(part, AffineMap):
            layers.append(Layer(part.weight, part.bias, name=name))
        elif layers:
            last = layers[-1]
            layers[-1] = Layer(last.weight, last.bias, _after(part, last.activation), last.name)
        elif not part.is_linear:
            raise IncompressibleModelError(type(module).__name__, "an activation stands before the first Linear")
    if not layers:
        raise IncompressibleModelError(type(module).__name__, "it has no Linear layer")
    return Chain(tuple(layers))


def _after(second: Activation, first: Activation) -> Activation:
    """The second activation applied to the first's values, which is one activation again."""
    slope = first.negative_slope  # what a negative number is multiplied with; below zero it becomes positive
    return Activation(slope * second.negative_slope if slope > 0 else slope)
