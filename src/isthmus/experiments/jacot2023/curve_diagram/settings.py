"""Over what the diagram of the curve's autoencoders runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Axes and sizes.

    Attributes:
        depths: L, ascending.
        weight_decays: Factors of ‖w‖², ascending.
        seeds: Draw the starts and the random points.
        rows: Training points.
        width: Of every hidden layer at the start.
        points: Random points whose distance is measured.
        shallow: Depths up to this one are shallow.
        deep: Depths from this one on are deep.
    """

    depths: tuple[int, ...]
    weight_decays: tuple[float, ...]
    seeds: tuple[int, ...]
    rows: int = 100
    width: int = 30
    points: int = 1000
    shallow: int = 3
    deep: int = 12
