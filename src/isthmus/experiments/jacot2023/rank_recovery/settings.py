"""How large the networks of the rank recovery are, and how many."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        rank: k of the slides' experiment.
        depth: L of the slides' experiment.
        ranks: All k at that depth.
        depths: All L at that k; 1 is ridge regression.
        seeds: At that depth, for every k, and for L = 1.
        few: Seeds at the other depths; for these rank 1 is built as well, at that depth and beyond.
        rows: N.
        side: Inputs and outputs.
        width: Of hidden layers.
        ridge: λ; the slides write λ/L = 0.05/L.
        steps: Of the descent.
        rounds: Of L-BFGS after it, at most.
    """

    rank: int
    depth: int
    ranks: tuple[int, ...]
    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    few: tuple[int, ...]
    rows: int
    side: int
    width: int
    ridge: float = 0.05
    steps: int = 500
    rounds: int = 4
