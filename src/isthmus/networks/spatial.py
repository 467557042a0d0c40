"""Convolutions, average pooling and the like as the matrices they are: affine maps of flattened inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from isthmus.errors import ShapeError, UnsupportedModuleError
from isthmus.networks.evaluation import evaluating

SPATIAL = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AvgPool3d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.ZeroPad1d,
    nn.ZeroPad2d,
    nn.ZeroPad3d,
)
NORMS = (nn.BatchNorm2d, nn.BatchNorm3d)
_FORWARDS = frozenset(kind.forward for kind in SPATIAL)
_ROWS = 256  # basis vectors sent through at a time


def is_spatial(leaf: nn.Module) -> bool:
    """Whether `leaf` is an affine map of channels and positions, and computes what its class says."""
    return isinstance(leaf, SPATIAL) and type(leaf).forward in _FORWARDS


def output_shape(name: str, leaf: nn.Module, shape: tuple[int, ...], dtype: torch.dtype) -> tuple[int, ...]:
    """Shape of one output of a spatial module for one input of `shape`.

    Raises:
        ShapeError: If the module does not take such inputs.
    """
    device = next((p.device for p in leaf.parameters()), torch.device("cpu"))
    try:
        with evaluating(leaf), torch.no_grad():
            return tuple(leaf(torch.zeros(1, *shape, dtype=dtype, device=device)).shape[1:])
    except (RuntimeError, ValueError) as refused:
        cause = str(refused).splitlines()[0].rstrip(".")
        raise ShapeError(
            f"{name} does not take inputs of shape {shape}: {cause}. Pass x as (n, channels, height, width)."
        ) from refused


def dense(name: str, leaf: nn.Module, shape: tuple[int, ...], dtype: torch.dtype, most: int) -> tuple[Tensor, Tensor]:
    """The matrix `(outputs, inputs)` and the bias `(outputs,)` of a spatial module on inputs of `shape`, flattened.

    Computed in float64 by sending the basis through, so that nothing of the module's arithmetic is repeated here.

    Raises:
        UnsupportedModuleError: If the matrix takes more than `most` bytes.
        ShapeError: If the module does not take such inputs.
    """
    d_in = torch.Size(shape).numel()
    d_out = torch.Size(output_shape(name, leaf, shape, dtype)).numel()
    size = torch.finfo(dtype).bits // 8
    if d_in * d_out * size > most:
        raise UnsupportedModuleError(
            name, f"as a matrix it is {d_out} × {d_in}, {d_in * d_out * size / 1e6:.0f} MB of {most / 1e6:.0f} allowed"
        )
    state = {key: t.detach().double() if t.is_floating_point() else t for key, t in leaf.state_dict().items()}
    device = next(iter(state.values())).device if state else torch.device("cpu")
    weight = torch.empty(d_out, d_in, dtype=dtype, device=device)
    with evaluating(leaf), torch.no_grad():
        bias = functional_call(leaf, state, (torch.zeros(1, *shape, dtype=torch.float64, device=device),)).flatten()
        for begin in range(0, d_in, _ROWS):
            columns = torch.arange(begin, min(begin + _ROWS, d_in), device=device)
            basis = torch.zeros(len(columns), d_in, dtype=torch.float64, device=device)
            basis[torch.arange(len(columns), device=device), columns] = 1.0
            image = functional_call(leaf, state, (basis.view(-1, *shape),)).flatten(1)
            weight[:, columns] = (image - bias).T.to(dtype)
    return weight, bias.to(dtype)
