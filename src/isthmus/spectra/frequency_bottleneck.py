r"""The convolutional bottleneck rank of a CNN: how many pairs of a channel and a frequency pass each layer.

$\operatorname{Rank}_{CBN}(f) = \min k$ such that f = h ∘ g with translation-equivariant g, h and a signal between them
of k pairs of channel direction and frequency: $k = \sum_\omega r(\omega)$. Here it is bounded from above by the layer
whose activations, over the rows and their translates, have fewest pairs above a tolerance. Only the mean of a channel
is left out, as a bias can restore it: a wave that is the same in all rows has to pass, since no equivariant h makes it
of nothing. Its cost: with $C_\ell$ the matrix of a layer,
Proposition 3 says $\sum_\ell \|C_\ell\|_F^2 \ge L \sum_i s_i(Jf)^{2/L}$, about L × rank, and $\|C_\ell\|_F^2$ is the
number of positions behind the layer times the squared norm of its kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks.evaluation import evaluating
from isthmus.spectra.convolution_blocks import CircularLayer, Grid, circular_layers, images_for


@dataclass(frozen=True, eq=False)
class ConvolutionSpectrum:
    r"""What one convolution passes at each frequency.

    Attributes:
        layer: ℓ, from 1 to L.
        name: What the module calls it.
        grid: Height and width behind it.
        weight_sizes: Singular values of each block of its matrix, descending, `(height', width', r)`, on the coarser
            of the grids before and behind it.
        signal_sizes: Standard deviations of the signal behind it (and behind its ReLU), over rows and translates, along
            its principal channel directions at each frequency, descending, `(height, width, channels)`; their squares
            add up to its variance about the mean of each channel.
        matrix_norm: $\|C_\ell\|_F^2$ of the matrix, an up-sampling before it included; without one, and with a kernel
            no larger than the grid, the number of positions behind it times the squared norm of the kernel. No bias.
    """

    layer: int
    name: str
    grid: Grid
    weight_sizes: Tensor
    signal_sizes: Tensor
    matrix_norm: float

    def pairs(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Tensor:
        """r(ω): how many channel directions of the signal are above the tolerance, relative to the largest of all ω."""
        return _above(self.signal_sizes, tolerance)

    def weight_pairs(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Tensor:
        """The same of the weight's blocks."""
        return _above(self.weight_sizes, tolerance)

    def rank(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> int:
        r"""$\sum_\omega r(\omega)$: the dimension of the signal at the tolerance, frequency by frequency."""
        return int(self.pairs(tolerance).sum())

    def by_degree(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> dict[int, int]:
        """Pairs of a channel direction and a wave, by the degree |u| + |v| of the wave; ω and −ω are one wave."""
        return _by_degree(self.pairs(tolerance))

    def weights_by_degree(self, tolerance: Tolerance = DEFAULT_TOLERANCE) -> dict[int, int]:
        """The same of the weight's blocks."""
        return _by_degree(self.weight_pairs(tolerance))


@dataclass(frozen=True, eq=False)
class ConvolutionalBottleneck:
    r"""The convolutions of a CNN, and the one with fewest pairs behind it.

    Attributes:
        layers: ℓ = 1, …, L.
        tolerance: What counts as zero.
    """

    layers: tuple[ConvolutionSpectrum, ...]
    tolerance: Tolerance

    @property
    def narrowest(self) -> ConvolutionSpectrum:
        """The first of the layers with the smallest rank; the last one's signal are the outputs, and counts as well."""
        return min(self.layers, key=lambda layer: layer.rank(self.tolerance))

    @property
    def rank(self) -> int:
        """An upper bound of the CBN rank at the tolerance, on the data: the rank behind the narrowest layer."""
        return self.narrowest.rank(self.tolerance)

    @property
    def by_degree(self) -> Mapping[int, int]:
        """The pairs there by the degree of their wave."""
        return self.narrowest.by_degree(self.tolerance)

    @property
    def norm_per_depth(self) -> float:
        r"""$\frac1L \sum_\ell \|C_\ell\|_F^2$, at least $\sum_i s_i(Jf)^{2/L}$."""
        return sum(layer.matrix_norm for layer in self.layers) / len(self.layers)


def convolutional_bottleneck(
    module: nn.Module, x: object, *, tolerance: Tolerance = DEFAULT_TOLERANCE
) -> ConvolutionalBottleneck:
    """Measure which channels and frequencies pass each layer of a CNN of circular convolutions.

    Args:
        module: A Sequential of Conv2d with circular padding, ReLU and nearest Upsample; strides down-sample.
        x: Images `(n, channels, height, width)`.
        tolerance: What counts as zero, relative to the largest of a layer.

    Raises:
        MixedFrequenciesError: If a part is another, or its padding is not circular.
        ShapeError: If x does not hold images of the module's channels, or a stride or a kernel does not fit the grid.
        DtypeError, NonFiniteError: If x does not hold finite real numbers.

    Source:
        Wen and Jacot (2024), arXiv 2402.08010: the abstract. The form of the rank is ours, not checked against theirs.
    """
    layers = circular_layers(module)
    images = images_for(layers, x)
    grid: Grid = (images.shape[2], images.shape[3])
    found = []
    with evaluating(module), torch.no_grad():
        signal = images.to(layers[0].convolution.weight)
        for number, layer in enumerate(layers, start=1):
            after = layer.output_grid(grid)
            signal = _through(layer, signal)
            blocks = layer.blocks(grid)
            found.append(
                ConvolutionSpectrum(
                    layer=number,
                    name=layer.name,
                    grid=after,
                    weight_sizes=torch.linalg.svdvals(blocks),
                    signal_sizes=_deviations(signal),
                    matrix_norm=float(blocks.abs().square().sum()),
                )
            )
            grid = after
    return ConvolutionalBottleneck(tuple(found), tolerance)


def _through(layer: CircularLayer, signal: Tensor) -> Tensor:
    if layer.up > 1:
        signal = torch.nn.functional.interpolate(signal, scale_factor=float(layer.up), mode="nearest")
    signal = layer.convolution(signal)
    return signal.relu() if layer.is_bent else signal


def _deviations(signal: Tensor) -> Tensor:
    """Of the unitary Fourier coefficients, each channel centred: roots of the eigenvalues at each frequency."""
    waves = torch.fft.fft2(signal.double() - signal.double().mean((0, 2, 3), keepdim=True), norm="ortho")
    gram = torch.einsum("nihw,njhw->hwij", waves, waves.conj()) / len(signal)
    deviations: Tensor = torch.linalg.eigvalsh(gram).flip(-1).clamp_min(0.0).sqrt()
    return deviations


def _by_degree(pairs: Tensor) -> dict[int, int]:
    counts: dict[int, int] = {}
    height, width = pairs.shape
    for u, v in pairs.nonzero().tolist():
        if (u, v) <= (-u % height, -v % width):
            degree = min(u, height - u) + min(v, width - v)
            counts[degree] = counts.get(degree, 0) + int(pairs[u, v])
    return dict(sorted(counts.items()))


def _above(sizes: Tensor, tolerance: Tolerance) -> Tensor:
    return (sizes > tolerance.relative * sizes.max()).sum(-1)
