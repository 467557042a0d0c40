"""How large the networks are that are certified, and how many."""

from __future__ import annotations

from dataclasses import dataclass

EPSILON = 0.1  # at which the share of certified layers is told


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        ranks: k of the teachers.
        depths: L, ascending; the first from a random start, each further one grown from the one before.
        seeds: Draw teacher, data and start.
        rows: N.
        side: Inputs and outputs.
        width: Of hidden layers.
        ridge: λ.
        steps: Of the descent.
        rounds: Of L-BFGS after it, at most.
    """

    ranks: tuple[int, ...]
    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    rows: int
    side: int
    width: int
    ridge: float = 0.05
    steps: int = 500
    rounds: int = 4
