"""A dimension, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Scale:
    """What one size of neighbourhoods shows.

    Attributes:
        neighbours: How many rows each holds.
        radius: Median distance to the farthest of them, in the units of the data.
        dimension: Median over the rows.
        error: Standard error of it.
    """

    neighbours: int
    radius: float
    dimension: float
    error: float


@dataclass(frozen=True, eq=False)
class DimensionEstimate:
    """A dimension, and what shows it.

    Attributes:
        dimension: In how many directions the rows vary near a typical one.
        value: The same before rounding.
        lower: Its lower end by two standard errors; they say nothing about bends, noise or uneven rows.
        upper: Its upper end.
        by_chords: By the angles between chords, at the scale chosen.
        by_distances: By the distances to the nearest rows, where these show fewer than the chords; else None.
        hull: Dimension of the smallest flat that holds all rows, or `highest` if that is less: d cannot exceed it.
        scales: What each size of neighbourhoods shows by chords, smallest first.
        chosen: Which of `scales` was taken; None where there are fewer than six different rows.
        rows: Rows of the data whose neighbourhoods were looked at, `(q,)`.
        local: By chords, near each of `rows`, `(q,)`, averaged over the scales from the chosen one on that show its
            dimension: they differ where parts of the data differ in dimension.
        near_copies: Rows left out because they are nearly another row; if any, 3 % of all rows are so by chance.
        is_regular: Whether the rows were placed evenly, a design or lattice: its scale is chosen by another rule.
    """

    dimension: int
    value: float
    lower: int
    upper: int
    by_chords: float
    by_distances: float | None
    hull: int
    scales: tuple[Scale, ...]
    chosen: int | None
    rows: Tensor
    local: Tensor
    near_copies: int
    is_regular: bool

    @property
    def shares(self) -> dict[int, float]:
        """Dimension -> share of the rows near which it is the nearest whole number to `local`."""
        kinds, counts = self.local.round().long().unique(return_counts=True)
        return dict(zip(kinds.tolist(), (counts / len(self.local)).tolist(), strict=True))
