"""The training loop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from isthmus.errors import DeviceMemoryError, DivergenceError, NonFiniteError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report
from isthmus.networks import FullyConnected
from isthmus.training.checkpoint import Progress
from isthmus.training.config import Schedule
from isthmus.training.history import Moment, Stopped
from isthmus.training.interrupts import uninterrupted
from isthmus.training.minibatches import rows_of_step
from isthmus.training.natural import natural_lbfgs
from isthmus.training.neuron_pruning import prune_neurons, widened
from isthmus.training.norm_reduction import reduce_norm
from isthmus.training.objective import SAMPLE, Objective
from isthmus.training.parameters import Parameters
from isthmus.training.soap import Soap

Save = Callable[[Progress], None]

_RECORD_ROWS = 65_536  # beyond, the history and the eliminations go by evenly spaced rows
_RECORD_EVERY = 25  # steps between two entries of the history
_SAVE_EVERY = float(os.environ.get("ISTHMUS_SAVE_EVERY", "5"))  # seconds between two checkpoints
_FINAL_DAMPING = 1e-7  # small enough to leave f alone at float32, large enough to be stable
_REFRESH = 5  # steps between two turns of SOAP's bases
_WORTHWHILE = 0.85  # share of the weights that must remain at most for a new, narrower shape to pay
_ROUNDS_OF_ELIMINATION = (0.25, 0.5, 0.75)  # of the descent, after each of which the better half goes on


class Training:
    """One fit: a network, or several of one shape at once, on the way to a minimum of the objective.

    `run` may be interrupted (Ctrl-C): the networks are then the best of the current stage and `stopped` says so. What
    `save` is given between two steps is enough to continue and to end at the same numbers.

    Args:
        networks: S starts of one shape.
        objective: What to minimise.
        schedule: How.
        ridges: λ of each network; None for the objective's own.
        seed: Draws the minibatches.
        only_best: Whether the starts compete: at a quarter, half and three quarters of the descent the better half of
            them goes on, and the best one is finished.
        save: Told the progress every few seconds.
        report: Told the fraction done.
    """

    def __init__(
        self,
        networks: Sequence[FullyConnected],
        objective: Objective,
        schedule: Schedule,
        *,
        ridges: Sequence[float] | None = None,
        seed: int,
        only_best: bool = False,
        save: Save,
        report: Report,
    ) -> None:
        self.objective, self.schedule, self.seed = objective, schedule, seed
        self._ridges = [objective.ridge] * len(networks) if ridges is None else list(ridges)
        self._only_best, self._save, self._report = only_best, save, report
        self.parameters = Parameters.of(networks)
        count = len(networks)
        self.progress = Progress(
            self.parameters.vector,
            self.parameters.widths,
            list(range(count)),
            rounds=[0] * count,
            is_converged=[False] * count,
        )
        self._rounds = schedule.rounds if len(objective.x) <= schedule.rounds_up_to else 0
        self._begin = self._saved = time.monotonic()
        self._done = 0.0  # seconds of earlier sessions

    @property
    def networks(self) -> list[FullyConnected]:
        """The networks as they are now; `progress.alive` tells which of the starts they come from."""
        return [self.parameters.network(index) for index in range(self.parameters.count)]

    @property
    def seconds(self) -> float:
        """Time spent, earlier sessions included."""
        return self._done + time.monotonic() - self._begin

    def objective_of(self, index: int) -> Objective:
        """What network `index` of those alive minimises."""
        return self.objective.with_ridge(self._ridges[self.progress.alive[index]])

    def stopped(self, index: int) -> Stopped:
        """Why network `index` of those alive went no further, if it was not interrupted."""
        return "converged" if self.progress.is_converged[index] else "budget"

    def resume(self, progress: Progress) -> None:
        """Continue from a saved progress."""
        progress.vector = progress.vector.to(device=self.objective.x.device)
        self.parameters = Parameters.around(progress.vector, progress.widths, self.parameters.activation)
        self.progress, self._done = progress, progress.seconds

    def run(self) -> bool:
        """Descend, then finish; whether it came to its end without an interruption."""
        self._begin = self._saved = time.monotonic()
        try:
            with flushed_denormals(), torch.no_grad():
                self._descend()
                for index in range(self.parameters.count):
                    self._finish(index)
                self._save_now()  # started again, it has nothing left to do
        except KeyboardInterrupt:
            self._record()
            return False
        except torch.OutOfMemoryError as full:
            raise self._out_of_memory() from full
        return True

    def _out_of_memory(self) -> DeviceMemoryError:
        n, device = len(self.objective.x), self.parameters.vector.device
        if self.progress.step >= self.schedule.steps:
            return DeviceMemoryError(device, min(n, SAMPLE), "--rounds 0, or a smaller --width")
        rows = min(self.schedule.rows_per_step(n), SAMPLE)
        if rows == 1:
            return DeviceMemoryError(device, rows, "a smaller --width, or --device cpu")
        return DeviceMemoryError(device, rows, f"--batch-size {rows // 2}")

    def _descend(self) -> None:
        schedule, now = self.schedule, self.progress
        soap, gradient = self._optimiser()
        soap.restore(now.optimiser)
        batches = -(-len(self.objective.x) // schedule.rows_per_step(len(self.objective.x)))
        while now.step < schedule.steps:
            ridges = self._alive_ridges() * schedule.ridge_at(now.step)
            value = self.objective.on(self._rows(now.step)).gradient(self.parameters, gradient, ridges)
            # SOAP squares gradients, so their squares must be finite too.
            if not bool(torch.isfinite(value + gradient.vector.square().sum(1)).all()):
                raise self._divergence()
            with uninterrupted():
                soap.step(schedule.learning_rate_at(now.step))
                now.step += 1
                if now.step % schedule.reduce_norm_every == 0:
                    self._guarded(lambda: self._reduce_norms(schedule.damping, sweeps=3))
                    if self._eliminated() or self._pruned():
                        soap, gradient = self._optimiser()
                now.optimiser = soap.state()
            if now.step % max(_RECORD_EVERY, batches) == 0:
                self._guarded(self._record)
            self._save_sometimes()
        if now.optimiser:
            with uninterrupted():
                self._pruned(whatever=True)
                now.optimiser = {}

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do what builds networks from the weights, which refuses weights that are not finite."""
        try:
            action()
        except (NonFiniteError, torch.linalg.LinAlgError) as overflow:  # type: ignore[attr-defined]
            raise self._divergence() from overflow

    def _optimiser(self) -> tuple[Soap, Parameters]:
        gradient = self.parameters.like(torch.zeros_like(self.parameters.vector))
        return Soap(self.parameters, gradient, refresh=_REFRESH), gradient

    def _finish(self, index: int) -> None:
        now, objective = self.progress, self.objective_of(index)
        while now.rounds[index] < self._rounds and not now.is_converged[index]:
            network = self.parameters.network(index)
            before = objective.value(network)
            self._report(self._fraction(), f"objective {before:.4g}")
            found = natural_lbfgs(
                network,
                objective,
                evaluations=self.schedule.evaluations,
                memory=self.schedule.memory,
                seed=now.rounds[index],
                into=self.parameters.like(self.parameters.vector[index : index + 1]),
            )
            is_converged = before - objective.value(found) < self.schedule.precision * before
            with uninterrupted():
                self.parameters.assign(self._reduced(found, _FINAL_DAMPING, sweeps=100), index)
                now.rounds[index] += 1
                now.is_converged[index] = is_converged
            self._record()
            self._save_sometimes()

    def _reduce_norms(self, damping: float, *, sweeps: int) -> None:
        """Lower every ‖w‖² at (nearly) unchanged f."""
        for index, network in enumerate(self.networks):
            self.parameters.assign(self._reduced(network, damping, sweeps=sweeps), index)

    def _reduced(self, network: FullyConnected, damping: float, *, sweeps: int) -> FullyConnected:
        return reduce_norm(network, self._sample, damping=damping, sweeps=sweeps)

    @cached_property
    def _sample(self) -> Tensor:
        """Rows on which the shape of the network is judged: all, or some of many."""
        return self.objective.x[:: -(-len(self.objective.x) // SAMPLE)]

    def _eliminated(self) -> bool:
        """Let the better half go on where the starts compete and a round of elimination is due."""
        now, schedule = self.progress, self.schedule
        due = any(
            now.step - schedule.reduce_norm_every < share * schedule.steps <= now.step
            for share in _ROUNDS_OF_ELIMINATION
        )
        if not (self._only_best and due) or self.parameters.count == 1:
            return False
        values = self._values()[0]
        best = sorted(range(len(values)), key=values.__getitem__)[: -(-len(values) // 2)]
        self._continue_with([self.parameters.network(i) for i in best], [now.alive[i] for i in best])
        return True

    def _pruned(self, *, whatever: bool = False) -> bool:
        """Take out the neurons that no network needs, if that makes a step clearly cheaper or `whatever` it saves."""
        schedule, now = self.schedule, self.progress
        if schedule.prune_tolerance is None or not (whatever or schedule.is_settling(now.step)):
            return False
        narrow = [prune_neurons(network, self._sample, tolerance=schedule.prune_tolerance) for network in self.networks]
        widths = tuple(max(sizes) for sizes in zip(*(network.widths for network in narrow), strict=True))
        narrow = [widened(network, widths) for network in narrow]
        if not whatever and narrow[0].parameter_count > _WORTHWHILE * self.parameters.vector.shape[1]:
            return False
        self._continue_with(narrow, now.alive)
        return True

    def _continue_with(self, networks: list[FullyConnected], alive: list[int]) -> None:
        now = self.progress
        self.parameters = Parameters.of(networks)
        now.vector, now.widths, now.alive = self.parameters.vector, self.parameters.widths, alive
        now.rounds, now.is_converged = [0] * len(alive), [False] * len(alive)

    def _alive_ridges(self) -> Tensor:
        x = self.objective.x
        return torch.tensor([self._ridges[i] for i in self.progress.alive], dtype=x.dtype, device=x.device)

    def _divergence(self) -> DivergenceError:
        """The error for a run that left the finite numbers."""
        now, parameters = self.progress, self.parameters
        # The weights now may be anything, so λ is judged by its pull on weights as they are drawn: of variance 2 / n.
        # SOAP sums squares of pulls over rows and columns; if that overflows, no step size could have helped.
        pull = 2.0 * float(self._alive_ridges().max()) * self.schedule.ridge_factor / parameters.depth
        squares = sum(2.0 * pull**2 * w.shape[1] for w in parameters.weights)
        if squares > torch.finfo(parameters.vector.dtype).max:
            return DivergenceError(now.step, "λ")
        # SOAP's first call only looks: up to then the weights are those of the start.
        return DivergenceError(now.step, "scale of the data" if now.step <= 1 else "learning rate")

    def _rows(self, step: int) -> Tensor | slice:
        n = len(self.objective.x)
        rows = rows_of_step(step, n, self.schedule.rows_per_step(n), self.seed)
        return rows if isinstance(rows, slice) else rows.to(self.objective.x.device)

    def _fraction(self) -> float:
        now, schedule = self.progress, self.schedule
        rounds = sum(self._rounds if c else r for r, c in zip(now.rounds, now.is_converged, strict=True))
        total = schedule.steps + self._rounds * schedule.evaluations
        return (now.step + rounds * schedule.evaluations / max(1, len(now.rounds))) / max(1, total)

    def _record(self) -> None:
        """Note the best network."""
        now = self.progress
        values, errors, norms = self._values()
        best = min(range(len(values)), key=values.__getitem__)
        step = now.step + sum(now.rounds) * self.schedule.evaluations
        now.history.append(Moment(step, self.seconds, values[best], errors[best], norms[best]))
        self._report(self._fraction(), f"objective {values[best]:.4g}")

    def _values(self) -> tuple[list[float], list[float], list[float]]:
        """Objectives, errors and ‖w‖²/L of the networks: over all rows, or evenly spaced ones of very many."""
        every = -(-len(self.objective.x) // _RECORD_ROWS)
        errors = [self.objective.error(network, every=every) for network in self.networks]
        norms = [network.norm_per_depth for network in self.networks]
        ridges = [self._ridges[i] for i in self.progress.alive]
        return [e + r * n for e, r, n in zip(errors, ridges, norms, strict=True)], errors, norms

    def best(self) -> int:
        """The network of least objective among those alive."""
        values = self._values()[0] if self.parameters.count > 1 else [0.0]
        return min(range(len(values)), key=values.__getitem__)

    def _save_sometimes(self) -> None:
        is_due = time.monotonic() - self._saved > _SAVE_EVERY
        if is_due and bool(torch.isfinite(self.parameters.vector).all()):
            self._save_now()

    def _save_now(self) -> None:
        self._save(replace(self.progress, seconds=self.seconds))
        self._saved = time.monotonic()
