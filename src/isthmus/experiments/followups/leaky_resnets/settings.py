"""How large the leaky ResNets are, and how many."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        effective_depths: L̃, ascending.
        ranks: k of the teachers.
        seeds: Draw teacher, data and start.
        layers: m, of the networks whose energies are told.
        few: m of those whose layer steps are compared; at least the largest L̃.
        rows: N.
        side: Inputs and outputs.
        width: Of the networks.
        ridge: λ of the cost.
        descent: Steps of SOAP, and evaluations of L-BFGS, of each training.
        shorter: Share of L̃ at which the same network is trained on, for the derivative of its objective.
    """

    effective_depths: tuple[float, ...]
    ranks: tuple[int, ...]
    seeds: tuple[int, ...]
    layers: int
    few: int
    rows: int = 150
    side: int = 8
    width: int = 20
    ridge: float = 1e-3
    descent: int = 1500
    shorter: float = 0.9
