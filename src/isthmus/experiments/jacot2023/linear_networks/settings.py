"""How large the linear networks are, and how deep."""

from __future__ import annotations

from dataclasses import dataclass

LIVE = 1e-3  # of the largest: a singular value below it does not count


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L.
        seeds: Draw the singular vectors of A* and the start.
        spectrum: Singular values of A*, or the entries of v*.
        side: Inputs and outputs.
        rows: N.
        ridge: λ.
    """

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    spectrum: tuple[float, ...] = (3.0, 2.0, 1.0, 0.5, 0.2, 0.05)
    side: int = 8
    rows: int = 200
    ridge: float = 0.05
