"""How deep the convolutional autoencoders are, and how strongly their weights decay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L, ascending; two layers halve the images' sides at the beginning, two double them at the end.
        weight_decays: Factors of ‖w‖², ascending.
        seeds: Draw the start.
        rows: Images of the digit 0, padded to 32 × 32 and averaged to 16 × 16.
        channels: Of the hidden layers.
        kernel: Side of the kernels.
        steps: Of Adam; a quarter as many evaluations of L-BFGS follow.
    """

    depths: tuple[int, ...]
    weight_decays: tuple[float, ...]
    seeds: tuple[int, ...]
    rows: int = 150
    channels: int = 12
    kernel: int = 3
    steps: int = 800
