"""How large the networks are whose spectra are shown, and how many."""

from __future__ import annotations

from dataclasses import dataclass

LINEAR = 0.01  # a layer whose nonlinearity has less impact is linear on the data


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        rank: k of the teacher.
        depths: L, ascending, at least 3.
        grown_from: Deeper networks are also grown from this depth; the lower objective is kept.
        seeds: Draw teacher, data and start.
        rows: N.
        side: Inputs and outputs.
        width: Of hidden layers.
        ridge: λ.
        steps: Of the descent.
        rounds: Of L-BFGS after it, at most.
    """

    rank: int
    depths: tuple[int, ...]
    grown_from: int
    seeds: tuple[int, ...]
    rows: int
    side: int
    width: int
    ridge: float = 0.05
    steps: int = 500
    rounds: int = 4
