"""How large the classifiers of the inverted S are, how many, and how their minima are found."""

from __future__ import annotations

from dataclasses import dataclass

RANDOM, LOWEST = "random start", "lowest found"


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: The shallow and the deep L of the panels and the claims.
        map_depths: L at which minima are searched.
        ridges: λ, ascending; the first is that of the panels.
        seeds: Draw the data and the start.
        map_seeds: How many of them, from the first on, are also searched for minima, at all λ.
        width: Of every hidden layer at the start.
        rows: Points a class.
        box: Half side of the square in which tripoints are counted.
        far: Half side of a larger one, to tell whether they are merely farther out.
        enough: Cross-entropy at which the descent without ℓ2 stops.
        steps: Of that descent at most.
        kept: Cross-entropies at which norm and margin are recorded.
    """

    depths: tuple[int, int]
    map_depths: tuple[int, ...]
    ridges: tuple[float, ...]
    seeds: tuple[int, ...]
    map_seeds: int
    width: int = 60
    rows: int = 100
    box: float = 5.0
    far: float = 30.0
    enough: float = 1e-6
    steps: int = 5000
    kept: tuple[float, ...] = (0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
