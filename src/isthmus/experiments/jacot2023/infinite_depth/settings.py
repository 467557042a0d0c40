"""How deep the constructions get, and of which functions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L of the construction.
        bracket_depths: L of the brackets; the limit is added.
        seeds: Draw the random halves and the rows.
        ranks: k of the random halves.
        rows: Where f and the construction are compared.
        functions: Of the catalogue: those that are bracketed.
        pairs: Of the catalogue, in the plane: those that are composed and added, each with each.
        tripod_depths: L of the networks that are trained on the tripod.
        tripod_rows: N there.
        tripod_ridge: λ there.
        slope: a of the activation that is steeper than 1.
    """

    depths: tuple[int, ...]
    bracket_depths: tuple[int, ...]
    seeds: tuple[int, ...]
    ranks: tuple[int, ...]
    functions: tuple[str, ...]
    pairs: tuple[str, ...]
    tripod_depths: tuple[int, ...]
    tripod_rows: int
    tripod_ridge: float = 1e-3
    rows: int = 200
    slope: float = 3.0
