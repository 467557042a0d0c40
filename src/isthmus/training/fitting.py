"""From arrays to a trained network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from isthmus.foundation.progress import Report, silent
from isthmus.networks import (
    FullyConnected,
    StandardizedNetwork,
)
from isthmus.training.checkpoint import load_checkpoint, saver
from isthmus.training.config import DEFAULT_CONFIG, TrainingConfig
from isthmus.training.history import Moment, Stopped
from isthmus.training.loop import Training
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters
from isthmus.training.problem import Problem
from isthmus.training.span import Span


@dataclass(frozen=True, eq=False)
class FittedNetwork(StandardizedNetwork):
    r"""A trained network and how it was reached.

    Attributes:
        objective: The objective that was minimised, over the standardised training rows.
        value: $\mathcal L_\lambda(w)$ at the end, in float64 sums.
        error: Its data term.
        stationarity: $\|\nabla \mathcal L_\lambda(w)\| / \mathcal L_\lambda(w)$ at the end, in float64. Where the
            minimum lies on kinks of σ it does not go to zero.
        history: The way there.
        seconds: Time spent training.
        stopped: "converged", "budget" or "interrupted".
        classes: The labels in the order of the outputs, for a classification; else None.

    Example:
        >>> import numpy as np, torch
        >>> from isthmus import TrainingConfig, fit
        >>> from isthmus.training import Schedule
        >>> x = np.linspace(-1, 1, 40)[:, None]
        >>> short = TrainingConfig(depth=3, width=8, ridge=0.01, schedule=Schedule(steps=40, rounds=1))
        >>> fitted = fit(x, np.abs(x), config=short, seed=0)
        >>> fitted.network.depth, fitted.stopped in ("converged", "budget"), fitted(torch.from_numpy(x[:2])).shape
        (3, True, torch.Size([2, 1]))
    """

    objective: Objective
    value: float
    error: float
    stationarity: float
    history: tuple[Moment, ...]
    seconds: float
    stopped: Stopped
    classes: Tensor | None

    @property
    def ridge(self) -> float:
        """λ."""
        return self.objective.ridge

    def complete(self) -> FittedNetwork:
        """Itself, if it was trained to its end.

        Raises:
            KeyboardInterrupt: If Ctrl-C cut the training short: the caller has no use for a part of it.
        """
        if self.stopped == "interrupted":
            raise KeyboardInterrupt
        return self

    def after(self, before: FittedNetwork) -> FittedNetwork:
        """Itself with the way to where it began: the fit `before`."""
        done = before.history[-1].step if before.history else 0
        own = (replace(m, step=m.step + done, seconds=m.seconds + before.seconds) for m in self.history)
        return replace(self, history=(*before.history, *own), seconds=self.seconds + before.seconds)

    def standardized(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Rows in the units of the data as rows in the network's, on its device.

        Args:
            x: Inputs `(n, d_in)`.
            y: Outputs `(n, d_out)`, or labels that the network was trained on `(n,)`.

        Returns:
            Inputs `(n, d_in)`, and outputs `(n, d_out)` or class indices `(n,)`.
        """
        like = self.network.weights[0]
        inputs = self.inputs.forward(x.double()).to(like)
        if self.classes is not None:
            return inputs, torch.searchsorted(self.classes, y).to(like.device)
        return inputs, self.outputs.forward(y.double()).to(like)


def fit(
    x: object,
    y: object | None = None,
    *,
    config: TrainingConfig = DEFAULT_CONFIG,
    task: str = "regression",
    sample_weight: object | None = None,
    seed: int = 0,
    start: FittedNetwork | None = None,
    checkpoint: Path | None = None,
    key: str = "",
    report: Report = silent,
) -> FittedNetwork:
    r"""Train a deep network to minimise $\frac1N \sum_i v_i\, \ell(f(x_i), y_i) + \frac{\lambda}{L} \|w\|^2$.

    ℓ is the squared error $\|f(x_i) - y_i\|^2$ (regression, autoencoder) or the cross-entropy (classification). Data
    are standardised first, and the standardisation is part of the result. All rows given are trained on.

    Args:
        x: Inputs `(n, d_in)`. A numpy memory map (`np.load(path, mmap_mode="r")`) or a view of one, of more than
            64 MiB, stays in its file: it is checked and standardised in one pass of constant memory, and each step
            reads its rows. The same seed gives the same network, to rounding.
        y: As x: outputs `(n, d_out)` or `(n,)`; integer labels `(n,)` for classification; None for an autoencoder.
        config: The network, its ridge and its schedule.
        task: "regression", "classification" or "autoencoder".
        sample_weight: How much each row counts, `(n,)`, ≥ 0: v, scaled to mean 1. A row of weight 0 is left out; a row
            of weight 2 counts as two equal rows, also in the standardisation and the default λ. Default: all alike.
        seed: Draws the start and the minibatches; the same seed gives the same network on the same machine.
        start: A fit of the same rows to go on from, under another λ or schedule, in place of random networks.
        checkpoint: File to resume from and to save to every few seconds.
        key: Names the fit in the checkpoint; a checkpoint with another key is ignored and overwritten.
        report: Told the fraction done.

    Raises:
        ShapeError, DtypeError, NonFiniteError, TooFewRowsError: If the data are not finite matrices of equal length.
        ConstantOutputError: If y does not vary.
        ScaleError: If unstandardised data are too large for single precision.
        OptionError: If an option is out of range.
        DeviceMemoryError: If the device has too little memory for a step.
        DivergenceError: If the objective leaves the finite numbers.

    Source:
        Jacot (2023), problem setting.

    Example:
        >>> import numpy as np
        >>> from isthmus import TrainingConfig, fit
        >>> from isthmus.training import Schedule
        >>> x = np.linspace(-1, 1, 40)[:, None]
        >>> short = TrainingConfig(depth=3, width=8, ridge=0.001, schedule=Schedule(steps=60, rounds=1))
        >>> bool(fit(x, np.abs(x), config=short, seed=0).error < 0.01)  # of the variance of y
        True
    """
    problem = Problem.of(x, y, config=config, task=task, sample_weight=sample_weight)
    span = Span.of(problem.objective)
    starting = problem.starts(config, seed) if start is None else [start.network]
    training = Training(
        [span.inside(network) for network in starting],
        span.objective,
        config.schedule,
        seed=seed,
        only_best=True,
        save=saver(checkpoint, key=key),
        report=report,
    )
    if checkpoint is not None and (progress := load_checkpoint(checkpoint, key=key)) is not None:
        training.resume(progress)
    is_complete = training.run()
    best = training.best()
    found = fitted_network(problem, span, training, best, is_complete=is_complete)
    return found if start is None else found.after(start)


def fitted_network(problem: Problem, span: Span, training: Training, index: int, *, is_complete: bool) -> FittedNetwork:
    """Network `index` of those a training in the coordinates of the span has left, with its account."""
    objective = problem.objective.with_ridge(training.objective_of(index).ridge)
    network = detached(span.outside(training.networks[index]))
    error = objective.error(network)
    return FittedNetwork(
        network=network,
        inputs=problem.inputs,
        outputs=problem.outputs,
        objective=objective,
        value=error + objective.ridge * network.norm_per_depth,
        error=error,
        stationarity=stationarity(objective, network),
        history=tuple(training.progress.history),
        seconds=training.seconds,
        stopped=training.stopped(index) if is_complete else "interrupted",
        classes=problem.classes,
    )


@torch.no_grad()
def stationarity(objective: Objective, network: FullyConnected) -> float:
    r"""$\|\nabla \mathcal L_\lambda(w)\| / \mathcal L_\lambda(w)$ in float64."""
    at = Parameters.of(network.to(dtype=torch.float64))
    slope = at.like(torch.zeros_like(at.vector))
    value = objective.gradient(at, slope)
    return float(slope.vector.norm() / value) if float(value) > 0 else 0.0


def detached(network: FullyConnected) -> FullyConnected:
    """A copy whose tensors do not share the training vector."""
    return FullyConnected(
        tuple(w.clone() for w in network.weights), tuple(b.clone() for b in network.biases), network.activation
    )
