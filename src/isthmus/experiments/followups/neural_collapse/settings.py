"""How large the classifiers are, and when they are looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L.
        seeds: Draw data and start.
        rows: Points a class, of four inverted S.
        width: Of the hidden layers.
        ridge: λ of (λ/L)‖w‖².
        steps: Of Adam.
        rate: Its step size; it falls to 0 along a cosine.
        moments: Of the training that are kept, at steps that grow geometrically.
    """

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    rows: int = 40
    width: int = 30
    ridge: float = 0.01
    steps: int = 10_000
    rate: float = 0.005
    moments: int = 25
