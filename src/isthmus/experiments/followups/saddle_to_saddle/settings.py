"""How large the networks are that leave the saddle at zero."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L.
        seeds: Draw teacher, data and starts.
        rank: Of the teacher.
        rows: N.
        side: Inputs and outputs.
        width: Of the hidden layers.
        starts: From which an escape direction is sought; the best counts.
        ascent: Steps of the search.
        scale: Of the small weights, in units of He's.
        steps: Of the training.
        step: Largest length of a step, in units of ‖w‖.
        rate: Largest step size where the weights of a layer are of spectral norm 1 and more.
        moments: Along the training, evenly spaced in steps, at which the rank is read.
    """

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    rank: int = 3
    rows: int = 200
    side: int = 8
    width: int = 32
    starts: int = 8
    ascent: int = 600
    scale: float = 0.05
    steps: int = 4000
    step: float = 0.02
    rate: float = 0.05
    moments: int = 100
