"""More convolutions where fewest pairs of a channel and a frequency pass: the upper bound of Theorem 1 for CNNs."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from isthmus.errors import NotRepresentableError, OptionError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks.wrappers import unwrapped
from isthmus.spectra.convolution_blocks import circular_layers, images_for

_ROUNDING = Tolerance(1e-6)  # a float32 signal has nothing below it


def insert_identity_convolutions(
    module: nn.Module, x: object, depth: int, *, tolerance: Tolerance = _ROUNDING
) -> nn.Sequential:
    r"""f with identity convolutions behind one ReLU, each as cheap as the signal there has few pairs.

    At each frequency $P(\omega)$ is the orthogonal projection on the span of the channels $\hat a_\ell(\omega)$ of the
    rows, not centred. All of them together are a circular convolution with a kernel as large as the grid (on an even
    side one larger, with a margin of zeros). On the rows and their translates $P a_\ell = a_\ell \ge 0$ passes the
    ReLU, so f is unchanged there, and each layer adds $\|C\|_F^2 = \sum_\omega \operatorname{rank} P(\omega)$, the
    dimension of the signal. The layer behind is left as it is.

    Args:
        module: A chain as `spectra.convolutional_bottleneck` takes, with a ReLU in it; it is copied.
        x: Images `(n, channels, height, width)` at which f is kept.
        depth: The number of convolutions wanted, at least that of the module.
        tolerance: Which singular values of the signal count as zero, relative to the largest of all frequencies. A
            larger one truncates: f moves by what is dropped, and by entries that turn negative.

    Returns:
        The deeper chain; new layers stand behind the ReLU with fewest pairs, of equal ones the most central.

    Raises:
        OptionError: If the depth is smaller than the module's.
        NotRepresentableError: If no ReLU is there to stand behind.
        MixedFrequenciesError: If the module is no chain of circular convolutions.
        ShapeError: If x does not hold images that fit the module.
        DtypeError, NonFiniteError: If x does not hold finite real numbers.

    Source:
        Jacot (2023), proof of Theorem 1, frequency by frequency.
    """
    layers = circular_layers(module)
    known = len(layers)
    if depth < known:
        raise OptionError("depth", depth, f"at least the {known} convolutions of the module")
    parts = list(_parts(copy.deepcopy(unwrapped(module))))
    signal = images_for(layers, x).to(layers[0].convolution.weight)
    places = []
    with torch.no_grad():
        for index, part in enumerate(parts, start=1):
            signal = part(signal)
            if isinstance(part, nn.ReLU):
                projection = _projections(signal, tolerance)
                pairs = round(float(projection.diagonal(dim1=2, dim2=3).real.sum()))
                places.append((pairs, abs(2 * index - len(parts)), index, projection))
    if not places:
        raise NotRepresentableError(
            "An identity convolution", "relu", "no ReLU is there to stand behind", "Put one behind a convolution."
        )
    _, _, at, projection = min(places, key=lambda place: place[:3])
    inserted = [each for _ in range(depth - known) for each in (_convolution(projection, signal), nn.ReLU())]
    return nn.Sequential(*parts[:at], *inserted, *parts[at:])


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    if isinstance(module, nn.Sequential):
        for part in module:
            yield from _parts(part)
    else:
        yield module


def _projections(signal: Tensor, tolerance: Tolerance) -> Tensor:
    """P(ω), `(height, width, channels, channels)`, complex128."""
    waves = torch.fft.fft2(signal.double())
    values, vectors = torch.linalg.eigh(torch.einsum("nihw,njhw->hwij", waves, waves.conj()))
    kept = vectors * (values > tolerance.relative**2 * values.max())[:, :, None, :]
    projections: Tensor = kept @ kept.mH
    return projections


def _convolution(projection: Tensor, like: Tensor) -> nn.Conv2d:
    """The circular convolution with these blocks, without a bias."""
    height, width, channels, _ = projection.shape
    sides = (height | 1, width | 1)
    reach = (sides[0] // 2, sides[1] // 2)
    made = nn.Conv2d(channels, channels, sides, padding=reach, padding_mode="circular").to(like)
    # Torch correlates: the weight at offset t reads the pixel at +t, so that the block is Σ w_t exp(iωt).
    kernel = torch.fft.fft2(projection, dim=(0, 1)).real.permute(2, 3, 0, 1) / (height * width)
    with torch.no_grad():
        made.weight.zero_()
        made.weight[:, :, :height, :width] = kernel.roll(reach, (2, 3)).to(like)
        made.bias.zero_()  # type: ignore[union-attr]
    return made
