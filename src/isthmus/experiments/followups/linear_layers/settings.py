"""How many linear layers, and how large the networks behind them are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        layers: m, ascending; 1 is a network without linear layers in front.
        seeds: Draw data and start.
        angle: Of the direction u that f* depends on, in radians.
        rows: N, uniform on the square.
        noise: Standard deviation, of outputs |u·x| less their mean.
        width: Of the linear layers and of the neurons.
        weight_decay: Factor of ‖w‖² at every m, biases not counted.
        descent: Steps of SOAP, and evaluations of L-BFGS after it.
        shown: m at which the cost of one network is drawn.
    """

    layers: tuple[int, ...]
    seeds: tuple[int, ...]
    angle: float = 0.5
    rows: int = 60
    noise: float = 0.3
    width: int = 16
    weight_decay: float = 0.01
    descent: int = 3000
    shown: tuple[int, ...] = (1, 2, 3, 5, 9, 20, 50, 100, 300, 1000)
