"""A stage and what reads its channels: a matrix with a column for each, however many places are read."""

from __future__ import annotations

from dataclasses import replace

import torch

from isthmus.formats.onnx_stretches import Stage
from isthmus.networks.chain import Layer


def by_channel(stage: Stage, reader: Stage) -> Layer:
    r"""The reader's weight as `(m · K, n)`: rows are pairs of an output and one of the K places that it reads."""
    n, weight = len(stage.layer.bias), reader.layer.weight
    places = weight.shape[1] // n
    rows = weight.reshape(len(weight), n, places).transpose(1, 2).reshape(-1, n)
    return Layer(rows, rows.new_zeros(len(rows)), name=reader.layer.name)


def read_again(reader: Stage, view: Layer) -> Stage:
    """The reader from such a view of it; what the view adds at each place is added up in its bias."""
    outputs, (rows, n) = len(reader.layer.bias), view.weight.shape
    weight = view.weight.reshape(outputs, rows // outputs, n).transpose(1, 2).reshape(outputs, -1)
    bias = reader.layer.bias + view.bias.reshape(outputs, -1).sum(1)
    return replace(reader, layer=replace(reader.layer, weight=weight, bias=bias))


def takes_constants(stage: Stage, reader: Stage, size: tuple[int, ...]) -> bool:
    """Whether a channel that is constant reaches every place that the reader reads as that constant.

    Zeros that a convolution reads around an image, or that pooling averages with, are no such places.

    Args:
        stage: What gives the channel.
        reader: What reads it.
        size: Height and width of what the stage gives; empty of rows.
    """
    if reader.window is not None and reader.window.is_padded:
        return False
    if not size:
        return True
    ones = stage.linked(torch.ones(1, len(stage.layer.bias), *size, dtype=torch.float64))
    return bool((ones == 1.0).all())
