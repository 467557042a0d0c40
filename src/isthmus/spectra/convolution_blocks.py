r"""Circular convolutions of a torch module in the Fourier basis, where they are blocks of channels.

In unitary Fourier coordinates a circular convolution multiplies the channels at frequency ω by the matrix
$\hat W(\omega) = \sum_t w_t e^{-i \omega t}$. A stride of s adds up the s² frequencies that it cannot tell apart, over
s; nearest up-sampling by s hands a frequency on to s² of them, times its filter over s. So every layer is block
diagonal, a block for each frequency of the coarser of its two grids, and its singular values are those of the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isthmus.errors import MixedFrequenciesError, ShapeError
from isthmus.foundation.rows import Rows
from isthmus.networks.wrappers import unwrapped

Grid = tuple[int, int]


@dataclass(frozen=True, eq=False)
class CircularLayer:
    """An up-sampling or none, a circular convolution, a stride or none, and whether a ReLU follows.

    Attributes:
        name: What the module calls the convolution.
        convolution: The module.
        up: Factor of the up-sampling before it.
        is_bent: Whether a ReLU follows.
    """

    name: str
    convolution: nn.Conv2d
    up: int
    is_bent: bool

    @property
    def stride(self) -> int:
        """s."""
        return int(self.convolution.stride[0])

    def output_grid(self, grid: Grid) -> Grid:
        """Height and width behind it.

        Raises:
            ShapeError: If the stride does not divide them, as frequencies would not fall onto frequencies; or the
                kernel goes round them more than once.
        """
        high = (grid[0] * self.up, grid[1] * self.up)
        if high[0] % self.stride or high[1] % self.stride:
            raise ShapeError(
                f"{self.name} has stride {self.stride} on a grid of {high[0]} × {high[1]}, which it does not divide. "
                "Pad or crop the images so that it does."
            )
        if any(size // 2 > side for size, side in zip(self.convolution.kernel_size, high, strict=True)):
            raise ShapeError(
                f"{self.name} has a kernel of {self.convolution.kernel_size}, which goes round a grid of {high[0]} × "
                f"{high[1]} more than once. Pass larger images."
            )
        return high[0] // self.stride, high[1] // self.stride

    def blocks(self, grid: Grid) -> Tensor:
        """For each frequency of the coarser grid the block, `(height, width, rows, columns)` complex, float64.

        One of up-sampling and stride is 1. With a stride the columns are the channels at each of the s² frequencies,
        with up-sampling the rows.
        """
        high = (grid[0] * self.up, grid[1] * self.up)
        w = self.convolution.weight.detach().double().cpu()
        reach = (w.shape[2] // 2, w.shape[3] // 2)
        # Torch correlates: offset t of the kernel reads the pixel at +t, which is the inverse of a convolution's.
        offsets = [torch.arange(-r, size - r, dtype=torch.float64) for r, size in zip(reach, w.shape[2:], strict=True)]
        waves = [
            torch.exp(2j * torch.pi * torch.outer(torch.arange(n, dtype=torch.float64), offset) / n)
            for n, offset in zip(high, offsets, strict=True)
        ]
        symbol = torch.einsum("hs,wt,oist->hwoi", waves[0], waves[1], w.to(torch.complex128))
        if self.up > 1:
            return self._with_upsampling(symbol, grid)
        return self._with_stride(symbol) if self.stride > 1 else symbol

    def _with_stride(self, symbol: Tensor) -> Tensor:
        s, (height, width, rows, columns) = self.stride, symbol.shape
        parts = symbol.view(s, height // s, s, width // s, rows, columns).permute(1, 3, 4, 0, 2, 5)
        return parts.reshape(height // s, width // s, rows, s * s * columns) / s

    def _with_upsampling(self, symbol: Tensor, grid: Grid) -> Tensor:
        s, (height, width, rows, columns) = self.up, symbol.shape
        filters = [
            torch.exp(-2j * torch.pi * torch.outer(torch.arange(n, dtype=torch.float64), torch.arange(s)) / n).sum(1)
            for n in (height, width)
        ]
        filtered = symbol * (filters[0][:, None] * filters[1])[:, :, None, None]
        parts = filtered.view(s, grid[0], s, grid[1], rows, columns).permute(1, 3, 0, 2, 4, 5)
        return parts.reshape(grid[0], grid[1], s * s * rows, columns) / s


def circular_layers(module: nn.Module) -> list[CircularLayer]:
    """The layers of a chain of circular convolutions, ReLUs and nearest up-samplings.

    Raises:
        MixedFrequenciesError: If a part is none of these, or pads otherwise: no Fourier basis makes blocks of it then.
    """
    found: list[CircularLayer] = []
    up = 1
    for name, leaf in _leaves(unwrapped(module), ""):
        match leaf:
            case nn.Conv2d():
                _check(name, leaf, up)
                found.append(CircularLayer(name, leaf, up, False))
                up = 1
            case nn.ReLU() if found and up == 1:
                last = found[-1]
                found[-1] = CircularLayer(last.name, last.convolution, last.up, True)
            case nn.Upsample() if leaf.mode == "nearest" and leaf.scale_factor in (2, 2.0, 3, 3.0, 4, 4.0) and up == 1:
                up = int(leaf.scale_factor)
            case nn.Identity():
                pass
            case _:
                raise MixedFrequenciesError(name, _EXPECTED)
    if not found or up > 1:
        raise MixedFrequenciesError(type(module).__name__, _EXPECTED)
    return found


def images_for(layers: Sequence[CircularLayer], x: object) -> Tensor:
    """The images `(n, channels, height, width)` in x.

    Raises:
        ShapeError: If x holds none of the channels that the first layer takes, or a stride or a kernel does not fit.
        DtypeError, NonFiniteError: If x does not hold finite real numbers.
    """
    rows, channels = Rows(x), layers[0].convolution.in_channels
    if len(rows.shape) != 4 or rows.shape[1] != channels:
        raise ShapeError(f"x has shape {rows.shape}; expected images (n, {channels}, height, width).")
    grid: Grid = (rows.shape[2], rows.shape[3])
    for layer in layers:
        grid = layer.output_grid(grid)
    return rows.chunk(0, len(rows))


_EXPECTED = "what does is a Sequential of Conv2d with circular padding, ReLU behind one, and nearest Upsample"


def _check(name: str, leaf: nn.Conv2d, up: int) -> None:
    sizes = leaf.kernel_size
    same = tuple((size - 1) // 2 for size in sizes)
    is_padded = leaf.padding in (same, "same") and (sizes == (1, 1) or leaf.padding_mode == "circular")
    if not is_padded or any(size % 2 == 0 for size in sizes):
        raise MixedFrequenciesError(name, "its padding is not circular, by half an odd kernel, so it mixes frequencies")
    if (
        leaf.groups != 1
        or leaf.dilation != (1, 1)
        or leaf.stride[0] != leaf.stride[1]
        or (up > 1 and leaf.stride[0] > 1)
    ):
        raise MixedFrequenciesError(
            name, "it has groups, a dilation, strides that differ, or a stride behind up-sampling"
        )


def _leaves(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    if type(module) is nn.Sequential:
        for child, part in module._modules.items():  # named_children lists an object once, where it is first used
            assert part is not None
            yield from _leaves(part, f"{name}.{child}".lstrip("."))
    elif type(module).__module__.startswith("torch.nn") and not module._forward_hooks and not module._forward_pre_hooks:
        yield f"{type(module).__name__} ({name or 'root'})", module
    else:
        raise MixedFrequenciesError(f"{type(module).__name__} ({name or 'root'})", _EXPECTED)
