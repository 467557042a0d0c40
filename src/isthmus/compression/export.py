"""The two halves of a fitted function as one file for other runtimes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from isthmus.formats.chain_files import write_chain
from isthmus.networks import StandardizedNetwork
from isthmus.networks.chain import Chain, Layer, joined
from isthmus.networks.chain_conversion import chain_of

_POINTS = 256  # drawn with the mean and the scale of the columns
_CHANGE = 1e-5  # of the largest output, by which single precision may change the function


def export_halves(
    encoder: StandardizedNetwork | None,
    decoder: StandardizedNetwork | None,
    constant: Tensor,
    d_in: int,
    path: str | Path,
) -> Path:
    r"""Write $h \circ g$, in the units of the data, to a new `.onnx`, `.safetensors` or `.pt2` file.

    In single precision, or in double precision where single precision would change outputs by more than 10⁻⁵ of the
    largest one: of columns that are large beside their scale it does not hold the digits.

    Args:
        encoder: g; None at rank 0.
        decoder: h; None at rank 0.
        constant: What is given at rank 0, `(d_out,)`.
        d_in: Number of inputs.
        path: A new file.

    Raises:
        OptionError, TargetExistsError, MissingExtraError: As `write_chain`.
    """
    if encoder is None or decoder is None:
        zeros = torch.zeros(len(constant), d_in)
        return write_chain(Chain((Layer(zeros, constant.float()),)), path)
    chain = joined((chain_of(encoder), chain_of(decoder)))
    points = torch.randn(_POINTS, d_in, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = encoder.inputs.backward(points)
    wanted = chain(x)
    single = chain.to(torch.float32)
    change = float((single(x).double() - wanted).abs().max() / wanted.abs().max())
    return write_chain(single if change <= _CHANGE else chain, path)
