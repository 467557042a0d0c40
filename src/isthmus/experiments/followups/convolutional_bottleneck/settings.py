"""How deep the convolutional autoencoders are, and how strongly their weights decay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L, ascending; two layers halve the images' sides at the beginning, two double them at the end. The
            first is trained from a random start, each further one from the one before, by identity convolutions.
        weight_decays: Factors of ‖w‖², ascending.
        seeds: Draw the start.
        rows: Images of the digit 0, without their margin of 2 pixels and averaged to 12 × 12.
        channels: Of the hidden layers.
        kernel: Side of the kernels: in the middle, where images are 3 × 3, one of 3 can keep any set of frequencies.
        steps: Of Adam from the random start; as many evaluations of L-BFGS follow.
        grown: Evaluations of L-BFGS after each growth.
    """

    depths: tuple[int, ...]
    weight_decays: tuple[float, ...]
    seeds: tuple[int, ...]
    rows: int = 150
    channels: int = 12
    kernel: int = 3
    steps: int = 1000
    grown: int = 500
