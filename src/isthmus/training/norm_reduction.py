"""Lower ‖w‖² at unchanged f, exactly."""

from __future__ import annotations

from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.training.projection import project
from isthmus.training.rebalancing import rebalance


def reduce_norm(network: FullyConnected, x: Tensor, *, damping: float = 0.0, sweeps: int = 100) -> FullyConnected:
    """Project every layer on the directions the data use, and rebalance the neurons.

    Neither ever raises ‖w‖². With `damping` 0 f is unchanged at the rows of `x`, to rounding.

    Args:
        network: Any network.
        x: The rows `(n, d_in)` on which f must be kept.
        damping: ε of the projection, see `project`.
        sweeps: At most so many sweeps of the rebalancing.
    """
    return rebalance(project(network, x, damping=damping), sweeps=sweeps)
