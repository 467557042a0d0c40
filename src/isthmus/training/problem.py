"""Data made ready for training, held in memory or left in their file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isthmus.errors import (
    ConstantOutputError,
    DtypeError,
    OptionError,
    ScaleError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.foundation.arrays import as_matrix, as_weights
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN, likelihood_of
from isthmus.foundation.task import TASKS
from isthmus.networks import (
    Affine,
    ColumnMoments,
    FullyConnected,
    Scaling,
    standardization,
    standardization_of,
)
from isthmus.training.config import TrainingConfig
from isthmus.training.objective import Objective
from isthmus.training.parameters import random_network
from isthmus.training.stored import StoredRows, is_streamed

_LARGEST = 1e12  # a squared error summed over many columns stays far from float32's 3e38
RELATIVE_RIDGE = 1e-3  # default λ in units of the error of the best constant


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
        config: TrainingConfig,
        task: str,
        sample_weight: object | None = None,
    ) -> Problem:
        """The problem that `fit` solves for these arguments, or the error that it raises."""
        if task not in TASKS:
            raise OptionError("task", task, "regression, classification or autoencoder")
        likelihood = likelihood_of(task)
        ridge, standardize, device = config.ridge, config.standardize, config.device
        rows = _opened(x, "x", device)
        if y is None and task != "autoencoder":
            raise ShapeError(
                f"y is missing. Pass the outputs, or task='autoencoder' to learn x itself (task is {task!r})."
            )
        targets = rows if task == "autoencoder" else _opened(_column(y), "y", device)
        _check_lengths(rows, len(targets))
        rows, targets, weights = _weighed(rows, targets, sample_weight)
        at_device = None if weights is None else weights.to(device)
        if task == "classification":
            classes, indices = _labelled(targets)
            s_x, inputs = _standardized(rows, standardize, device, "x", weights)
            relative = RELATIVE_RIDGE * likelihood.constant_loss(indices, weights) if ridge is None else float(ridge)
            objective = Objective(inputs, indices.to(device), likelihood, relative, at_device)
            return Problem(objective, s_x, Affine.identity(len(classes)), classes, len(classes))
        if _is_constant(targets):
            raise ConstantOutputError("x" if task == "autoencoder" else "y")
        s_x, inputs = _standardized(rows, standardize, device, "x", weights)
        s_y, outputs = (s_x, inputs) if targets is rows else _standardized(targets, standardize, device, "y", weights)
        relative = RELATIVE_RIDGE * constant_loss(outputs, weights) if ridge is None else float(ridge)
        objective = Objective(inputs, outputs, likelihood, relative, at_device)
        return Problem(objective, s_x, s_y, None, outputs.shape[1])

    def starts(self, config: TrainingConfig, seed: int) -> list[FullyConnected]:
        """Draw `config.n_init` random networks of its depth and width, from the seeds `seed`, `seed` + 1 and so on."""
        x = self.objective.x
        widths = (x.shape[1], *[config.width] * (config.depth - 1), self.d_out)
        return [
            random_network(widths, config.activation, torch.Generator().manual_seed(each), device=x.device)
            for each in range(seed, seed + config.n_init)
        ]


def constant_loss(targets: Tensor | StoredRows, weights: Tensor | None = None) -> float:
    """Loss of the best constant prediction: total variance, or entropy of the class frequencies.

    Args:
        targets: Outputs `(n, d_out)`, or class indices `(n,)`.
        weights: Of the rows, `(n,)`; only for targets in memory.
    """
    if isinstance(targets, StoredRows):
        return float(ColumnMoments.of(targets.chunks()).variance.sum())
    return (GAUSSIAN if targets.is_floating_point() else CATEGORICAL).constant_loss(targets, weights)


def _weighed(
    rows: Tensor | StoredRows, targets: Tensor | StoredRows, sample_weight: object | None
) -> tuple[Tensor | StoredRows, Tensor | StoredRows, Tensor | None]:
    """The rows of positive weight and their weights, scaled to mean 1; None where those are equal."""
    if sample_weight is None:
        return rows, targets, None
    if isinstance(rows, StoredRows) or isinstance(targets, StoredRows):
        raise OptionError("sample_weight", "given", "None for rows that stay in their file; load them first")
    weights = as_weights(sample_weight, len(rows))
    is_counted = weights > 0
    if not bool(is_counted.all()):
        kept = rows[is_counted.to(rows.device)]
        targets = kept if targets is rows else targets[is_counted.to(targets.device)]
        rows, weights = kept, weights[is_counted]
        _check_lengths(rows, len(targets))
    if bool((weights == weights[0]).all()):
        return rows, targets, None
    weights = weights / weights.max()  # their sum may leave the finite numbers
    return rows, targets, weights / weights.mean()


def _opened(data: object, what: str, device: torch.device | str) -> Tensor | StoredRows:
    """A finite matrix in memory, or rows of a file that are checked when they are read."""
    if isinstance(data, np.ndarray) and is_streamed(data):
        if data.ndim > 2:
            raise ShapeError(f"{what} has shape {data.shape}. Reshape it, for example with .reshape(len({what}), -1).")
        return StoredRows(data, Affine.identity(data.shape[-1]), device, what)
    return as_matrix(data, what)


def _standardized(
    rows: Tensor | StoredRows, scaling: Scaling, device: torch.device | str, what: str, weights: Tensor | None
) -> tuple[Affine, Tensor | StoredRows]:
    """The standardisation of checked rows, and the rows in its units, float32 on the device."""
    made: Tensor | StoredRows
    if isinstance(rows, StoredRows):
        moments = rows.moments
        affine = standardization_of(moments, scaling)
        made = rows.standardized(affine)
        largest = float(affine.forward(torch.stack([moments.low, moments.high])).abs().max())
    else:
        affine = standardization(rows, scaling, weights)
        made = affine.forward(rows.double()).to(device=device, dtype=torch.float32)
        largest = float(made.abs().max())
    if largest > _LARGEST:
        raise ScaleError(what, largest, _LARGEST)
    return affine, made


def _check_lengths(rows: Tensor | StoredRows, outputs: int) -> None:
    if len(rows) != outputs:
        raise ShapeError(f"x has {len(rows)} rows but y has {outputs}. Pass one output row for each input row.")
    if len(rows) < 2:
        raise TooFewRowsError("x", len(rows), 2)


def _is_constant(rows: Tensor | StoredRows) -> bool:
    return rows.moments.is_constant if isinstance(rows, StoredRows) else bool((rows == rows[0]).all())


def _labelled(targets: Tensor | StoredRows) -> tuple[Tensor, Tensor]:
    """(the labels, the index of each row's label `(n,)`)."""
    if _is_constant(targets):
        raise ConstantOutputError("y")
    chunks = targets.raw_chunks() if isinstance(targets, StoredRows) else iter([targets])
    found = []
    for chunk in chunks:
        if chunk.shape[1] != 1 or bool((chunk != chunk.round()).any()):
            raise DtypeError("y", "a non-integer one; a classification needs one integer label a row, and y holds")
        found.append(chunk[:, 0].long())
    classes, indices = torch.cat(found).unique(return_inverse=True)
    return classes, indices


def _column(y: object) -> Any:
    """`y` with a second axis if it has one axis only; a memory map stays one."""
    raw: Any = y if isinstance(y, Tensor) else _plain(y)
    return raw[:, None] if raw.ndim == 1 else raw


def _plain(y: object) -> Any:
    array = y if isinstance(y, np.ndarray) else np.asarray(y)
    if array.dtype.kind not in "fiub":
        raise DtypeError("y", array.dtype)
    return array
