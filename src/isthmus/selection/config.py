"""How the rank of data is selected, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from isthmus.errors import OptionError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import Scaling, activation
from isthmus.training import Schedule, TrainingConfig

SHORT_SCHEDULE = Schedule(steps=150, learning_rate=5e-2, rounds=1, evaluations=100, rounds_up_to=10**8)
"""What a network needs for evidence: a longer training lowers the objective and changes no rank."""
_DEEP_SCHEDULE = replace(SHORT_SCHEDULE, steps=300, learning_rate=1e-2)
_FAST_UP_TO = 6  # L: deeper networks lose their directions in such large steps


def usual_schedule(depth: int) -> Schedule:
    """The schedule that stands for `SHORT_SCHEDULE` at a depth: beyond six layers more steps, and smaller ones."""
    return SHORT_SCHEDULE if depth <= _FAST_UP_TO else _DEEP_SCHEDULE


@dataclass(frozen=True)
class SelectionConfig:
    """How the rank of data is selected. Values are plain, so that a record can hold them.

    Attributes:
        depth: L, the number of weight matrices; or several, of which the one is taken that predicts the rows held out
            in the first fold best, of fewer than 100 rows those of all folds. None is 3 for classes, which deeper
            networks predict much worse, and else 6. Of one output 2 is tried too, and of several 3 where 6 predicts
            less than half; of fewer than 100 rows, they alone.
        ridge: λ; or several, of which one is chosen as for the depth. None climbs, in losses of the best constant, the
            ladder 0.001, 0.003, 0.01, 0.03, 0.1, 0.3 for outputs and 0.002, 0.006, 0.02, 0.06, 0.2 for classes, and
            takes the smallest that predicts those rows nearly as well as the best (`search_ridge_ladder`), of one
            output the best; for autoencoders it is 0.003.
        width: Width of the hidden layers.
        activation: Name of σ: "relu", "leaky_relu", "leaky_relu:SLOPE", "absolute" or "identity".
        standardize: "columns" or "global", one scale each or for all, or "none". None is "columns", or "global" where
            that predicts held-out rows better (`select_scaling`). Outputs in one unit, as pixels are, have another loss
            then, which rows cannot choose: say "global".
        tolerance: ε of the rank.
        n_init: Random starts of each network, of which the best is kept.
        schedule: How long and how fast each network is trained; the default is `usual_schedule` of the depth.
        max_folds: At most so many of the folds are evaluated: the same rule with less evidence. None for all.
        device: Where to train. The result is on the CPU.

    Raises:
        OptionError: If a value is out of range.

    Example:
        >>> from isthmus import SelectionConfig
        >>> SelectionConfig(depth=[3, 6]).depths
        (3, 6)
    """

    depth: int | Sequence[int] | None = None
    ridge: float | Sequence[float] | None = None
    width: int = 64
    activation: str = "relu"
    standardize: Scaling | None = None
    tolerance: float = 0.1
    n_init: int = 1
    schedule: Schedule = field(default=SHORT_SCHEDULE)
    max_folds: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        Tolerance(self.tolerance)
        if self.max_folds is not None and self.max_folds < 1:
            raise OptionError("max_folds", self.max_folds, "at least 1")
        for depth in self.depths or (1,):
            for ridge in self.ridges or (None,):
                self._training(depth, ridge, self._schedule(depth))

    @property
    def depths(self) -> tuple[int, ...] | None:
        """L to choose from; None where the data decide which are tried."""
        return _several("depth", self.depth)

    @property
    def ridges(self) -> tuple[float, ...] | None:
        """λ to choose from; None for the ladder."""
        return _several("ridge", self.ridge)

    def descent(self, depth: int, ridge: float | None) -> TrainingConfig:
        """How a network of this depth descends from random weights, at this λ."""
        return self._training(depth, ridge, replace(self._schedule(depth), rounds=0))

    def finish(self, depth: int, ridge: float) -> TrainingConfig:
        """How a network that has descended is finished at this λ."""
        return self._training(depth, ridge, replace(self._schedule(depth), steps=0))

    def _schedule(self, depth: int) -> Schedule:
        return usual_schedule(depth) if self.schedule == SHORT_SCHEDULE else self.schedule

    def _training(self, depth: int, ridge: float | None, schedule: Schedule) -> TrainingConfig:
        return TrainingConfig(
            depth=depth,
            width=self.width,
            ridge=ridge,
            n_init=self.n_init,
            standardize=self.standardize or "columns",
            activation=activation(self.activation),
            schedule=schedule,
            device=self.device,
        )


def _several(name: str, value: Any) -> tuple[Any, ...] | None:
    """The values to choose from: those of a sequence, or the one that is given; None where none is."""
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        return (value,)
    if not value:
        raise OptionError(name, value, "a number or a list of some")
    return tuple(value)
