"""The settings of a fit, in one value: the network, its ridge, and how long and how fast it is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

from isthmus.errors import OptionError
from isthmus.networks import RELU, Activation, Scaling

_RISE = 20  # steps over which the step size rises from zero
_LAST_RATE = 0.02  # step size at the end of the descent, relative to its peak


@dataclass(frozen=True)
class Schedule:
    r"""First a descent by SOAP, under a large ridge that is then relaxed to λ; then rounds of natural L-BFGS.

    The defaults were chosen on draws of teachers that no reported figure uses (see
    `docs/decisions/0014-training-engine.md`).

    Attributes:
        steps: Steps of the descent. An epoch over N rows is ⌈N / batch⌉ of them: 977 for 10^6 rows and batches of
            1,024, so the default of 600 sees 600,000 rows. Beyond, ask for at least an epoch.
        learning_rate: Peak step size of the descent.
        ridge_factor: λ is multiplied by this in the first part of the descent: the norm is small from the start.
        relax_at: Fraction of the descent after which the factor is dropped and the step size begins to fall.
        reduce_norm_every: Steps between two reductions of the norm (projection and rebalancing).
        damping: ε of the projections during the descent, relative to the mean eigenvalue.
        prune_tolerance: Tolerance at which neurons that the data do not need are taken out once the factor is dropped;
            None keeps the width.
        rounds: At most so many rounds of L-BFGS, each followed by a reduction of the norm. None beyond `rounds_up_to`
            rows.
        rounds_up_to: Each of the rounds' evaluations sums over all training rows, so with more rows than this there
            are no rounds, and a fit ends as "budget". Raise it to have them: they are correct for any number of rows.
        evaluations: Gradient evaluations in a round.
        memory: Pairs that L-BFGS keeps.
        precision: Stop when a round lowers the objective by less than this fraction.
        batch_size: Rows in a step of the descent; None takes all rows up to 4,096, and 1,024 beyond.
    """

    steps: int = 500
    learning_rate: float = 1e-2
    ridge_factor: float = 10.0
    relax_at: float = 0.4
    reduce_norm_every: int = 50
    damping: float = 1e-4
    prune_tolerance: float | None = 3e-3
    rounds: int = 4
    rounds_up_to: int = 65_536
    evaluations: int = 100
    memory: int = 30
    precision: float = 1e-3
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("steps", 0), ("rounds", 0), ("evaluations", 1), ("reduce_norm_every", 1), ("memory", 1)):
            if getattr(self, name) < least:
                raise OptionError(name, getattr(self, name), f"at least {least}")
        for name in ("learning_rate", "ridge_factor"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0.0):
                raise OptionError(name, getattr(self, name), "a positive number")
        if not 0.0 <= self.relax_at <= 1.0:
            raise OptionError("relax_at", self.relax_at, "between 0 and 1")
        if self.prune_tolerance is not None and not 0.0 <= self.prune_tolerance < 1.0:
            raise OptionError("prune_tolerance", self.prune_tolerance, "at least 0 and below 1, or None")
        if self.batch_size is not None and self.batch_size < 1:
            raise OptionError("batch_size", self.batch_size, "at least 1")

    @property
    def total(self) -> int:
        """Gradient evaluations if no round stops early."""
        return max(1, self.steps + self.rounds * self.evaluations)

    def rows_per_step(self, n: int) -> int:
        """Rows in a step of the descent for `n` training rows."""
        if self.batch_size is not None:
            return min(self.batch_size, n)
        return n if n <= 4096 else 1024

    def is_relaxed(self, step: int) -> bool:
        """Whether λ itself applies at a step of the descent."""
        return step >= self.relax_at * self.steps

    def is_settling(self, step: int) -> bool:
        """Whether the rank has settled: the second half of the descent under λ itself."""
        return step >= (self.relax_at + 1.0) / 2.0 * self.steps

    def ridge_at(self, step: int) -> float:
        """Factor on λ at a step of the descent."""
        return 1.0 if self.is_relaxed(step) else self.ridge_factor

    def learning_rate_at(self, step: int) -> float:
        """Step size: a linear rise, a plateau until λ is relaxed, then a geometric fall."""
        begin = self.relax_at * self.steps
        fall = max(0.0, (step - begin) / max(1.0, self.steps - begin))
        return self.learning_rate * min(1.0, (step + 1) / _RISE) * float(_LAST_RATE**fall)


DEFAULT_SCHEDULE = Schedule()


@dataclass(frozen=True)
class TrainingConfig:
    r"""How one network is trained.

    Attributes:
        depth: L ≥ 1, number of weight matrices.
        width: Width of every hidden layer at the start; neurons that the data do not need are taken out on the way.
        ridge: λ ≥ 0. None for 1/1000 of the loss of the best constant prediction.
        n_init: Number of random starts, from the seeds `seed`, `seed` + 1, …; the better half goes on at a quarter,
            half and three quarters of the descent, and the best is finished.
        standardize: "columns", "global" (one scale for all columns) or "none".
        activation: σ.
        schedule: How long and how fast.
        device: Where to compute, as torch names it.

    Raises:
        OptionError: If a value is out of range.

    Example:
        >>> from isthmus import TrainingConfig
        >>> from isthmus.training import Schedule
        >>> TrainingConfig(depth=6, schedule=Schedule(steps=300)).depth
        6
    """

    depth: int = 13
    width: int = 100
    ridge: float | None = None
    n_init: int = 1
    standardize: Scaling = "columns"
    activation: Activation = RELU
    schedule: Schedule = DEFAULT_SCHEDULE
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("depth", "width", "n_init"):
            if getattr(self, name) < 1:
                raise OptionError(name, getattr(self, name), "at least 1")
        if self.ridge is not None and not 0.0 <= self.ridge < float("inf"):
            raise OptionError("ridge", self.ridge, "a finite number ≥ 0")
        if self.standardize not in ("columns", "global", "none"):
            raise OptionError("standardize", self.standardize, "columns, global or none")


DEFAULT_CONFIG = TrainingConfig()
