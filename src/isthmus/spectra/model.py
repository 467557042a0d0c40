"""What may be handed to a measurement: our networks, and torch modules that convert exactly."""

from __future__ import annotations

from torch import Tensor, nn

from isthmus.errors import UnsupportedModuleError
from isthmus.formats.reference import agreement
from isthmus.foundation.arrays import as_matrix, check_columns
from isthmus.foundation.rows import Rows
from isthmus.networks import FullyConnected, StandardizedNetwork, from_torch
from isthmus.networks.wrappers import in_single_precision, unwrapped

Model = FullyConnected | StandardizedNetwork | nn.Module


def as_network(model: Model, x: object) -> tuple[FullyConnected, Tensor]:
    """The network inside `model` and `x` in the units, dtype and device of that network.

    Rows of more dimensions, which a module that convolves needs, are flattened as its network takes them.

    Raises:
        UnsupportedModuleError: If the model is not a network or does not convert exactly.
        DisagreementError: If it was loaded from a file and computes something else than the file's own runtime.
        ShapeError, DtypeError, NonFiniteError: If `x` does not hold finite rows that the model takes.
    """
    if isinstance(model, nn.Module):
        return _converted(model, Rows(x))
    inputs = as_matrix(x)
    if isinstance(model, StandardizedNetwork):
        check_columns(inputs, model.network.d_in)
        network = model.network
        inputs = model.inputs.forward(inputs.double())
    elif isinstance(model, FullyConnected):
        network = model
    else:
        raise UnsupportedModuleError(
            type(model).__name__, "it is not a network; measure and jacobian_rank take any callable"
        )
    return network, _fitting(inputs, network)


def _converted(model: nn.Module, rows: Rows) -> tuple[FullyConnected, Tensor]:
    shape = rows.row_shape if len(rows.row_shape) > 1 else None
    network = from_torch(in_single_precision(unwrapped(model))[0], shape)
    agreement(model, rows)
    return network, _fitting(rows.matrix(), network)


def _fitting(inputs: Tensor, network: FullyConnected) -> Tensor:
    check_columns(inputs, network.d_in)
    return inputs.to(dtype=network.dtype, device=network.device)
