"""How a fit went, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stopped = Literal["converged", "budget", "interrupted"]


@dataclass(frozen=True)
class Moment:
    r"""The state of a fit at one time.

    Attributes:
        step: Gradient evaluations so far.
        seconds: Time spent so far, over all sessions of a resumed fit.
        objective: $\mathcal L_\lambda(w)$ at the target λ, also while λ is still larger; over all training
            rows or, of more than 65,536, over as many evenly spaced ones at most.
        error: Its data term.
        norm_per_depth: ‖w‖²/L.
    """

    step: int
    seconds: float
    objective: float
    error: float
    norm_per_depth: float
