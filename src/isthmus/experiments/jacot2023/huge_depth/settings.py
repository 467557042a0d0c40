"""How deep the networks get, and on how many rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L, ascending.
        seeds: Draw the teacher and the starts.
        rows: N of the teacher.
        curve_rows: N of the curve.
        side: Inputs and outputs of the teacher.
        width: Of the networks.
        starts: Random starts at the first depth.
        teacher_ridge: λ.
        curve_ridge: λ.
    """

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    rows: int = 100
    curve_rows: int = 200
    side: int = 6
    width: int = 30
    starts: int = 4
    teacher_ridge: float = 0.05
    curve_ridge: float = 2e-3
