"""How large the classifiers are, how they end, and when they are looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L, of all matrices.
        linear_layers: How many matrices the networks end in without an activation between them, ascending, where
            that is less than L; 1 is a plain network.
        losses: "squared" distance to one-hot rows, as the source has it, or "cross-entropy".
        seeds: Draw data and start.
        rows: Points a class, of four inverted S.
        width: Of the hidden layers.
        ridge: λ of (λ/L)‖w‖².
        steps: Of Adam.
        rate: Its step size; it falls to 0 along a cosine.
        evaluations: Of L-BFGS after it: weights are balanced at critical points, which Adam does not reach.
        moments: Of the descent by Adam that are kept, at steps that grow geometrically; the end is one more.
    """

    depths: tuple[int, ...]
    linear_layers: tuple[int, ...]
    losses: tuple[str, ...]
    seeds: tuple[int, ...]
    rows: int = 40
    width: int = 30
    ridge: float = 0.01
    steps: int = 3000
    rate: float = 0.005
    evaluations: int = 2000
    moments: int = 12
