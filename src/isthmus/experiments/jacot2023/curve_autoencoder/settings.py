"""How large the autoencoders of the curve are, how many, and how they are found."""

from __future__ import annotations

from dataclasses import dataclass

RANDOM, LOWEST = "random start", "lowest found"


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L, ascending; the first is the shallow network of the claims, the last the deep one.
        seeds: Draw the starts and the random points.
        rows: Training points, at equal steps of t.
        width: Of every hidden layer at the start.
        weight_decay: Factor of ‖w‖² = λ/L.
        points: Random points whose distance is measured.
        drawn: How many of them are kept to be drawn, for the first seed.
        margin: Of the box of the random points around the data, relative to its sides.
    """

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    rows: int = 200
    width: int = 60
    weight_decay: float = 1e-4
    points: int = 2000
    drawn: int = 100
    margin: float = 0.25
