"""Which channels of a run of convolutions keep one sign at every place and every input of the domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.compression.backward_bounds import Interval
from isthmus.compression.graphs.bounds import given_by, pre_activations
from isthmus.compression.signs import EVERYWHERE, INTERVALS, ROWS, LayerSigns, settled
from isthmus.formats.onnx_stretches import Stage


@dataclass(frozen=True, eq=False)
class Reading:
    """What a stretch reads on the domain.

    Attributes:
        rows: The tensor that it reads at the given rows.
        seen: Least and largest pre-activation of each channel of each stage at the rows.
        sizes: Height and width of what each stage gives; empty of rows.
        bounds: Of each channel or column of that tensor over the box; None where nothing bounds them.
        is_box: Whether f must be kept on a box, rather than at the rows.
    """

    rows: Tensor
    seen: tuple[Interval, ...]
    sizes: tuple[tuple[int, ...], ...]
    bounds: Interval | None
    is_box: bool


def channel_signs(stages: Sequence[Stage], reading: Reading, unit: float) -> list[LayerSigns]:
    """The signs of the pre-activations of every stage, by intervals, or as they are seen on the rows.

    Args:
        stages: The stages; all but the last are convolutions.
        reading: What the first one reads.
        unit: Share of a stage's largest pre-activation that is rounding, of rows.
    """
    width = stages[0].layer.weight.shape[1]
    if stages[0].window is not None:
        width //= stages[0].window.kernel[0] * stages[0].window.kernel[1]
    free = Interval(*(torch.full((width,), side).double() for side in (-torch.inf, torch.inf)))
    known = reading.bounds
    found: list[LayerSigns] = []
    for stage, seen in zip(stages, reading.seen, strict=False):
        z = pre_activations(stage, free)
        signs = LayerSigns.of(z, (seen.lower < 0) & (seen.upper > 0))
        signs.prove(z, EVERYWHERE)
        if known is not None:
            signs.prove(pre_activations(stage, known), INTERVALS)
        if not reading.is_box:
            signs.prove(settled(seen, unit), ROWS)
        free = given_by(stage, z)
        known = None if known is None else given_by(stage, signs.bounds)
        found.append(signs)
    return found
