"""Affine maps as networks of depth 1, and folded into the first or the last layer of another network."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from isthmus.errors import IncompatibleNetworksError, ShapeError
from isthmus.networks.activations import RELU, Activation
from isthmus.networks.network import FullyConnected


def affine(matrix: Tensor, shift: Tensor | None = None, activation: Activation = RELU) -> FullyConnected:
    r"""$x \mapsto Mx + c$ as a network of depth 1.

    Args:
        matrix: M, `(d_out, d_in)`, float32 or float64.
        shift: c, `(d_out,)`; zero if None.
        activation: Of the network; at depth 1 it has nothing to act on.

    Raises:
        ShapeError, DtypeError, NonFiniteError: If M and c are not a finite matrix and vector that fit together.
    """
    if shift is None:
        shift = matrix.new_zeros(matrix.shape[:1])
    return FullyConnected((matrix,), (shift,), activation)


def before_affine(network: FullyConnected, matrix: Tensor, shift: Tensor | None = None) -> FullyConnected:
    r"""$x \mapsto f(Mx + c)$: the affine map is folded into the first layer.

    Args:
        network: f.
        matrix: M, `(d_in of f, d)`, of the dtype and device of f.
        shift: c, `(d_in of f,)`; zero if None.

    Raises:
        ShapeError: If M or c does not fit f.
        IncompatibleNetworksError: If dtypes or devices differ.
    """
    shift = _checked(network, matrix, shift, rows=network.d_in)
    w, b = network.weights[0], network.biases[0]
    return replace(
        network, weights=(w @ matrix, *network.weights[1:]), biases=(torch.addmv(b, w, shift), *network.biases[1:])
    )


def after_affine(network: FullyConnected, matrix: Tensor, shift: Tensor | None = None) -> FullyConnected:
    r"""$x \mapsto M f(x) + c$: the affine map is folded into the last layer.

    Args:
        network: f.
        matrix: M, `(d, d_out of f)`, of the dtype and device of f.
        shift: c, `(d,)`; zero if None.

    Raises:
        ShapeError: If M or c does not fit f.
        IncompatibleNetworksError: If dtypes or devices differ.
    """
    shift = _checked(network, matrix, shift, columns=network.d_out)
    w, b = network.weights[-1], network.biases[-1]
    return replace(
        network,
        weights=(*network.weights[:-1], matrix @ w),
        biases=(*network.biases[:-1], torch.addmv(shift, matrix, b)),
    )


def scaled(network: FullyConnected, factor: float) -> FullyConnected:
    r"""$x \mapsto c\,f(x)$ for a number c."""
    return replace(
        network,
        weights=(*network.weights[:-1], factor * network.weights[-1]),
        biases=(*network.biases[:-1], factor * network.biases[-1]),
    )


def restricted_to_plane(network: FullyConnected, origin: Tensor, directions: Tensor) -> FullyConnected:
    r"""f on an affine plane, in the coordinates of the plane: $t \mapsto f(o + \sum_i t_i v_i)$.

    Args:
        network: f.
        origin: o, `(d_in of f,)`, of the dtype and device of f.
        directions: $v_1, …, v_k$ as rows, `(k, d_in of f)`. Dependent directions are allowed: t then names some points
            more than once.

    Returns:
        A network with k inputs and the depth of f.

    Raises:
        ShapeError: If the origin or the directions do not fit f.
        IncompatibleNetworksError: If dtypes or devices differ.
    """
    if directions.ndim != 2 or directions.shape[1] != network.d_in:
        raise ShapeError(
            f"directions has shape {tuple(directions.shape)} but the network takes {network.d_in} inputs: "
            f"give one direction a row, (k, {network.d_in})."
        )
    return before_affine(network, directions.T, origin)


def _checked(
    network: FullyConnected,
    matrix: Tensor,
    shift: Tensor | None,
    *,
    rows: int | None = None,
    columns: int | None = None,
) -> Tensor:
    if (
        matrix.ndim != 2
        or matrix.shape[0] != (rows or matrix.shape[0])
        or matrix.shape[1] != (columns or matrix.shape[1])
    ):
        raise ShapeError(
            f"The matrix has shape {tuple(matrix.shape)} but ({rows or 'any'}, {columns or 'any'}) is needed next to a "
            f"network with {network.d_in} inputs and {network.d_out} outputs."
        )
    if shift is None:
        shift = matrix.new_zeros(matrix.shape[0])
    if shift.shape != matrix.shape[:1]:
        raise ShapeError(f"The shift has shape {tuple(shift.shape)}; the matrix has {matrix.shape[0]} rows.")
    for tensor in (matrix, shift):
        if tensor.dtype != network.dtype:
            remedy = "Convert the network or the map with `.to(dtype=…)`."
            raise IncompatibleNetworksError("dtype", network.dtype, tensor.dtype, remedy)
        if tensor.device != network.device:
            remedy = "Move the network or the map with `.to(device=…)`."
            raise IncompatibleNetworksError("device", network.device, tensor.device, remedy)
    return shift
