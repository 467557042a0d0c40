"""Over what the diagram of rank recovery runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Axes and sizes.

    Attributes:
        rank: k of the teachers.
        depths: L, ascending.
        sizes: N, ascending.
        ridges: λ of (λ/L)‖w‖², ascending.
        seeds: Draw teacher, data and start.
        side: Inputs and outputs.
        width: Of the teacher's and the networks' hidden layers.
        grown_from: From this depth on, at least 3, rank 1 is built too; deeper networks are also grown from it.
        steps: Of the descent.
        rounds: Of L-BFGS after it, at most.
    """

    rank: int
    depths: tuple[int, ...]
    sizes: tuple[int, ...]
    ridges: tuple[float, ...]
    seeds: tuple[int, ...]
    side: int = 15
    width: int = 40
    grown_from: int = 6
    steps: int = 300
    rounds: int = 3
