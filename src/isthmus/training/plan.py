"""The settings of a fit: how long, how fast, how much ridge when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from isthmus.errors import OptionError


@dataclass(frozen=True)
class Plan:
    r"""First Adam with a large ridge that is then relaxed to λ, then rounds of L-BFGS until nothing moves.

    The defaults were chosen on a prototype's own draws of teachers (see `docs/decisions/0005-training-recipe.md`).

    Attributes:
        warmup_steps: Steps of Adam.
        learning_rate: Peak step size of Adam.
        ridge_factor: λ is multiplied by this in the first part of the warm-up: the norm is small from the start.
        relax_at: Fraction of the warm-up after which the factor is dropped.
        tidy_every: Steps of Adam between two tidyings (projection and rebalancing).
        damping: ε of the projections during the warm-up, relative to the mean eigenvalue.
        rounds: At most so many rounds of L-BFGS, with a tidying after each.
        evaluations: Gradient evaluations in a round.
        memory: Pairs that L-BFGS keeps.
        precision: Stop when a round lowers the objective by less than this fraction.
        batch_size: Rows in a step of Adam; None takes all rows up to 4,096, and 1,024 beyond.
    """

    warmup_steps: int = 1200
    learning_rate: float = 4e-3
    ridge_factor: float = 20.0
    relax_at: float = 0.6
    tidy_every: int = 10
    damping: float = 1e-4
    rounds: int = 8
    evaluations: int = 250
    memory: int = 30
    precision: float = 1e-3
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("warmup_steps", 0), ("rounds", 0), ("evaluations", 1), ("tidy_every", 1), ("memory", 1)):
            if getattr(self, name) < least:
                raise OptionError(name, getattr(self, name), f"at least {least}")
        for name in ("learning_rate", "ridge_factor"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0.0):
                raise OptionError(name, getattr(self, name), "a positive number")
        if self.batch_size is not None and self.batch_size < 1:
            raise OptionError("batch_size", self.batch_size, "at least 1")

    @property
    def total(self) -> int:
        """Gradient evaluations if no round stops early."""
        return self.warmup_steps + self.rounds * self.evaluations

    def rows_per_step(self, n: int) -> int:
        """Rows in a step of Adam for `n` training rows."""
        if self.batch_size is not None:
            return min(self.batch_size, n)
        return n if n <= 4096 else 1024

    def ridge_at(self, step: int) -> float:
        """Factor on λ at a step of the warm-up."""
        return self.ridge_factor if step < self.relax_at * self.warmup_steps else 1.0

    def learning_rate_at(self, step: int) -> float:
        """Step size of Adam: a linear rise over the first tenth, then a linear fall to a quarter."""
        done = step / self.warmup_steps
        return self.learning_rate * min(1.0, done / 0.1) * (1.0 - 0.75 * done)


DEFAULT_PLAN = Plan()
