"""Over what the phase diagram runs."""

from __future__ import annotations

from dataclasses import dataclass

GRADIENT_DESCENT, ADAM, ENGINE, LOWEST = "gradient descent", "Adam", "random start", "lowest found"
TRAININGS = (GRADIENT_DESCENT, ADAM, ENGINE, LOWEST)


@dataclass(frozen=True)
class Settings:
    """Axes and sizes.

    Attributes:
        depths: L, ascending.
        ridges: λ, ascending; 0 only for gradient descent and Adam, as the others look for a minimum.
        seeds: Draw the data and the start.
        boxes: In how many times the bounding box of the data tripoints are counted, ascending.
        width: Of the hidden layers.
        rows: Points a class.
        steps: Of gradient descent and of Adam.
        rate: Of Adam; gradient descent starts with ten times that.
        separated: Share of misclassified rows up to which a network counts as a classifier.
        shallow: Depths up to this one are shallow.
        deep: Depths from this one on are deep.
    """

    depths: tuple[int, ...]
    ridges: tuple[float, ...]
    seeds: tuple[int, ...]
    boxes: tuple[float, ...] = (1.0, 2.0, 15.0)
    width: int = 30
    rows: int = 50
    steps: int = 1000
    rate: float = 0.003
    separated: float = 0.05
    shallow: int = 3
    deep: int = 13
