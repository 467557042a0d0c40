"""From arrays to a trained network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isthmus.errors import ConstantOutputError, DtypeError, OptionError, ScaleError, ShapeError, TooFewRowsError
from isthmus.functions import RELU, Activation, Affine, FullyConnected, Scaling, StandardizedNetwork, standardization
from isthmus.progress import Report
from isthmus.shapes import as_matrix
from isthmus.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from isthmus.training.history import Moment, Stopped
from isthmus.training.loop import Training
from isthmus.training.loss import cross_entropy, squared_error
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters, random_network
from isthmus.training.plan import DEFAULT_PLAN, Plan

_LARGEST = 1e12  # a squared error summed over many columns stays far from float32's 3e38
RELATIVE_RIDGE = 1e-3  # default λ in units of the error of the best constant


@dataclass(frozen=True, eq=False)
class FittedNetwork(StandardizedNetwork):
    r"""A trained network and how it was reached.

    Attributes:
        objective: The objective that was minimised, over the standardised training rows.
        value: $\mathcal L_\lambda(w)$ at the end, in float64 sums.
        error: Its data term.
        stationarity: $\|\nabla \mathcal L_\lambda(w)\| / \mathcal L_\lambda(w)$ at the end, in float64; 0 at a
            stationary point.
        history: The way there.
        seconds: Time spent training.
        stopped: "converged", "budget" or "interrupted".
        classes: The labels in the order of the outputs, for a classification; else None.
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


def fit(
    x: object,
    y: object | None = None,
    *,
    task: str = "regression",
    depth: int = 13,
    width: int = 100,
    ridge: float | None = None,
    seed: int = 0,
    starts: int = 1,
    standardize: Scaling = "columns",
    activation: Activation = RELU,
    plan: Plan = DEFAULT_PLAN,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    key: str = "",
    report: Report = lambda fraction, state: None,
) -> FittedNetwork:
    r"""Train a deep network to minimise $\frac1N \sum_i \ell(f(x_i), y_i) + \frac{\lambda}{L} \|w\|^2$.

    ℓ is the squared error $\|f(x_i) - y_i\|^2$ (regression, autoencoder) or the cross-entropy (classification). Data
    are standardised first, and the standardisation is part of the result. All rows given are trained on.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)` or `(n,)`; integer labels `(n,)` for classification; None for an autoencoder.
        task: "regression", "classification" or "autoencoder".
        depth: L ≥ 1, number of weight matrices.
        width: Width of every hidden layer at the start; neurons that the data do not need are taken out on the way.
        ridge: λ ≥ 0. Default: 1/1000 of the loss of the best constant prediction.
        seed: Draws the start and the minibatches; the same seed gives the same network on the same machine.
        starts: Number of random starts, from the seeds `seed`, `seed` + 1, …; the better half goes on at a quarter,
            half and three quarters of the descent, and the best is finished.
        standardize: "columns", "global" (one scale for all columns) or "none".
        activation: σ.
        plan: How long and how fast.
        device: Where to compute.
        checkpoint: File to resume from and to save to every few seconds.
        key: Names the fit in the checkpoint; a checkpoint with another key is ignored and overwritten.
        report: Told the fraction done.

    Raises:
        ShapeError, DtypeError, NonFiniteError, TooFewRowsError: If the data are not finite matrices of equal length.
        ConstantOutputError: If y does not vary.
        ScaleError: If unstandardised data are too large for single precision.
        OptionError: If an option is out of range.
        DivergenceError: If the objective leaves the finite numbers.

    Source:
        Jacot (2023), problem setting.
    """
    check_options(task, depth, width, ridge)
    if starts < 1:
        raise OptionError("starts", starts, "at least 1")
    problem = Problem.of(x, y, task=task, ridge=ridge, standardize=standardize, device=device)
    training = Training(
        problem.starts(depth, width, activation, range(seed, seed + starts)),
        problem.objective,
        plan,
        seed=seed,
        only_best=True,
        save=_saver(checkpoint, key),
        report=report,
    )
    if checkpoint is not None and (progress := load_checkpoint(checkpoint, key=key)) is not None:
        training.resume(progress)
    is_complete = training.run()
    best = min(range(len(training.networks)), key=lambda i: problem.objective.value(training.networks[i]))
    return fitted_network(problem, training, best, is_complete=is_complete)


def fitted_network(problem: Problem, training: Training, index: int, *, is_complete: bool) -> FittedNetwork:
    """Network `index` of those a training has left, with its account."""
    objective, network = training.objective_of(index), detached(training.networks[index])
    return FittedNetwork(
        network=network,
        inputs=problem.inputs,
        outputs=problem.outputs,
        objective=objective,
        value=objective.value(network),
        error=objective.error(network),
        stationarity=stationarity(objective, network),
        history=tuple(training.progress.history),
        seconds=training.seconds,
        stopped=training.stopped(index) if is_complete else "interrupted",
        classes=problem.classes,
    )


@torch.no_grad()
def stationarity(objective: Objective, network: FullyConnected) -> float:
    r"""$\|\nabla \mathcal L_\lambda(w)\| / \mathcal L_\lambda(w)$ in float64."""
    exact = objective.double()
    at = Parameters.of(network.to(dtype=torch.float64))
    slope = at.like(torch.zeros_like(at.vector))
    value = exact.gradient(at, slope)
    return float(slope.vector.norm() / value) if float(value) > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Problem:
    """Data made ready for training: the objective over standardised rows, and the way back.

    Attributes:
        objective: Over the standardised training rows.
        inputs, outputs: The standardisations.
        classes: The labels in the order of the outputs, for a classification; else None.
        d_out: Number of outputs of the network.
    """

    objective: Objective
    inputs: Affine
    outputs: Affine
    classes: Tensor | None
    d_out: int

    @staticmethod
    def of(
        x: object,
        y: object | None,
        *,
        task: str,
        ridge: float | None,
        standardize: Scaling,
        device: torch.device | str,
    ) -> Problem:
        """The problem that `fit` solves for these arguments, or the error that it raises."""
        inputs, targets, classes = _as_pair(x, y, task)
        objective, s_x, s_y = _standardized_objective(inputs, targets, classes, task, standardize, ridge, device)
        return Problem(objective, s_x, s_y, classes, len(classes) if classes is not None else targets.shape[1])

    def starts(self, depth: int, width: int, activation: Activation, seeds: Iterable[int]) -> list[FullyConnected]:
        """Random networks of this depth and width, one for each seed."""
        x = self.objective.x
        widths = (x.shape[1], *[width] * (depth - 1), self.d_out)
        return [
            random_network(widths, activation, torch.Generator().manual_seed(seed), device=x.device) for seed in seeds
        ]


def constant_loss(targets: Tensor) -> float:
    """Loss of the best constant prediction: total variance, or entropy of the class frequencies."""
    if targets.is_floating_point():
        return float((targets.double() - targets.double().mean(0)).square().sum(1).mean())
    shares = targets.bincount().double() / len(targets)
    shares = shares[shares > 0]
    return float(-(shares * shares.log()).sum())


def _standardized_objective(
    inputs: Tensor,
    targets: Tensor,
    classes: Tensor | None,
    task: str,
    scaling: Scaling,
    ridge: float | None,
    device: torch.device | str,
) -> tuple[Objective, Affine, Affine]:
    """The objective over the standardised rows, and the two standardisations."""
    s_x = standardization(inputs, scaling)
    s_y = _output_standardization(targets, s_x, task, scaling)
    x = s_x.forward(inputs.double()).to(device=device, dtype=torch.float32)
    if classes is not None:
        y, loss = targets.to(device), cross_entropy
    else:
        y, loss = s_y.forward(targets.double()).to(device=device, dtype=torch.float32), squared_error
    for what, data in (("x", x), ("y", y)):
        if (largest := float(data.abs().max())) > _LARGEST:
            raise ScaleError(what, largest, _LARGEST)
    return Objective(x, y, loss, RELATIVE_RIDGE * constant_loss(y) if ridge is None else float(ridge)), s_x, s_y


def check_options(task: str, depth: int, width: int, ridge: float | None) -> None:
    """Raise `OptionError` for a value out of range."""
    if task not in ("regression", "classification", "autoencoder"):
        raise OptionError("task", task, "regression, classification or autoencoder")
    if depth < 1:
        raise OptionError("depth", depth, "at least 1")
    if width < 1:
        raise OptionError("width", width, "at least 1")
    if ridge is not None and not 0.0 <= ridge < float("inf"):
        raise OptionError("ridge", ridge, "a finite number ≥ 0")


def _as_pair(x: object, y: object | None, task: str) -> tuple[Tensor, Tensor, Tensor | None]:
    """Inputs, targets and, for a classification, the labels."""
    inputs = as_matrix(x, "x")
    if y is None and task != "autoencoder":
        raise ShapeError(f"y is missing. Pass the outputs, or task='autoencoder' to learn x itself (task is {task!r}).")
    if task == "autoencoder":
        targets = inputs
    else:
        raw: Any = y if isinstance(y, Tensor) else torch.as_tensor(_plain(y))
        targets = as_matrix(raw[:, None] if raw.ndim == 1 else raw, "y")
    if len(targets) != len(inputs):
        raise ShapeError(f"x has {len(inputs)} rows but y has {len(targets)}. Pass one output row for each input row.")
    if len(inputs) < 2:
        raise TooFewRowsError("x", len(inputs), 2)
    if bool((targets == targets[0]).all()):
        raise ConstantOutputError("x" if task == "autoencoder" else "y")
    if task != "classification":
        return inputs, targets, None
    if targets.shape[1] != 1 or bool((targets != targets.round()).any()):
        raise DtypeError("y", "a non-integer one; a classification needs one integer label a row, and y holds")
    classes, indices = targets[:, 0].long().unique(return_inverse=True)
    return inputs, indices, classes


def _plain(y: object) -> Any:
    array = np.asarray(y)
    if array.dtype.kind not in "fiub":
        raise DtypeError("y", array.dtype)
    return np.ascontiguousarray(array)


def _output_standardization(targets: Tensor, s_x: Affine, task: str, scaling: Scaling) -> Affine:
    if task == "autoencoder":
        return s_x
    if task == "classification":
        return Affine.identity(int(targets.max()) + 1)
    return standardization(targets, scaling)


def _saver(checkpoint: Path | None, key: str) -> Callable[[Progress], None]:
    if checkpoint is None:
        return lambda progress: None
    return lambda progress: save_checkpoint(progress, checkpoint, key=key)


def detached(network: FullyConnected) -> FullyConnected:
    """A copy whose tensors do not share the training vector."""
    return FullyConnected(
        tuple(w.clone() for w in network.weights), tuple(b.clone() for b in network.biases), network.activation
    )
