"""The training loop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from isthmus.denormals import flushed_denormals
from isthmus.errors import DivergenceError
from isthmus.functions import FullyConnected
from isthmus.progress import Report
from isthmus.training.checkpoint import Progress
from isthmus.training.descent import Adam, lbfgs
from isthmus.training.history import Moment, Stopped
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters
from isthmus.training.plan import Plan
from isthmus.training.projection import project
from isthmus.training.rebalancing import rebalance

Save = Callable[[Progress], None]

_RECORD_EVERY = 25  # steps or evaluations between two entries of the history
_TIDY_ROWS = 8192
_SAVE_EVERY = float(os.environ.get("ISTHMUS_SAVE_EVERY", "5"))  # seconds between two checkpoints
_FINAL_DAMPING = 1e-7  # small enough to leave f alone at float32, large enough to be stable


class Training:
    """One fit: a network on its way to a minimum of the objective.

    `run` may be interrupted (Ctrl-C): the network is then the best of the current stage and `stopped` says so. What
    `save` is given between two steps is enough to continue and to end at the same numbers.
    """

    def __init__(
        self, network: FullyConnected, objective: Objective, plan: Plan, *, seed: int, save: Save, report: Report
    ) -> None:
        self.objective, self.plan, self.seed = objective, plan, seed
        self._save, self._report = save, report
        self.parameters = Parameters.of(network)
        self.progress = Progress(self.parameters.vector)
        self._begin = self._saved = time.monotonic()

    @property
    def network(self) -> FullyConnected:
        """The network as it is now."""
        return self.parameters.network

    @property
    def seconds(self) -> float:
        """Time spent, earlier sessions included."""
        return self.progress.seconds + time.monotonic() - self._begin

    def resume(self, progress: Progress) -> None:
        """Continue from a saved progress."""
        self.parameters.vector.copy_(progress.vector)
        progress.vector = self.parameters.vector
        self.progress = progress

    def run(self) -> Stopped:
        """Warm up, then finish; return why it ended."""
        self._begin = self._saved = time.monotonic()
        try:
            with flushed_denormals(), torch.no_grad():
                self._warm_up()
                self._finish()
        except KeyboardInterrupt:
            self._record()
            return "interrupted"
        return "converged" if self.progress.is_converged else "budget"

    def _warm_up(self) -> None:
        plan, now = self.plan, self.progress
        adam = Adam(self.parameters.vector)
        adam.restore(now.optimiser)
        gradient = Parameters.around(adam.gradient, self.network)
        batches = -(-len(self.objective.x) // plan.rows_per_step(len(self.objective.x)))
        while now.step < plan.warmup_steps:
            objective = self.objective.with_ridge(self.objective.ridge * plan.ridge_at(now.step))
            value = objective.on(self._rows(now.step)).gradient(self.parameters, gradient)
            if not torch.isfinite(value):
                raise DivergenceError(now.step)
            adam.step(plan.learning_rate_at(now.step))
            now.step += 1
            if now.step % plan.tidy_every == 0:
                self._tidy(plan.damping, sweeps=3)
            if now.step % max(_RECORD_EVERY, batches) == 0:
                self._record()
            now.optimiser = adam.state()
            self._save_sometimes()
        now.optimiser = {}

    def _finish(self) -> None:
        now = self.progress
        while now.rounds < self.plan.rounds and not now.is_converged:
            before = self.objective.value(self.network)
            self._descend()
            self._tidy(_FINAL_DAMPING, sweeps=100)
            now.rounds += 1
            now.is_converged = before - self.objective.value(self.network) < self.plan.precision * before
            self._record()
            self._save_sometimes()

    def _descend(self) -> None:
        """One round of L-BFGS."""
        evaluation = 0
        gradient = Parameters.around(torch.zeros_like(self.parameters.vector), self.network)

        def evaluate() -> Tensor:
            nonlocal evaluation
            evaluation += 1
            value = self.objective.gradient(self.parameters, gradient)
            if evaluation % _RECORD_EVERY == 0:
                done = self.plan.warmup_steps + self.progress.rounds * self.plan.evaluations + evaluation
                self._report(done / self.plan.total, f"objective {float(value):.4g}")
            return value

        lbfgs(
            self.parameters.vector,
            gradient.vector,
            evaluate,
            evaluations=self.plan.evaluations,
            memory=self.plan.memory,
        )

    def _tidy(self, damping: float, *, sweeps: int) -> None:
        """Lower ‖w‖² at (nearly) unchanged f."""
        x = self.objective.x
        if self.progress.step < self.plan.warmup_steps and len(x) > _TIDY_ROWS:
            x = x[:: -(-len(x) // _TIDY_ROWS)]  # on the way a sample of the rows is enough
        projected = project(self.network, x, damping=damping)
        self.parameters.assign(rebalance(projected, sweeps=sweeps))

    def _rows(self, step: int) -> Tensor | slice:
        """The rows of a step: all, or the next part of a permutation that depends on seed and epoch alone."""
        n = len(self.objective.x)
        size = self.plan.rows_per_step(n)
        if size == n:
            return slice(None)
        batches = -(-n // size)
        epoch, batch = divmod(step, batches)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(n, generator=generator)
        return order[batch * size : (batch + 1) * size].to(self.objective.x.device)

    def _record(self) -> None:
        now, network = self.progress, self.network
        error = self.objective.error(network)
        norm = network.norm_per_depth
        value = error + self.objective.ridge * norm
        step = now.step + now.rounds * self.plan.evaluations
        now.history.append(Moment(step, self.seconds, value, error, norm))
        self._report(step / self.plan.total, f"objective {value:.4g}")

    def _save_sometimes(self) -> None:
        if time.monotonic() - self._saved > _SAVE_EVERY:
            self._save(replace(self.progress, seconds=self.seconds))
            self._saved = time.monotonic()
